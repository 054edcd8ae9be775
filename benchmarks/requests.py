"""POST and GET against a bare Flask echo on the same server, on each engine: ``python -m benchmarks.requests``.

The echo has the same workers, threads and body sizes. Prints one JSON object a line. ``post`` should be 0.15 and
``get`` 0.2; ``p99_over_p50``, of POST at half of its peak, may be 5.
"""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from statistics import median

from benchmarks.databases import database
from benchmarks.served import CLIENTS, echo_command, free_port, process, wrk
from tests.deployment import claim
from tests.served import Served

WORKERS, THREADS, ROUNDS, SECONDS = 2, 8, 3, 5


def ratios(engine: str, threads: int = THREADS, rounds: int = ROUNDS, seconds: int = SECONDS) -> dict[str, float]:
    """Return the median ratios of POST and GET to the echo, measured in turn."""
    with ExitStack() as stack:
        folder, url = stack.enter_context(database(engine))
        served = Served(folder / "home", url, VERIFY_WORKERS=str(WORKERS), VERIFY_THREADS=str(threads))
        command = [sys.executable, "-m", "verify_service.cli", "serve"]
        stack.enter_context(process(command, served.environment, served.port, "/readyz"))
        port = free_port()
        stack.enter_context(process(echo_command(port, WORKERS, threads), {}, port, "/echo?size=9"))
        return _measure(served, port, rounds, seconds)


def _measure(served: Served, port: int, rounds: int, seconds: int) -> dict[str, float]:
    headers = {"Authorization": f"Bearer {served.token}", "Content-Type": "application/json"}
    body = claim("DHS-ICE", served.sample.known("DHS-ICE").value)
    _, reply = served.ask("POST", "/v1/verifications", body, "first")
    path = f"/v1/verifications/{json.loads(reply)['id']}"
    service, echo = f"http://127.0.0.1:{served.port}", f"http://127.0.0.1:{port}/echo?size={len(reply)}"
    found: dict[str, list[float]] = {"post": [], "get": [], "post_rps": [], "half_rps": [], "p99_over_p50": []}
    for _ in range(rounds):
        bare = wrk(echo, seconds, headers, body)
        post = wrk(f"{service}/v1/verifications", seconds, headers, body)
        half = wrk(f"{service}/v1/verifications", seconds, headers, body, pause_ms=_pause(post))
        bare_get = wrk(echo, seconds, headers)
        get = wrk(f"{service}{path}", seconds, headers)
        found["post"].append(post["rps"] / bare["rps"])
        found["get"].append(get["rps"] / bare_get["rps"])
        found["post_rps"].append(post["rps"])
        found["half_rps"].append(half["rps"])
        found["p99_over_p50"].append(half["p99"] / half["p50"])
    return {name: round(median(values), 3) for name, values in found.items()}


def _pause(peak: dict[str, float]) -> float:
    """Return how many ms each client waits so that all of them ask half as often as at the peak."""
    return max(1, CLIENTS * 1000 / (peak["rps"] / 2) - peak["p50"] / 2)


if __name__ == "__main__":
    for engine in sys.argv[1:] or ("sqlite", "postgresql"):
        print(json.dumps({"engine": engine, **ratios(engine)}))
