"""Lose the primary and go on with its standby: what was acknowledged is there, or the service refuses to go on."""

from __future__ import annotations

import contextlib

import pytest

from tests.fault.test_killed import Crowd, check
from tests.postgresql import PostgreSQL
from tests.served import Served

pytestmark = pytest.mark.long
SUBMISSIONS = 400
FAILOVERS = 3


class Pair:
    """A primary and its standby, which change places."""

    def __init__(self, **settings):
        self.primary, self.standby = PostgreSQL(), PostgreSQL()
        self.name = self.primary.create().partition("?")[0].rpartition("/")[2]
        self.url = f"postgresql://postgres@/{self.name}?host={self.primary.directory},{self.standby.directory}"
        self.standby.follow(self.primary)
        self.primary.set(**settings)
        self.standby.set(**settings)

    def fail_over(self):
        """Kill the primary and promote the standby."""
        self.primary.kill()
        self.primary, self.standby = self.standby, self.primary
        self.primary.promote()

    def stop(self):
        self.primary.stop()
        self.standby.stop()


@contextlib.contextmanager
def served_by(tmp_path, **settings):
    """Yield a service on both hosts of a pair with these settings of PostgreSQL, and the pair."""
    pair = Pair(**settings)
    try:
        served = Served(tmp_path / "home", pair.url, VERIFY_WORKERS="2", VERIFY_THREADS="8")
        served.start()
        try:
            yield served, pair
        finally:
            served.stop()
    finally:
        pair.stop()


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
