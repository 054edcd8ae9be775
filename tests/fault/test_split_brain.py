"""Let the old primary come back beside the new one: no host acknowledges two histories."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet

import pytest

from tests.fault.pair import body, served_by, submitted, whole
from verify_service.errors import LogRefused
from verify_service.record_log.log import LogId
from verify_service.settings import parse
from verify_service.web.app import create_app
from verify_service.wiring import Service

pytestmark = pytest.mark.long
RECORDS = LogId("LAPD", "records")


class OtherHost:
    """Another host of the department, with the same keys and marks of its own, which reaches one PostgreSQL alone."""

    def __init__(self, served, home, server, name):
        shutil.copytree(served.home, home)
        self.token = served.token
        named = {"VERIFY_HOME": str(home), "VERIFY_DATABASE_URL": server.url(name)}
        self.service = Service(parse({**served.environment, **named}, needs=(), cores=1))
        self._app = create_app(self.service.backend())

    def ask(self, document, key):
        """Return (status, the answer's document) of one submission."""
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key}
        reply = self._app.test_client().post("/v1/verifications", json=document, headers=headers)
        return reply.status_code, json.loads(reply.get_data())


def end_sessions(server, name):
    server.run("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", name)


def test_a_host_acknowledges_nothing_on_an_old_primary_that_came_back(tmp_path):
    with served_by(tmp_path, synchronous_standby_names="*") as (served, pair):
        first = submitted(served, "first")
        other = OtherHost(served, tmp_path / "other", pair.primary, pair.name)
        # The gravest mistakes that can be made here: both promise alone, and nobody fences the old one.
        for server in (pair.primary, pair.standby):
            server.set(synchronous_standby_names="")
        pair.fail_over()
        new, old = pair.primary, pair.standby
        second = submitted(served, "second")
        old.start()
        end_sessions(new, pair.name)
        size = other.service.log_store.head(RECORDS).size
        # The old one stands first in the URL, and takes writes.
        assert refused(served, "third").startswith("The record log")
        assert other.service.log_store.head(RECORDS).size == size
        assert "It was set back" in refused_at_start(served)
        # A host that never saw the new primary goes on with the old one: one host's marks say nothing to another.
        for number in range(15):
            assert other.ask(body(served), f"fork-{number}")[0] == 201
        assert "is not the one that was promised" in refused_at_start(served)
        assert refused(served, "third").startswith("The record log")
        # Fenced at last, the first host goes on by itself where it was.
        other.service.database.dispose()
        old.kill()
        for key, reply in (first | second).items():
            assert served.ask("POST", "/v1/verifications", body(served), key) == (201, reply)
        submitted(served, "third")
        served.stop()
        whole(served.service())


def refused_at_start(served):
    service = served.service()
    with pytest.raises(LogRefused) as refusal:
        service.check_logs()
    service.database.dispose()
    return refusal.value.diagnosis


def refused(served, key):
    status, said = served.ask("POST", "/v1/verifications", body(served), key)
    assert status == 503, said
    return json.loads(said)["title"]


def test_an_old_primary_without_its_standby_acknowledges_nothing_to_any_host(tmp_path):
    with served_by(tmp_path, synchronous_standby_names="*") as (served, pair), ThreadPoolExecutor(1) as pool:
        submitted(served, "first")
        other = OtherHost(served, tmp_path / "other", pair.primary, pair.name)
        pair.fail_over()
        pair.standby.start()
        waiting = pool.submit(other.ask, body(served), "fork")
        with pytest.raises(NotYet):
            waiting.result(8)
        assert pair.standby.value("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") == 1
        pair.standby.kill()
        assert waiting.result(30)[0] == 503
        pair.standby.follow(pair.primary)
        again = submitted(served, "second")
        assert len(again) == 10
        served.stop()
        whole(served.service())
        other.service.database.dispose()
