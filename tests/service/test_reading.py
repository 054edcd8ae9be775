"""Who reads what, and that it is written down."""

from __future__ import annotations

import json

import pytest

from tests.deployment import loaded
from tests.unit.test_record_vectors import check_schema


@pytest.fixture
def mine(deployment, known):
    return loaded(deployment.submit("DHS-ICE", known()))


def access_events(deployment):
    log = deployment.service.logs.access("LAPD")
    head = deployment.service.log_store.head(log.log)
    records = [log.record(index)[0] for index in range(head.size)]
    for record in records:
        check_schema(record.decode())
    return [json.loads(record) for record in records]


def test_an_officer_reads_their_own_with_the_identifier(deployment, mine, known):
    read = loaded(deployment.get(f"/v1/verifications/{mine['id']}"))
    assert read["identifier"] == {"kind": "badge", "value": known()}
    assert read["events"] == mine["events"]
    assert {name: read[name] for name in ("outcome", "explanation", "registry_checks", "checklist")} == {
        name: mine[name] for name in ("outcome", "explanation", "registry_checks", "checklist")
    }


@pytest.mark.parametrize("path", ["", "/events/0/record", "/events/0/receipt"])
def test_anothers_reads_as_missing(deployment, mine, path):
    theirs = deployment.get(f"/v1/verifications/{mine['id']}{path}", serial="40117")
    missing = deployment.get(f"/v1/verifications/0193a000-0000-7000-8000-000000000001{path}", serial="40117")
    assert (theirs.status_code, theirs.get_data()) == (404, missing.get_data())
    for role, options in (("supervisor", {"command": "Harbor Area"}), ("officer", {"department": "SFPD"})):
        assert deployment.get(f"/v1/verifications/{mine['id']}{path}", role, **options).status_code == 404
    for role in ("officer", "supervisor", "auditor"):
        assert deployment.get(f"/v1/verifications/{mine['id']}{path}", role).status_code == 200


def test_a_partner_and_an_operator_read_no_cases(deployment, mine):
    for role in ("partner", "operator"):
        assert deployment.get(f"/v1/verifications/{mine['id']}", role).status_code == 403


def test_whoever_enters_the_incidents_number_is_on_it(deployment, mine):
    assert deployment.get(f"/v1/verifications/{mine['id']}", serial="40117").status_code == 404
    by_id = deployment.enter(mine["incident"]["id"], "officer", serial="40117")
    assert by_id.status_code == 404
    assert deployment.enter("261124001234", "officer", serial="40117").status_code == 201
    assert deployment.get(f"/v1/verifications/{mine['id']}", serial="40117").status_code == 200
    assert deployment.enter("261124001234", "officer", serial="40117").status_code == 422
    assert deployment.enter("999", "officer", serial="40117").status_code == 404


def test_the_first_read_of_a_version_is_one_event_and_a_304_is_none(deployment, mine):
    path = f"/v1/verifications/{mine['id']}"
    first = deployment.get(path)
    deployment.get(path)
    unchanged = deployment.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (unchanged.status_code, unchanged.headers["ETag"]) == (304, first.headers["ETag"])
    events = access_events(deployment)
    assert [(e["kind"], e["body"]["object"], e["actor"]["serial"]) for e in events] == [
        ("read", f"verification:{mine['id']}", "38211")
    ]
    deployment.follow(mine, "interrupted", interrupted={"reason": "other"})
    assert deployment.get(path, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200
    deployment.get(path, "auditor")
    assert [e["body"]["version"] for e in access_events(deployment)] == ["1.1", "2.1", "2.1"]


def test_a_refusal_is_an_event_of_whom_it_was_refused_to(deployment, mine):
    path = f"/v1/verifications/{mine['id']}"
    assert deployment.get(path, serial="40117").status_code == 404
    assert deployment.get(path, "operator").status_code == 403
    assert deployment.enter("999", "officer", serial="40117").status_code == 404
    assert deployment.get("/v1/expunge-orders/none", "auditor").status_code == 404
    assert deployment.client.get(path).status_code == 401
    assert [
        (e["kind"], e["actor"]["serial"], e["body"]["operation"], e["body"]["object"], e["body"]["reason"])
        for e in access_events(deployment)
    ] == [
        ("refused", "40117", "getVerification", f"verification:{mine['id']}", "not_found"),
        ("refused", "60001", "getVerification", f"verification:{mine['id']}", "not_allowed"),
        ("refused", "40117", "addIncidentEvent", "incident:999", "not_found"),
        ("refused", "10007", "getExpungeOrder", "expunge-order:none", "not_found"),
    ]
    assert {e["body"]["address"] for e in access_events(deployment)} == {"127.0.0.1"}


def test_an_address_too_long_for_an_event_is_cut(deployment):
    assert deployment.get(f"/v1/verifications/{'x' * 4000}").status_code == 404
    (event,) = access_events(deployment)
    assert event["body"]["object"] == f"verification:{'x' * 115}"


def test_reading_an_order_is_an_event_once_for_each_state_of_it(deployment, mine):
    order = {"ground": "Court order", "reference": "BH-2026-2", "verifications": [mine["id"]]}
    made = loaded(deployment.post("/v1/expunge-orders", order, "supervisor"))
    for _ in range(2):
        assert deployment.get(f"/v1/expunge-orders/{made['id']}", "auditor").status_code == 200
    (event,) = access_events(deployment)
    assert (event["kind"], event["body"]["object"], event["body"]["version"]) == (
        "read",
        f"expunge-order:{made['id']}",
        "ordered",
    )


def test_a_list_is_one_event_with_the_ids_returned(deployment, mine, known):
    second = loaded(deployment.submit("DHS-CBP", known(status="absent"), agent_label="Agent 3"))
    listed = loaded(deployment.get("/v1/verifications?agency=DHS-CBP"))
    assert [v["id"] for v in listed["verifications"]] == [second["id"]]
    (event,) = access_events(deployment)
    assert (event["kind"], event["body"]["criteria"], event["body"]["ids"]) == (
        "listed",
        {"agency": "DHS-CBP"},
        [second["id"]],
    )


def test_pages_follow_each_other_without_gap_or_repeat(deployment, known):
    made = [loaded(deployment.submit("DHS-ICE", known(), agent_label=f"Agent {n}"))["id"] for n in range(7)]
    seen, after = [], ""
    while after is not None:
        page = loaded(deployment.get(f"/v1/verifications?limit=3{after and f'&after={after}'}"))
        seen += [verification["id"] for verification in page["verifications"]]
        after = page["next"]
    assert seen == made[::-1]


def test_a_search_by_identifier_finds_it_and_keeps_it_sealed(deployment, mine, known):
    deployment.submit("DHS-ICE", known(status="absent"))
    search = {"identifier": {"kind": "badge", "value": f" {known()} "}}
    headers = deployment.bearer("supervisor")
    found = loaded(deployment.client.post("/v1/verifications/search", json=search, headers=headers))
    assert [verification["id"] for verification in found["verifications"]] == [mine["id"]]
    (event,) = access_events(deployment)
    assert event["kind"] == "searched"
    assert known() not in json.dumps(event)
    assert len(event["body"]["identifier"]) == 64
    assert deployment.client.get("/v1/verifications/search", headers=headers).status_code in {404, 405}


def test_a_corrected_number_is_found_by_both(deployment, known):
    answer = loaded(deployment.submit("DHS-ICE", known(status="absent")))
    facts = {"identifier": {"kind": "badge", "value": known()}}
    deployment.follow(answer, "corrected", corrected={"corrects_seq": 0, "facts": facts})
    for status in ("absent", "active"):
        search = {"identifier": {"kind": "badge", "value": known(status=status)}}
        found = deployment.client.post("/v1/verifications/search", json=search, headers=deployment.bearer())
        assert [verification["id"] for verification in loaded(found)["verifications"]] == [answer["id"]]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("outcome=identifier_listed", 1),
        ("outcome=verified", 0),
        ("officer=38211", 1),
        ("officer=1", 0),
        ("incident=261124001234", 1),
        ("opened_from=2026-11-24T05:00:00Z", 1),
        ("opened_before=2026-11-24T05:00:00Z", 0),
    ],
)
def test_a_list_is_narrowed(deployment, mine, query, count):
    listed = loaded(deployment.get(f"/v1/verifications?{query}", "supervisor"))
    assert len(listed["verifications"]) == count


def test_an_incident_shows_its_agents_facts_and_checklist(deployment, mine):
    path = "/v1/incidents/261124001234"
    for event in (
        {"kind": "scene_facts", "scene_facts": {"agents_present": 6, "place_type": "street", "person_removed": True}},
        {"kind": "corrected", "corrected": {"corrects_seq": 1, "facts": {"agents_present": 5}}},
        {"kind": "supervisor_requested"},
        {"kind": "supervisor_arrived", "supervisor_arrived": {"at": "2026-11-24T05:40:00Z"}},
        {
            "kind": "checklist_answered",
            "checklist_answered": {
                "item": "force",
                "answer": "done",
                "force": {"seen": "yes", "actions": ["voice", "voice"], "could_not_because": "Held back."},
            },
        },
        {
            "kind": "checklist_answered",
            "checklist_answered": {"item": "callback", "answer": "not_possible", "reason": "No line."},
        },
    ):
        assert deployment.post(f"{path}/events", event).status_code == 201, event
    incident = loaded(deployment.get(path))
    assert incident["agents"] == {"present": 5, "checked": 1}
    assert incident["scene"]["force_seen"] is True
    assert incident["supervisor_arrived_at"] == "2026-11-24T05:40:00.000Z"
    items = {item["id"]: item for item in incident["checklist"]["items"]}
    assert items["report-force"]["applies"]
    assert items["dependents"]["applies"]
    assert items["callback"]["answer"]["answer"] == "not_possible"
    assert "Held back." not in json.dumps(incident)
    assert [event["kind"] for event in incident["events"]] == [
        "incident_opened",
        "scene_facts",
        "corrected",
        "supervisor_requested",
        "supervisor_arrived",
        "checklist_answered",
        "checklist_answered",
    ]
    for event in incident["events"]:
        check_schema(deployment.get(event["record"]).get_data(as_text=True))
        assert deployment.get(event["receipt"]).status_code == 200
    etag = deployment.get(path).headers["ETag"]
    assert deployment.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert deployment.get(path, serial="40117").status_code == 404


@pytest.mark.parametrize(
    ("event", "pointer"),
    [
        ({"kind": "scene_facts", "scene_facts": {}}, "/scene_facts"),
        ({"kind": "scene_facts"}, "/scene_facts"),
        (
            {"kind": "checklist_answered", "checklist_answered": {"item": "none", "answer": "done"}},
            "/checklist_answered/item",
        ),
        (
            {"kind": "checklist_answered", "checklist_answered": {"item": "bwv-on", "answer": "not_possible"}},
            "/checklist_answered/reason",
        ),
        ({"kind": "supervisor_requested", "scene_facts": {"agents_present": 1}}, "/scene_facts"),
    ],
)
def test_a_scene_event_that_is_not_whole_is_refused(deployment, mine, event, pointer):
    reply = deployment.post("/v1/incidents/261124001234/events", event)
    assert (reply.status_code, loaded(reply)["errors"][0]["pointer"]) == (422, pointer)


def test_a_request_is_not_answered_where_its_access_event_cannot_be_written(deployment, mine):
    mark = deployment.service.high_water(deployment.service.logs.access("LAPD").log)
    mark.path.rename(mark.path.with_suffix(".gone"))
    for options in ({}, {"serial": "40117"}, {"role": "operator"}):
        reply = deployment.get(f"/v1/verifications/{mine['id']}", **options)
        assert reply.status_code >= 500
        assert "outcome" not in loaded(reply)


@pytest.mark.parametrize(
    ("peer", "passed_on", "address"),
    [
        ("127.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("127.0.0.1", "203.0.113.9, 192.0.2.7", "192.0.2.7"),
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("127.0.0.1", "the moon", "127.0.0.1"),
        ("127.0.0.1", None, "127.0.0.1"),
        ("198.51.100.4", "192.0.2.7", "198.51.100.4"),
    ],
)
def test_an_event_says_from_where_as_the_proxy_on_this_host_saw_it(deployment, mine, peer, passed_on, address):
    headers = {} if passed_on is None else {"X-Forwarded-For": passed_on}
    path = f"/v1/verifications/{mine['id']}"
    deployment.client.get(path, headers={**deployment.bearer(), **headers}, environ_overrides={"REMOTE_ADDR": peer})
    (event,) = access_events(deployment)
    assert event["body"]["address"] == address
