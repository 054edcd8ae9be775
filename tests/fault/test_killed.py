"""Kill the server in the middle of many submissions: what was acknowledged stands, and a retry gets its answer."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time

import pytest

from tests.conftest import ENGINES
from tests.deployment import claim
from tests.postgresql import PostgreSQL
from tests.served import Served, served_on
from verify_service.evidence.audit import audit

CLIENTS = 32
PATIENCE_SECONDS = 120


@pytest.fixture(params=ENGINES)
def served(request, tmp_path):
    with served_on(request, request.param, tmp_path, VERIFY_WORKERS="2", VERIFY_THREADS="8") as made:
        yield made


class Crowd:
    """Clients that each submit their share and keep asking until every submission was answered."""

    def __init__(self, served, submissions):
        self.served = served
        self.acknowledged = {}
        self.lock = threading.Lock()
        value = served.sample.known("DHS-ICE").value
        numbers = range(submissions)
        self.shares = [
            {f"key-{n}": claim("DHS-ICE", value, incident_number=f"2611240{n % 40:05}") for n in numbers[c::CLIENTS]}
            for c in range(CLIENTS)
        ]
        # A service that refuses for ever keeps them asking for ever.
        self.threads = [threading.Thread(target=self._submit, args=(share,), daemon=True) for share in self.shares]

    def start(self):
        for thread in self.threads:
            thread.start()

    def join(self):
        for thread in self.threads:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()

    def wait_for(self, count):
        end = time.monotonic() + PATIENCE_SECONDS
        while len(self.acknowledged) < count:
            assert time.monotonic() < end, self.served.said.read_text()[-2000:]
            time.sleep(0.002)

    def _submit(self, share):
        connection = http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=30)
        for key, body in share.items():
            while key not in self.acknowledged:
                try:
                    status, reply = self.served.ask("POST", "/v1/verifications", body, key, connection)
                except (OSError, http.client.HTTPException):
                    connection.close()
                    time.sleep(0.05)
                    continue
                assert status in {201, 503}, reply
                if status == 201:
                    with self.lock:
                        self.acknowledged[key] = reply
        connection.close()


def run(submissions, kills, served, killed=None):
    """Let a crowd submit to a server, and kill it, or what it stands on, so many times meanwhile."""
    killed = killed or served
    crowd = Crowd(served, submissions)
    crowd.start()
    for kill in range(1, kills + 1):
        crowd.wait_for(kill * submissions // (kills + 1))
        killed.kill()
        killed.start()
    crowd.join()
    return crowd


def check(served, crowd, submissions):
    bodies = {key: body for share in crowd.shares for key, body in share.items()}
    assert len(crowd.acknowledged) == submissions
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    with contextlib.closing(connection):
        for key, reply in crowd.acknowledged.items():
            again = served.ask("POST", "/v1/verifications", bodies[key], key, connection)
            assert again == (201, reply), key
            event = json.loads(reply)["events"][0]
            status, record = served.ask("GET", event["record"], connection=connection)
            assert (status, json.loads(record)["kind"]) == (200, "submitted")
    served.stop()
    service = served.service()
    report = audit(service.audit_source(), service.vault, service.marks())
    assert report.ok, report.sentences()
    with service.database.read() as read:
        counted = read.exec_driver_sql("SELECT count(*) FROM verification").scalar()
        incidents = read.exec_driver_sql("SELECT count(*) FROM incident").scalar()
    assert (counted, incidents) == (submissions, 40)
    service.database.dispose()


def test_l01_a_kill_loses_nothing_that_was_acknowledged(served):
    crowd = run(400, 1, served)
    check(served, crowd, 400)


@pytest.mark.long
def test_l01_twenty_five_kills_lose_nothing_that_was_acknowledged(served):
    crowd = run(5000, 25, served)
    check(served, crowd, 5000)


@pytest.mark.long
def test_l02_five_kills_of_postgresql_lose_nothing_that_was_acknowledged(tmp_path):
    server = PostgreSQL()
    try:
        served = Served(tmp_path / "home", server.create(), VERIFY_WORKERS="2", VERIFY_THREADS="8")
        served.start()
        try:
            check(served, run(1000, 5, served, server), 1000)
        finally:
            served.stop()
    finally:
        server.stop()
