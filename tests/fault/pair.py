"""Let a service run on a primary and its standby, and ask it as the drills on them do."""

from __future__ import annotations

import contextlib
import json

from tests.deployment import claim
from tests.postgresql import PostgreSQL
from tests.served import Served
from verify_service.cli.database import restore_check
from verify_service.evidence.audit import audit


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
        self.primary.start()
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


def body(served):
    return claim("DHS-ICE", served.sample.known("DHS-ICE").value)


def submitted(served, name, count=10):
    """Submit so many under keys of this name, and return each answer by its key."""
    replies = {}
    for key in (f"{name}-{number}" for number in range(count)):
        status, replies[key] = served.ask("POST", "/v1/verifications", body(served), key)
        assert status == 201, replies[key]
    return replies


def index(reply):
    return json.loads(reply)["events"][0]["log"]["index"]


def origin(reply):
    return json.loads(reply)["events"][0]["log"]["origin"]


def missing_of(service):
    """Return the indexes of records that the command says were promised and are not there."""
    report = restore_check(service)
    (records,) = (log for log in report.document["logs"] if log["log"] == "LAPD/records")
    assert report.failed == (records["missing"] is not None), report.sentences
    first, last = records["missing"] or (0, -1)
    return range(first, last + 1)


def whole(service):
    """See that the audit finds no fault, and close the service's connections."""
    report = audit(service.audit_source(), service.vault, service.marks())
    assert report.ok, report.sentences()
    service.database.dispose()
