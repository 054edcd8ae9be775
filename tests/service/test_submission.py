"""A claim over HTTP: checked, recorded, answered, proved."""

from __future__ import annotations

import json
import threading

import pytest

from tests.deployment import claim, loaded
from tests.unit.test_record_vectors import check_schema
from verify_service.record_log.receipt import verify_receipt


def test_an_answer_has_everything_and_its_record_is_proved(deployment, known):
    reply = deployment.submit("DHS-ICE", f" {known().lower()[:2]}-{known().lower()[2:]} ", note="Badge on the vest.")
    answer = loaded(reply)
    assert reply.status_code == 201
    assert reply.headers["Location"] == f"/v1/verifications/{answer['id']}"
    assert answer["outcome"] == answer["computed_outcome"] == "identifier_listed"
    assert answer["explanation"].startswith(
        "Listed active in DHS-ICE's roster as of 23 Nov 21:04; no newer roster known"
    )
    (check,) = answer["registry_checks"]
    assert (check["agency"], check["result"], check["enrolment_level"]) == ("DHS-ICE", "match_active", 4)
    assert len(answer["checklist"]["items"]) == 26
    assert answer["checklist"]["approval"] == "draft, not reviewed by counsel"
    assert answer["requester_receipt"].startswith("/r/")
    assert answer["synthetic"] is True
    (event,) = answer["events"]
    record, receipt = (deployment.get(event[name]).get_data() for name in ("record", "receipt"))
    proved = verify_receipt(receipt.decode(), record, deployment.service.policy())
    assert (proved.checkpoint.origin, event["log"]["origin"]) == ("logs.example/log/LAPD/records",) * 2
    document = json.loads(record)
    assert document["body"]["computed"]["explanation"] == answer["explanation"]
    assert document["rules"]["checklist"]["sha256"] == answer["checklist"]["sha256"]
    assert document["outcome_after"] == "identifier_listed"


def test_every_record_is_closed_and_none_holds_what_must_not_be_in_it(deployment, known):
    photo = {"result": "matches", "face_seen": True, "credential_number_matches": True}
    deployment.submit("DHS-ICE", known(), note="He wore a vest marked POLICE.", photo_credential=photo)
    deployment.submit("none_stated", "77777")
    deployment.submit()
    log = deployment.service.logs.records("LAPD")
    head = deployment.service.log_store.head(log.log)
    for index in range(head.size):
        record, _ = log.record(index)
        check_schema(record.decode())
        for secret in (known(), "77777", "vest marked"):
            assert secret not in record.decode()
    kinds = [json.loads(log.record(i)[0]).get("kind", "statement") for i in range(head.size)]
    assert kinds == [
        *("incident_opened", "submitted", "photo_credential_compared", "statement"),
        *("submitted", "statement"),
        *("submitted", "statement"),
    ]


def test_what_is_sealed_opens_to_what_was_typed(deployment, known):
    answer = loaded(deployment.submit("DHS-ICE", f"  {known()}  ", note="A note."))
    log, index = deployment.service.logs.locate("LAPD", f"verification:{answer['id']}", 0)
    record, fields = log.record(index)
    told = json.loads(record)["body"]["told_by_agent"]["identifier"]
    assert fields[told["typed"]].value == f"  {known()}  "
    assert fields[told["canonical"]].value == known()
    tags = fields[json.loads(record)["body"]["computed"]["tags"]].value
    key = deployment.service.blinding_keys.held("LAPD", "DHS-ICE", tags["DHS-ICE"]["epoch"])
    assert key.epoch == tags["DHS-ICE"]["epoch"]


def test_a_retry_gets_the_same_bytes_and_records_nothing(deployment, known):
    first = deployment.submit("DHS-ICE", known(), key="key-1")
    deployment.clock.advance(minutes=3)
    again = deployment.submit("DHS-ICE", known(), key="key-1")
    assert (again.status_code, again.get_data(), again.headers["Location"]) == (
        201,
        first.get_data(),
        first.headers["Location"],
    )
    assert len(loaded(deployment.get("/v1/verifications"))["verifications"]) == 1
    other = deployment.submit("DHS-ICE", known(), key="key-1", agent_label="Agent 3")
    assert (other.status_code, loaded(other)["type"].rpartition("/")[2]) == (422, "idempotency_key_reused")
    assert deployment.submit("DHS-ICE", known(), key="key-1", serial="40117").status_code == 201


def test_a_retry_shows_the_checklist_as_it_was_answered_then(deployment, known):
    first = deployment.submit("DHS-ICE", known(), key="key-1")
    answered = {"kind": "checklist_answered", "checklist_answered": {"item": "bwv-on", "answer": "done"}}
    assert deployment.post("/v1/incidents/261124001234/events", answered).status_code == 201
    assert deployment.submit("DHS-ICE", known(), key="key-1").get_data() == first.get_data()
    later = loaded(deployment.submit("DHS-ICE", known()))
    items = {item["id"]: item["answer"] for item in later["checklist"]["items"]}
    assert items["bwv-on"]["answer"] == "done"


def test_no_key_is_refused_before_anything_is_recorded(deployment, known):
    reply = deployment.client.post("/v1/verifications", json=claim("DHS-ICE", known()), headers=deployment.bearer())
    assert (reply.status_code, loaded(reply)["type"].rpartition("/")[2]) == (400, "idempotency_key_missing")
    assert deployment.service.log_store.head(deployment.service.logs.records("LAPD").log).size == 0


def test_duplicates_at_the_same_moment_are_recorded_once(deployment, known):
    replies = []
    threads = [
        threading.Thread(target=lambda: replies.append(deployment.submit("DHS-ICE", known(), key="same").get_data()))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(replies) == 6
    assert len(set(replies)) == 1
    assert len(loaded(deployment.get("/v1/verifications"))["verifications"]) == 1


@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        (claim("DHS-ICX", "12345"), "/agent/claimed_agency", "not in the registry"),
        (claim("DHS-ICE", "1234\u0410"), "/identifier/value", "CYRILLIC CAPITAL LETTER A"),
        (claim("DHS-ICE", "1234567"), "/identifier/value", "does not look like a number of that agency"),
        (claim("DHS-ICE") | {"identification": "presented"}, "/identifier", "needs the identifier"),
        (claim("DHS-ICE", "12345") | {"identification": "declined"}, "/identifier", "no identifier is sent"),
        (claim("DHS-ICE", "12345", photo_credential={"result": "matches"}), "/photo_credential/face_seen", "uncovered"),
        (
            claim("DHS-ICE", "12345", photo_credential={"result": "matches", "face_seen": True}),
            "/photo_credential/credential_number_matches",
            "same number",
        ),
        (claim() | {"relayed_by": "40117"}, "/relayed_by", "Only a dispatcher"),
        (claim() | {"requested_by": "Maria"}, "/requested_by", "person_subject_to_enforcement"),
        (claim() | {"status": "undocumented"}, "/status", "not known here"),
        (claim() | {"note": "x" * 281}, "/note", "280"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_place(deployment, body, pointer, words):
    reply = deployment.post("/v1/verifications", body)
    problem = loaded(reply)
    assert reply.status_code == 422
    (error,) = problem["errors"]
    assert error["pointer"] == pointer
    assert words in error["detail"]
    assert deployment.service.log_store.head(deployment.service.logs.records("LAPD").log).size == 0


def test_a_provisional_incident_gets_its_number_later(deployment, known):
    answer = loaded(deployment.submit("DHS-ICE", known(), incident_number=None))
    incident = answer["incident"]
    assert incident["number"] is None
    path = f"/v1/incidents/{incident['id']}"
    second = loaded(deployment.submit("DHS-ICE", known(), incident_number=None, incident_id=incident["id"]))
    assert second["incident"]["id"] == incident["id"]
    numbered = {"kind": "number_assigned", "number_assigned": {"number": "261124005678"}}
    assert loaded(deployment.post(f"{path}/events", numbered))["number"] == "261124005678"
    assert len(loaded(deployment.get("/v1/incidents/261124005678"))["verifications"]) == 2
    third = loaded(deployment.submit("DHS-ICE", known(), incident_number="261124005678"))
    assert third["incident"]["id"] == incident["id"]
    taken = loaded(deployment.submit("DHS-ICE", known(), incident_number=None))
    again = deployment.post(f"/v1/incidents/{taken['incident']['id']}/events", numbered)
    assert (again.status_code, loaded(again)["errors"][0]["detail"]) == (422, "Another incident has this number.")


def test_an_incident_id_that_is_unknown_is_not_found(deployment):
    reply = deployment.submit(incident_number=None, incident_id="0193a000-0000-7000-8000-000000000001")
    assert reply.status_code == 404


def test_a_dispatcher_enters_what_an_officer_radios(deployment, known):
    answer = loaded(deployment.submit("DHS-ICE", known(), role="dispatcher", relayed_by="38211"))
    record = loaded(deployment.get(answer["events"][0]["record"]))
    assert record["relayed_by"] == "38211"
    assert record["body"]["observed"] is None
    assert record["body"]["relayed"]["observed"]["identification"] == "presented"
    assert record["actor"]["role"] == "dispatcher"


def test_a_stale_registry_answers_and_says_so(deployment, known):
    deployment.clock.advance(hours=80)
    answer = loaded(deployment.submit("DHS-ICE", known()))
    assert answer["outcome"] == "inconclusive"
    assert "went out of date" in answer["explanation"]


def test_a_note_that_says_what_is_never_kept_is_refused_and_nothing_of_it_is_kept(deployment, caplog):
    reply = deployment.submit(note="Qw7tXz9pLm says he is undocumented", key="once")
    assert reply.status_code == 422
    (error,) = loaded(reply)["errors"]
    assert error["pointer"] == "/note"
    assert "immigration or citizenship status, which is never kept. Nothing was recorded" in error["detail"]
    assert b"Qw7tXz9pLm" not in reply.get_data()
    assert "Qw7tXz9pLm" not in caplog.text
    assert deployment.submit(note="Says no more", key="once").status_code == 201
    home = deployment.service.settings.home
    assert not [path for path in home.rglob("*") if path.is_file() and b"Qw7tXz9pLm" in path.read_bytes()]
