"""Run the development issuer on loopback, in a child process that never outlives its parent."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from verify_service.errors import ConfigurationError
from verify_service.loopback import is_loopback
from verify_service.parent import wait_until_gone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask

READY = "ready"
LOOPBACK = "127.0.0.1"
STOP_SECONDS = 5


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        """Say nothing of every request."""


def listen(app: Flask, port: int, host: str = LOOPBACK) -> BaseWSGIServer:
    """Return a server that listens already; ``serve_forever`` answers, and port 0 takes any free one.

    Raises ConfigurationError for an address that others can reach, or a port that is taken.
    """
    if not is_loopback(host):
        raise ConfigurationError(f"The development issuer signs anybody in, so it does not listen on {host}.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as listening:
            return make_server(host, port, app, threaded=True, request_handler=_Quiet, fd=listening.fileno())
    except OSError as error:
        raise ConfigurationError(
            f"The development issuer cannot listen on port {port} of {host} ({os.strerror(error.errno or 0)}): set "
            "VERIFY_DEVISSUER_PORT to a free one."
        ) from error


@contextmanager
def running(home: Path, port: int) -> Iterator[None]:
    """Run the issuer of a state directory until the block ends; it ends by itself where this process is killed.

    Raises ConfigurationError with the issuer's own words where it does not start.
    """
    command = [sys.executable, "-m", "verify_service.devissuer", str(home), str(port), str(os.getpid())]
    piped: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **piped) as child:  # noqa: S603 - It is this program.  # nosec B603
        try:
            said = child.stdout.read() if child.stdout else ""
            if said.strip() != READY:
                raise ConfigurationError(said.strip() or "The development issuer did not start.")
            yield
        finally:
            child.terminate()
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()


def serve_while(parent: int, server: BaseWSGIServer) -> None:
    """Answer until the process ``parent`` is gone."""
    # Ctrl-C reaches both; the parent still needs the issuer while it ends its requests, and then ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    wait_until_gone(parent)
