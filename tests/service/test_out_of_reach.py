"""Nothing tells another's verification or incident from one that does not exist: no query, and no time."""

from __future__ import annotations

import re
import statistics
import time

import pytest
from sqlalchemy import event

from tests.deployment import loaded

MISSING = "0193a000-0000-7000-8000-000000000001"
PAIRS = 2000
STRANGERS = {
    "officer": ("officer", {"serial": "40117"}),
    "supervisor": ("supervisor", {"command": "Harbor Area"}),
    "auditor of another department": ("auditor", {"department": "SFPD"}),
}
# A search for what is asked: the statement's text is the same, and only the name in it differs.
NAMES = re.compile(r"'[0-9a-f]{8}-[0-9a-f-]{27}'|'(verification|incident):[0-9a-f-]{36}'")


@pytest.fixture
def paths(deployment, known):
    """Each address with another's and with a missing object."""
    mine = loaded(deployment.submit("DHS-ICE", known()))
    deployment.follow(mine, "interrupted", interrupted={"reason": "other"})
    verifications = ["/v1/verifications/{}", "/v1/verifications/{}/events/0/receipt"]
    incidents = ["/v1/incidents/{}", "/v1/incidents/{}/events/0/record"]
    return [
        *((path.format(mine["id"]), path.format(MISSING)) for path in verifications),
        *((path.format(mine["incident"]["id"]), path.format(MISSING)) for path in incidents),
        ("/v1/incidents/261124001234", "/v1/incidents/261124009999"),
    ]


def statements(deployment, path, header):
    """Return what SQLite was asked while a path was, its parameters filled in."""
    database, asked = deployment.service.database, []
    database.dispose()
    event.listen(database.engine, "connect", lambda driver, _: driver.set_trace_callback(asked.append))
    assert deployment.client.get(path, headers=header).status_code == 404
    database.dispose()
    return [NAMES.sub("?", text) for text in asked if not text.startswith("PRAGMA")]


@pytest.mark.parametrize("home_and_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("stranger", STRANGERS)
def test_the_same_is_asked_of_the_database(deployment, paths, stranger):
    role, options = STRANGERS[stranger]
    header = deployment.bearer(role, **options)
    # Past the eighth nothing is written, so that what is left is the look-up alone.
    for _ in range(8):
        for pair in paths:
            for path in pair:
                deployment.client.get(path, headers=header)
    for theirs, missing in paths:
        found = statements(deployment, theirs, header)
        assert found == [
            text.replace("261124009999", "261124001234") for text in statements(deployment, missing, header)
        ]
        assert len(found) == 2


@pytest.mark.long
@pytest.mark.parametrize("stranger", STRANGERS)
def test_it_takes_the_same_time(deployment, paths, stranger):
    role, options = STRANGERS[stranger]
    header = deployment.bearer(role, **options)
    for pair in paths:
        took = ([], [])
        for place in range(PAIRS + 20):
            # Each goes first as often as the other.
            for which in (place % 2, 1 - place % 2):
                began = time.perf_counter()
                status = deployment.client.get(pair[which], headers=header).status_code
                took[which].append(time.perf_counter() - began)
                assert status == 404
        theirs, missing = (statistics.median(times[20:]) for times in took)
        assert 0.95 < theirs / missing < 1.05, (pair[0], theirs, missing)
