"""The holds in force are listed with ground and reference, for those who may see what is held."""

from __future__ import annotations

import pytest

from tests.deployment import loaded
from verify_service.access.reading import Criteria
from verify_service.access.visibility import Visibility

CLAIM = {"ground": "Claim", "reference": "C-1"}
REQUEST = {"ground": "Records request", "reference": None}
ELSEWHERE = {"serial": "27499", "command": "Harbor Area"}


@pytest.fixture
def other(deployment, known):
    return loaded(deployment.submit("DHS-CBP", known("DHS-CBP"), agent_label="Agent 3"))


def listing(deployment, role="supervisor", query="", **by):
    answer = deployment.get(f"/v1/holds{query}", role, **by)
    assert answer.status_code == 200
    return loaded(answer)


def place(deployment, verification, kind="hold_placed", **part):
    return loaded(deployment.follow(verification, kind, "supervisor", **{kind: part}))


def test_what_is_held_is_listed_with_ground_and_reference_until_it_is_lifted(deployment, listed, other):
    assert listing(deployment) == {"verifications": [], "next": None}
    place(deployment, listed, **CLAIM)
    place(deployment, listed, **REQUEST)
    (held,) = listing(deployment)["verifications"]
    assert (held["id"], held["incident"]["number"]) == (listed["id"], "261124001234")
    assert held["holds"] == [
        {**CLAIM, "placed_at": "2026-11-24T05:18:09.000Z"},
        {**REQUEST, "placed_at": "2026-11-24T05:18:09.000Z"},
    ]
    place(deployment, listed, "hold_lifted", **CLAIM)
    (held,) = listing(deployment, "auditor")["verifications"]
    assert [hold["reference"] for hold in held["holds"]] == [None]
    ((_, case),) = [
        found
        for found in deployment.service.case_reader.page(Visibility("LAPD"), Criteria(), None, None, 9)
        if found[1].id == listed["id"]
    ]
    assert case.holds == (None,)
    place(deployment, listed, "hold_lifted", **REQUEST)
    assert listing(deployment)["verifications"] == []
    place(deployment, listed, **CLAIM)
    assert [len(each["holds"]) for each in listing(deployment)["verifications"]] == [1]


def test_a_fact_holds_by_itself(deployment, listed, other):
    deployment.follow(other, "disputed", "supervisor", disputed={"source": "agency", "statement": None})
    (held,) = listing(deployment)["verifications"]
    assert held["id"] == other["id"]
    assert held["holds"] == [{"ground": "the check was disputed", "reference": None, "placed_at": None}]


def test_pages_go_on_to_the_end(deployment, listed, other):
    for each in (listed, other):
        place(deployment, each, **CLAIM)
    first = listing(deployment, query="?limit=1")
    second = listing(deployment, query=f"?limit=1&after={first['next']}")
    assert [page["verifications"][0]["id"] for page in (first, second)] == [other["id"], listed["id"]]
    assert listing(deployment, query=f"?limit=1&after={second['next']}") == {"verifications": [], "next": None}


def test_the_list_is_on_record_and_shows_only_what_is_theirs(deployment, listed, other):
    place(deployment, listed, **CLAIM)
    assert listing(deployment, **ELSEWHERE)["verifications"] == []
    assert listing(deployment, department="SFPD")["verifications"] == []
    listing(deployment)
    events = [event for event in deployment.accesses() if event["body"].get("operation") == "listHolds"]
    assert [(event["actor"]["serial"], event["body"]["ids"]) for event in events] == [
        ("27499", []),
        ("27415", [listed["id"]]),
    ]
    for role in ("officer", "dispatcher", "operator", "partner"):
        assert deployment.get("/v1/holds", role).status_code == 403
