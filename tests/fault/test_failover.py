"""Lose the primary and go on with its standby: what was acknowledged is there, or the service refuses to go on."""

from __future__ import annotations

import json

import pytest

from tests.fault.pair import body, index, missing_of, origin, served_by, submitted, whole
from tests.fault.test_killed import Crowd, check
from verify_service.cli.database import succeed
from verify_service.errors import LogRefused

pytestmark = pytest.mark.long
SUBMISSIONS = 400
FAILOVERS = 3


def test_failovers_to_a_synchronous_standby_lose_nothing_that_was_acknowledged(tmp_path):
    with served_by(tmp_path, synchronous_standby_names="*") as (served, pair):
        crowd = Crowd(served, SUBMISSIONS)
        crowd.start()
        for failover in range(1, FAILOVERS + 1):
            crowd.wait_for(failover * SUBMISSIONS // (FAILOVERS + 1))
            assert pair.primary.value("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == 1
            pair.fail_over()
            pair.standby.follow(pair.primary)
        crowd.join()
        check(served, crowd, SUBMISSIONS)


def test_a_standby_that_was_behind_is_refused_and_the_log_goes_on_as_a_successor(tmp_path):
    with served_by(tmp_path, synchronous_standby_names="*") as (served, pair):
        kept = submitted(served, "kept")
        # What Patroni does without its strict mode, once no standby is left: the primary promises alone.
        pair.standby.kill()
        pair.primary.set(synchronous_standby_names="")
        lost = submitted(served, "lost")
        pair.fail_over()
        pair.primary.set(synchronous_standby_names="")
        for key in (*kept, *lost, "new"):
            status, said = served.ask("POST", "/v1/verifications", body(served), key)
            assert (status, json.loads(said)["title"]) == (503, "The record log must not be continued")
        assert served.ask("GET", "/readyz")[0] == 503
        served.stop()
        service = served.service()
        with pytest.raises(LogRefused, match="It was set back: restore the newest backup"):
            service.check_logs()
        missing = missing_of(service)
        assert all(index(reply) < missing.start for reply in kept.values())
        assert all(index(reply) in missing for reply in lost.values())
        (done,) = succeed(service, "LAPD", None, "Primary lost", compromised=False, checkpoint=None).document[
            "succeeded"
        ]
        assert done["lost"] == [missing[0], missing[-1]]
        service.database.dispose()
        served.start()
        for key, reply in kept.items():
            assert served.ask("POST", "/v1/verifications", body(served), key) == (201, reply)
        for key, reply in lost.items():
            status, anew = served.ask("POST", "/v1/verifications", body(served), key)
            assert (status, origin(anew)) == (201, origin(reply) + "-2")
        served.stop()
        whole(served.service())
