"""Bytes that are no good HTTP neither crash nor hang the server, and hide no second request in a first."""

from __future__ import annotations

import re
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice

import pytest

from tests.api.raw_http import GOOD, made_up
from tests.api.test_serving import ask, free_port, serving, until, workers

SECONDS = 10
QUIET_SECONDS = 0.2
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")
# Whose body ends in two ways, so that what follows it may be a request to one reader and a body to another.
TWO_ENDS = {"smuggled", "two_lengths"}


def batched(items, size):
    items = iter(items)
    while batch := list(islice(items, size)):
        yield batch


def exchange(port, sent):
    """Send bytes, and once nothing comes back any more say that this is all; return what came until the server ends."""
    answer = bytearray()
    with socket.create_connection(("127.0.0.1", port), timeout=QUIET_SECONDS) as connection:
        try:
            connection.sendall(sent)
            with suppress(TimeoutError):
                while piece := connection.recv(65536):
                    answer += piece
            connection.settimeout(SECONDS)
            connection.shutdown(socket.SHUT_WR)
            # A server that hangs ends nothing, and the test with a TimeoutError.
            while piece := connection.recv(65536):
                answer += piece
        except TimeoutError:
            raise
        # It was ended by the other side already.
        except OSError:
            pass
    return bytes(answer)


@pytest.mark.parametrize("count", [440, pytest.param(11_000, marks=pytest.mark.long)])
def test_it_still_answers_after_what_no_client_of_good_faith_sends(count):
    port = free_port()
    with serving("tests.api.served_app:application", port) as process:
        until(lambda: ask(port, "/healthz"))
        before = workers(process.pid)
        for batch in batched(made_up(11, count), 40):
            with ThreadPoolExecutor(8) as clients:
                answers = list(clients.map(lambda made: exchange(port, made[1]), batch))
            for (kind, sent), answer in zip(batch, answers, strict=True):
                statuses = [int(status) for status in STATUS.findall(answer)]
                # /readyz says 503, and so does what needs the issuer's keys, which cannot be had here.
                assert {status for status in statuses if status >= 500} <= {503}, (kind, sent[:300], answer)
                if kind in TWO_ENDS:
                    assert len(statuses) <= 1, (kind, sent[:300], answer)
            assert ask(port, "/healthz")[0] == 200
        assert ask(port, "/healthz")[0] == 200
        assert workers(process.pid) == before
        process.send_signal(signal.SIGTERM)
        _, diagnostics = process.communicate(timeout=15)
    assert "Traceback" not in diagnostics


def test_many_slow_clients_do_not_keep_others_out():
    port = free_port()
    with serving("tests.api.served_app:application", port) as process:
        until(lambda: ask(port, "/healthz"))
        slow = [socket.create_connection(("127.0.0.1", port), timeout=SECONDS) for _ in range(200)]
        for connection in slow:
            connection.sendall(GOOD[:-4])
        assert ask(port, "/healthz")[0] == 200
        for connection in slow:
            connection.close()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=15)
