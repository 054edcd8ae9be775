"""An auditor asks who looked at this, and what this person looked at; asking is on record too."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, update

from tests.deployment import loaded
from tests.service.test_expunge import audited, expunged
from tests.service.test_reading import access_events
from verify_service.storage.tables import access_trail
from verify_service.web import examples


@pytest.fixture
def mine(deployment, known):
    return loaded(deployment.submit("DHS-ICE", known()))


def asked(deployment, query="", role="auditor", **options):
    reply = deployment.get(f"/v1/access-events{query and '?'}{query}", role, **options)
    assert reply.status_code == 200, reply.get_data()
    return loaded(reply)


def told(page):
    return [(e["kind"], e["actor"]["serial"], e["body"]["operation"]) for e in page["events"]]


@pytest.fixture
def looked(deployment, mine):
    """An officer reads, lists and takes a record; a supervisor searches and reads; strangers are refused."""
    path = f"/v1/verifications/{mine['id']}"
    other = loaded(deployment.submit(agent_label="Agent 3"))
    for _ in range(2):
        deployment.get(path)
    deployment.get("/v1/verifications?agency=DHS-ICE")
    deployment.get(f"{path}/events/0/record")
    deployment.client.post("/v1/verifications/search", json={}, headers=deployment.bearer("supervisor"))
    deployment.get(path, "supervisor")
    deployment.get(path, serial="40117")
    deployment.get(path, "operator")
    deployment.get(f"/v1/verifications/{other['id']}", "supervisor")
    return other


def test_who_looked_at_this(deployment, mine, looked):
    assert told(asked(deployment, f"verification={mine['id']}")) == [
        ("refused", "60001", "getVerification"),
        ("refused", "40117", "getVerification"),
        ("read", "27415", "getVerification"),
        ("searched", "27415", "searchVerifications"),
        ("read", "38211", "getVerificationRecord"),
        ("listed", "38211", "listVerifications"),
        ("read", "38211", "getVerification"),
    ]


def test_what_did_this_person_look_at(deployment, mine, looked):
    page = asked(deployment, "person=27415")
    assert told(page) == [
        ("read", "27415", "getVerification"),
        ("read", "27415", "getVerification"),
        ("searched", "27415", "searchVerifications"),
    ]
    assert [e["body"].get("object") for e in page["events"]] == [
        f"verification:{looked['id']}",
        f"verification:{mine['id']}",
        None,
    ]
    assert page["events"][0]["log"]["origin"] == "logs.example/log/LAPD/access"


def test_who_looked_at_an_incident_by_its_number_or_its_id(deployment, mine):
    deployment.get("/v1/incidents/261124001234")
    deployment.get("/v1/incidents/261124001234", serial="40117")
    deployment.get(f"/v1/incidents/{mine['incident']['id']}", serial="40118")
    both = [("refused", "40118", "getIncident"), ("refused", "40117", "getIncident"), ("read", "38211", "getIncident")]
    for name in ("261124001234", mine["incident"]["id"]):
        assert told(asked(deployment, f"incident={name}")) == both
    assert told(asked(deployment, "incident=999")) == []


def test_asking_is_an_event_that_names_what_was_shown(deployment, mine):
    deployment.get(f"/v1/verifications/{mine['id']}")
    asked(deployment, "person=38211")
    assert access_events(deployment)[-1]["body"] == {
        "operation": "listAccessEvents",
        "criteria": {"person": "38211"},
        "ids": ["access-event:access/0"],
        "address": "127.0.0.1",
    }
    assert told(asked(deployment, "person=10007")) == [("listed", "10007", "listAccessEvents")]


def test_pages_follow_each_other_without_gap_or_repeat(deployment, mine, looked):
    whole = asked(deployment, "limit=100")["events"]
    seen, after = [], ""
    while after is not None:
        page = asked(deployment, f"limit=2{after and f'&after={after}'}")
        seen += page["events"]
        after = page["next"]
    # The first page of these shows one event more: that the whole was asked for.
    assert seen[1:] == whole
    assert len(whole) == 8


def test_nobody_else_asks_and_another_department_sees_nothing(deployment, mine):
    deployment.get(f"/v1/verifications/{mine['id']}")
    for role in ("officer", "dispatcher", "supervisor", "partner", "operator"):
        assert deployment.get("/v1/access-events", role).status_code == 403
    assert asked(deployment, f"verification={mine['id']}", department="SFPD")["events"] == []


def test_one_thing_is_asked_at_a_time(deployment, mine):
    reply = deployment.get(f"/v1/access-events?person=38211&verification={mine['id']}", "auditor")
    assert (reply.status_code, loaded(reply)["errors"][0]["parameter"]) == (422, "verification")


def test_nothing_is_told_where_the_asking_cannot_be_written(deployment, mine):
    deployment.get(f"/v1/verifications/{mine['id']}")
    mark = deployment.service.high_water(deployment.service.logs.access("LAPD").log)
    mark.path.rename(mark.path.with_suffix(".gone"))
    reply = deployment.get("/v1/access-events", "auditor")
    assert reply.status_code >= 500
    assert "38211" not in reply.get_data(as_text=True)


def test_who_looked_at_what_was_destroyed_is_still_told(deployment, mine):
    deployment.get(f"/v1/verifications/{mine['id']}")
    expunged(deployment, mine["id"])
    assert ("read", "38211", "getVerification") in told(asked(deployment, f"verification={mine['id']}"))


def test_the_receipts_page_leaves_no_event(deployment, mine):
    for path in ("", "/statement", "/proof", "/qr"):
        deployment.client.get(f"{mine['requester_receipt']}{path}")
    assert access_events(deployment) == []


def test_a_review_is_signed_off_once_and_found(deployment, mine):
    review = {**examples.ACCESS_REVIEWS["of a week"], "finding": "passed_on", "note": "Told Internal Affairs."}
    signed = [deployment.post("/v1/access-reviews", review, "auditor", key="k1") for _ in range(2)]
    assert {reply.status_code for reply in signed} == {201}
    assert signed[0].get_data() == signed[1].get_data()
    assert deployment.post("/v1/access-reviews", {**review, "note": "x"}, "auditor", key="k1").status_code == 422
    (event,) = asked(deployment, "act=signOffAccessReview")["events"]
    assert (event["kind"], event["actor"]["serial"]) == ("acted", "10007")
    assert event["body"]["detail"] == {
        "reviewed_from": "2026-11-16T08:00:00.000Z",
        "reviewed_until": "2026-11-23T08:00:00.000Z",
        "finding": "passed_on",
        "note": event["body"]["detail"]["note"],
    }
    assert len(event["body"]["detail"]["note"]) == 64
    assert "Internal" not in str(access_events(deployment))


@pytest.mark.parametrize("until", ["2026-11-16T00:00:00-08:00", "2036-11-16T00:00:00-08:00"])
def test_a_review_is_of_a_time_that_has_passed(deployment, until):
    review = {**examples.ACCESS_REVIEWS["of a week"], "reviewed_until": until}
    reply = deployment.post("/v1/access-reviews", review, "auditor")
    assert (reply.status_code, loaded(reply)["errors"][0]["pointer"]) == (422, "/reviewed_until")


@pytest.mark.parametrize("tampered", [delete(access_trail), update(access_trail).values(idx=1)])
def test_a_trail_that_was_altered_is_a_fault_and_is_made_anew(deployment, mine, looked, tampered):
    before = asked(deployment, "person=38211")
    assert audited(deployment).ok, audited(deployment).sentences()
    with deployment.service.database.write() as connection:
        connection.execute(tampered)
    (fault,) = [f for f in audited(deployment).faults if f.log == "LAPD/access"]
    assert fault.sentence == "what its access events are found by is not what they say"
    deployment.service.rebuild("LAPD", lambda *_: None)
    assert audited(deployment).ok, audited(deployment).sentences()
    assert asked(deployment, "person=38211") == before


def test_asking_takes_a_recent_and_strong_sign_in_and_its_lack_is_on_record(deployment, mine):
    refused = deployment.get("/v1/access-events", "auditor", acr="pwd")
    assert refused.status_code == 401
    assert "insufficient_user_authentication" in refused.headers["WWW-Authenticate"]
    (event,) = asked(deployment)["events"]
    assert (event["kind"], event["body"]["reason"]) == ("refused", "not_authenticated")
