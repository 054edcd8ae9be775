"""Swap editions under load, with real server and ingest processes: no request fails, and none sees two editions."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading

import pytest

from tests.deployment import claim
from tests.served import Served

ICE, CBP = "DHS-ICE", "DHS-CBP"
CLIENTS, EDITIONS = 4, 12


@pytest.fixture
def served(database, tmp_path):
    url = database.engine.url.set(drivername="sqlite" if database.is_sqlite else "postgresql")
    text = url.render_as_string(hide_password=False)
    served = Served(tmp_path / "home", text, VERIFY_WORKERS="2", VERIFY_THREADS="4")
    yield served.start()
    served.stop()


def ingest(served):
    environment = {**{n: v for n, v in os.environ.items() if not n.startswith("VERIFY_")}, **served.environment}
    command = [sys.executable, "-m", "verify_service.cli", "ingest", "--json"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    (cycle,) = json.loads(ran.stdout)["cycles"]
    assert (cycle["refused"], cycle["held"]) == ([], [])
    return cycle["edition"]


@pytest.mark.long
def test_requests_during_swaps_meet_no_error_and_one_edition_each(served):
    number = served.sample.shared()
    body = claim(ICE, number.value)
    body["agent"] |= {"home_agency": CBP}
    ended, answers, keys = threading.Event(), [], itertools.count()

    def ask():
        while not ended.is_set():
            answers.append(served.ask("POST", "/v1/verifications", body, f"swap-{next(keys)}"))

    officers = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for officer in officers:
        officer.start()
    try:
        # Both rosters change together, so that answers from two editions would differ from each other.
        for status in itertools.islice(itertools.cycle(("suspended", "active")), EDITIONS):
            for agency in (ICE, CBP):
                served.sample.publisher.agency(agency, served.sample.next_roster(agency, number, status=status))
            served.sample.release()
            newest = ingest(served)
    finally:
        ended.set()
        for officer in officers:
            officer.join()
    assert newest == EDITIONS + 1
    assert {status for status, _ in answers} == {201}
    rosters = {}
    for _, reply in answers:
        ice, cbp = sorted(json.loads(reply)["registry_checks"], key=lambda check: check["agency"], reverse=True)
        assert (ice["agency"], cbp["agency"]) == (ICE, CBP)
        assert (ice["edition"], ice["metadata"]["timestamp"]) == (cbp["edition"], cbp["metadata"]["timestamp"])
        expected = "match_active" if ice["edition"] % 2 else "match_inactive"
        assert (ice["result"], cbp["result"]) == (expected, expected)
        rosters.setdefault(ice["edition"], set()).add((ice["roster_sha256"], cbp["roster_sha256"]))
    assert len(rosters) > EDITIONS // 2
    assert all(len(pairs) == 1 for pairs in rosters.values())
