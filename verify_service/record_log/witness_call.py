"""Reach witnesses over HTTP, for a second at most: implements ``record_log.witnessing.WitnessCall``."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from verify_service import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_SECONDS = 1.0
LARGEST_REPLY = 64 * 1024


class WitnessHttp:
    """Calls each witness on a connection of its own."""

    def add_checkpoint(self, url: str, body: bytes) -> tuple[int, bytes]:
        """Post a body and return (status, reply); raise OSError where there is none within a second."""
        parts = urlsplit(url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=LONGEST_SECONDS)
        end = time.monotonic() + LONGEST_SECONDS
        try:
            connection.connect()
            with _cut_at(end, connection.sock) as late:
                headers = {"User-Agent": f"verify-service/{__version__}"}
                connection.request("POST", f"{parts.path.rstrip('/')}/add-checkpoint", body, headers)
                reply = connection.getresponse()
                content = reply.read(LARGEST_REPLY + 1)
        except (OSError, HTTPException) as error:
            raise ConnectionError(f"it cannot be reached, or did not answer within a second ({error})") from error
        finally:
            connection.close()
        if late.is_set() or len(content) > LARGEST_REPLY:
            raise ConnectionError("its reply did not end within a second, or is too large")
        return reply.status, content


@contextmanager
def _cut_at(end: float, connected: socket.socket) -> Iterator[threading.Event]:
    """Cut a connection off at a time, and set the event; a timeout alone begins anew with every byte that trickles."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        with suppress(OSError):
            # The socket's own method, below TLS: whoever reads there meets the end.
            socket.socket.shutdown(connected, socket.SHUT_RDWR)

    timer = threading.Timer(max(0.0, end - time.monotonic()), cut)
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
