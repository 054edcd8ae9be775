"""Attack 20 on the record log of a running service: a fork signed beside it, and more requests than it has room for."""

from __future__ import annotations

import fcntl
import http.client
import json
import threading
import time

import pytest

from tests.attack.narrow import ROOM
from tests.attack.test_record_log_history import cut
from tests.conftest import ENGINES
from tests.deployment import claim
from tests.fakes.log_store import log_id
from tests.served import Served, served_on
from verify_service.evidence.audit import audit
from verify_service.settings import parse
from verify_service.wiring import Service

CLIENTS = 4 * ROOM
PATIENCE_SECONDS = 30


def submit(served, key):
    """Return (status, headers, body) of a submission."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE_SECONDS)
    headers = {
        "Authorization": f"Bearer {served.token}",
        "Content-Type": "application/json",
        "Idempotency-Key": key,
    }
    connection.request("POST", "/v1/verifications", json.dumps(claim("DHS-ICE")), headers)
    reply = connection.getresponse()
    body = reply.read()
    connection.close()
    return reply.status, reply.headers, body


@pytest.mark.long
@pytest.mark.parametrize("engine", ENGINES)
def test_l20_a_fork_that_was_signed_after_the_start_is_found_at_the_next_batch(request, tmp_path, engine):
    with served_on(request, engine, tmp_path, VERIFY_WORKERS="1") as served:
        assert submit(served, "before")[0] == 201
        # Whoever has the key and the database needs this host's mark no more than another host does.
        chosen = {**served.environment, "VERIFY_HIGH_WATER": str(tmp_path / "thief")}
        thief = Service(parse(chosen, needs=(), cores=1))
        cut(thief.database, 0)
        thief.accept_high_water()
        forked = thief.logs.records("LAPD").publish()
        thief.check_logs()
        status, headers, body = submit(served, "after")
        assert (status, headers["Retry-After"]) == (503, "60")
        assert json.loads(body)["type"].endswith("/log_refused")
        assert "is not the one that was promised at " in served.said.read_text()
        assert served.ask("GET", "/readyz")[0] == 503
        assert thief.log_store.head(log_id()).size == forked
        thief.database.dispose()
        served.stop()
        with pytest.raises(AssertionError, match="is not the one that was promised at "):
            served.start()


@pytest.fixture
def crowded(tmp_path):
    made = Served(
        tmp_path / "home", f"sqlite:///{tmp_path / 'verify.db'}", VERIFY_WORKERS="1", VERIFY_THREADS=str(CLIENTS)
    )
    made.program = "tests.attack.narrow"
    made.start()
    yield made
    made.stop()


@pytest.mark.long
def test_l20_a_full_queue_answers_503_and_recovers_with_all_that_was_acknowledged(crowded):
    answers = {}
    threads = [
        threading.Thread(target=lambda key=f"key-{n}": answers.setdefault(key, submit(crowded, key)))
        for n in range(CLIENTS)
    ]
    service = crowded.service()
    end = time.monotonic() + PATIENCE_SECONDS
    with service.high_water(log_id()).path.open() as held:
        # Another process has its turn at the log: a batch waits for it, and as many again as there is room for.
        fcntl.flock(held, fcntl.LOCK_EX)
        for thread in threads:
            thread.start()
        while len(answers) < CLIENTS - 2 * ROOM:
            assert time.monotonic() < end
            time.sleep(0.01)
        assert {status for status, _, _ in answers.values()} == {503}
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    refused = {key: reply for key, reply in answers.items() if reply[0] == 503}
    assert CLIENTS - 2 * ROOM <= len(refused) < CLIENTS
    for _, headers, body in refused.values():
        assert (headers["Retry-After"], json.loads(body)["type"].rpartition("/")[2]) == ("1", "overloaded")
        assert "Nothing was recorded" in json.loads(body)["detail"]
    assert recorded(service) == CLIENTS - len(refused)
    for key, (status, _, body) in answers.items():
        again = submit(crowded, key)
        assert again[0] == 201
        assert status == 503 or again[2] == body
    assert recorded(service) == CLIENTS
    report = audit(service.audit_source(), service.vault, service.marks())
    assert report.ok, report.sentences()
    service.database.dispose()


def recorded(service):
    with service.database.read() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM verification").scalar()
