"""The service runs under granian, takes a port of its own, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.served import free_port
from verify_service.errors import ConfigurationError
from verify_service.web.serving import check_free

SERVE = """
import sys
from verify_service.web.serving import serve
if __name__ == "__main__":
    serve(sys.argv[1], host="127.0.0.1", port=int(sys.argv[2]), workers=2, threads=2)
    print("ended in good order")
"""


@contextmanager
def serving(target, port):
    command = [sys.executable, "-c", SERVE, target, str(port)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=root, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def ask(port, path):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, dict(answer.headers), json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), json.load(error)


def until(holds, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            return holds()
        except (OSError, AssertionError):
            time.sleep(0.05)
    return holds()


def check_gone(port):
    with pytest.raises(OSError):
        ask(port, "/healthz")


def test_it_serves_and_ends_in_good_order_when_told_to():
    port = free_port()
    with serving("tests.api.served_app:application", port) as process:
        status, headers, body = until(lambda: ask(port, "/healthz"))
        assert (status, body) == (200, {"alive": True})
        assert headers["content-security-policy"].startswith("default-src 'none'")
        status, headers, body = ask(port, "/readyz")
        assert (status, headers["content-type"]) == (503, "application/problem+json")
        assert body["checks"][0] == {"name": "keys", "ready": False, "reason": "The service cannot answer now"}
        with pytest.raises(ConfigurationError, match=f"Port {port} on 127.0.0.1 is taken by another program"):
            check_free("127.0.0.1", port)
        process.send_signal(signal.SIGTERM)
        said, diagnostics = process.communicate(timeout=15)
    assert process.returncode == 0
    # Standard output is left to what commands report.
    assert said == "ended in good order\n"
    assert "Listening at" in diagnostics
    assert "keys: The identity provider cannot be asked for its keys" in diagnostics
    assert "/readyz" not in diagnostics
    check_gone(port)


def test_its_workers_end_when_it_is_killed():
    port = free_port()
    with serving("tests.api.served_app:application", port) as process:
        until(lambda: ask(port, "/healthz"))
        process.kill()
        # The workers hold the other end of these pipes until they end.
        process.communicate(timeout=15)
    check_gone(port)


def test_a_worker_that_dies_is_replaced():
    port = free_port()
    with serving("tests.api.served_app:application", port) as process:
        until(lambda: ask(port, "/healthz"))
        before = workers(process.pid)
        os.kill(min(before), signal.SIGKILL)

        def replaced():
            now = workers(process.pid)
            assert len(now) == 2
            assert now != before

        until(replaced)
        assert until(lambda: ask(port, "/healthz"))[0] == 200
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=15)
    assert process.returncode == 0


def workers(main):
    listed = subprocess.run(["pgrep", "-P", str(main)], capture_output=True, text=True, check=False)
    return set(map(int, listed.stdout.split()))


@pytest.mark.parametrize(
    ("made", "reason", "traced"), [("broken", "VERIFY_KEYS holds no keys.", False), ("missing", "AttributeError", True)]
)
def test_an_app_that_cannot_be_made_ends_it_with_its_reason(made, reason, traced):
    with serving(f"tests.api.served_app:{made}", free_port()) as process:
        _, diagnostics = process.communicate(timeout=15)
    assert process.returncode == 1
    assert 1 <= diagnostics.count(reason) <= 2
    assert ("Traceback" in diagnostics) is traced


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("192.0.2.1", 8080, "Port 8080 on 192.0.2.1 is not an address of this machine: set VERIFY_BIND"),
        ("fe80::1", 8080, "Port 8080 on fe80::1 "),
    ],
)
def test_an_address_that_cannot_be_had_is_named(host, port, words):
    with pytest.raises(ConfigurationError) as refused:
        check_free(host, port)
    assert refused.value.detail.startswith(words)


def test_a_free_port_is_free():
    check_free("127.0.0.1", free_port())
