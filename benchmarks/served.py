"""Start servers as an operator does, and load them with wrk, which only Debian has (`make tools`)."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

START_SECONDS = 60
CLIENTS = 32
LUA = """
local n = 0
function request()
  n = n + 1
  wrk.headers["Idempotency-Key"] = n .. "-%s"
  return wrk.format("%s", nil, wrk.headers, [==[%s]==])
end
local pause = %d
if pause > 0 then
  function delay() return math.random(0, 2 * pause) end
end
"""


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextlib.contextmanager
def process(command: list[str], environment: dict[str, str], port: int, path: str) -> Iterator[None]:
    """Run a server until the block ends."""
    own = {**{name: value for name, value in os.environ.items() if not name.startswith("VERIFY_")}, **environment}
    with subprocess.Popen(command, env=own, start_new_session=True, stdout=subprocess.DEVNULL) as server:
        try:
            _wait(port, path)
            yield
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)


def echo_command(port: int, workers: int, threads: int) -> list[str]:
    """Return the command that serves the bare echo on the same server as the service."""
    call = f"serve('benchmarks.echo:application', host='127.0.0.1', port={port}, workers={workers}, threads={threads})"
    return [sys.executable, "-c", f"from verify_service.web.serving import serve\n{call}"]


def wrk(url: str, seconds: int, headers: dict[str, str], body: Any = None, *, pause_ms: float = 0) -> dict[str, float]:
    """Load a URL from 32 clients and return requests per second and the latencies in ms.

    Each client waits ``pause_ms`` on average between two requests. Raises RuntimeError where requests fail.
    """
    method, text = ("GET", "") if body is None else ("POST", json.dumps(body))
    script = LUA % (time.monotonic_ns(), method, text, round(pause_ms))
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        options = [option for name, value in headers.items() for option in ("-H", f"{name}: {value}")]
        command = ["wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds}s", "--latency", "-s", file.name, *options, url]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(said)
    latencies = {name: _milliseconds(value) for name, value in re.findall(r"(50|99)%\s+([\d.]+\w+)", said)}
    return {
        "rps": float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]),
        "p50": latencies["50"],
        "p99": latencies["99"],
    }


def _milliseconds(text: str) -> float:
    value, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def _wait(port: int, path: str) -> None:
    begun = time.monotonic()
    while time.monotonic() - begun < START_SECONDS:
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", path)
            if connection.getresponse().status < 500:
                return
        time.sleep(0.05)
    raise RuntimeError(f"nothing answers on port {port}")


def repository() -> Path:
    """Return the checkout's folder."""
    return Path(__file__).parent.parent
