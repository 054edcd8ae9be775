"""What follows a submission: the callback's words, photos, corrections, a supervisor's acts, and who may do which."""

from __future__ import annotations

import json

import pytest

from tests.deployment import loaded
from tests.unit.test_record_vectors import check_schema

COMPARED = {"result": "matches", "face_seen": True, "credential_number_matches": True}


def outcome(reply):
    assert reply.status_code == 201, reply.get_data()
    return loaded(reply)["outcome"]


def problem(reply, status, pointer=None):
    assert reply.status_code == status, reply.get_data()
    document = loaded(reply)
    if pointer is not None:
        assert [error["pointer"] for error in document["errors"]] == [pointer]
    return document["detail"]


def heard(deployment, listed, words, said=None, **options):
    callback = {"result": "person_confirmed", "word_id": words["word_id"], "words_heard": said or words["words"]}
    return deployment.follow(listed, "agency_callback", agency_callback=callback, **options)


def test_the_word_verifies_once(deployment, listed, words):
    assert words["held_number"]["number"].startswith("+1")
    assert outcome(heard(deployment, listed, words)) == "verified"
    assert "used before" in problem(heard(deployment, listed, words), 422, "/agency_callback/word_id")


def test_only_a_dispatcher_is_shown_the_words(deployment, listed, words):
    asked = deployment.post(f"/v1/verifications/{listed['id']}/callback-word", {})
    assert "for dispatcher" in problem(asked, 403)
    assert len(words["words"].split()) == 2
    shown = deployment.get(f"/v1/verifications/{listed['id']}").get_data(as_text=True)
    record = deployment.get(f"/v1/verifications/{listed['id']}/events/1/record").get_data(as_text=True)
    assert words["words"] not in shown + record


def test_other_words_are_recorded_use_the_word_up_and_confirm_nothing(deployment, listed, words):
    reply = heard(deployment, listed, words, "maple maple")
    assert outcome(reply) == "identifier_listed"
    record = loaded(deployment.get(loaded(reply)["events"][0]["record"]))
    assert record["body"]["computed"]["words_matched"] is False
    problem(heard(deployment, listed, words), 422, "/agency_callback/word_id")


def test_a_word_holds_five_minutes_from_its_issue_or_from_the_reading_back(deployment, listed, words):
    deployment.clock.advance(minutes=4)
    back = {"word_id": words["word_id"]}
    deployment.follow(listed, "callback_word_read_back", "dispatcher", callback_word_read_back=back)
    deployment.clock.advance(minutes=4, seconds=59)
    assert outcome(heard(deployment, listed, words)) == "verified"


def test_a_word_past_its_time_is_refused(deployment, listed, words):
    deployment.clock.advance(minutes=5, seconds=1)
    assert "past their five minutes" in problem(heard(deployment, listed, words), 422, "/agency_callback/word_id")
    assert loaded(deployment.get(f"/v1/verifications/{listed['id']}"))["outcome"] == "identifier_listed"


def test_words_are_read_back_once_and_in_time(deployment, listed, words):
    back = {"callback_word_read_back": {"word_id": words["word_id"]}}
    assert deployment.follow(listed, "callback_word_read_back", "dispatcher", **back).status_code == 201
    problem(deployment.follow(listed, "callback_word_read_back", "dispatcher", **back), 422)
    later = loaded(deployment.post(f"/v1/verifications/{listed['id']}/callback-word", {}, "dispatcher"))
    deployment.clock.advance(minutes=16)
    back = {"callback_word_read_back": {"word_id": later["word_id"]}}
    problem(deployment.follow(listed, "callback_word_read_back", "dispatcher", **back), 422)


def test_another_verifications_word_and_an_unknown_one_are_refused(deployment, listed, words, known):
    other = loaded(deployment.submit("DHS-ICE", known(), agent_label="Agent 3"))
    assert "No words" in problem(heard(deployment, other, words), 422, "/agency_callback/word_id")
    unknown = {**words, "word_id": words["word_id"][:-4] + "0000"}
    problem(heard(deployment, listed, unknown), 422, "/agency_callback/word_id")


@pytest.mark.parametrize(
    ("callback", "pointer"),
    [
        ({"result": "person_confirmed"}, "/agency_callback/word_id"),
        ({"result": "denied", "words_heard": "maple"}, "/agency_callback/word_id"),
        ({"result": "denied", "agency": "DHS-CBP"}, "/agency_callback/agency"),
    ],
)
def test_a_callback_that_does_not_fit_is_refused(deployment, listed, callback, pointer):
    problem(deployment.follow(listed, "agency_callback", agency_callback=callback), 422, pointer)


def test_an_agency_without_a_held_number_cannot_have_answered(deployment):
    agencies = loaded(deployment.get("/v1/agencies"))["agencies"]
    silent = next(agency["agency"] for agency in agencies if agency["held_number"] is None)
    answer = loaded(deployment.submit(silent, "B1"))
    denied = deployment.follow(answer, "agency_callback", agency_callback={"result": "denied"})
    assert "never call a number that an agent offers" in problem(denied, 422, "/agency_callback/result")
    assert outcome(deployment.follow(answer, "agency_callback", agency_callback={"result": "not_possible"})) == (
        "inconclusive"
    )
    deployment.enter()
    problem(deployment.post(f"/v1/verifications/{answer['id']}/callback-word", {}, "dispatcher"), 422, "/agency")


def test_a_photo_compared_later_counts(deployment, listed):
    assert outcome(deployment.follow(listed, "photo_credential_compared", photo_credential=COMPARED)) == (
        "credential_consistent"
    )
    assert outcome(
        deployment.follow(listed, "photo_credential_compared", photo_credential={"result": "does_not_match"})
    ) == ("contradicted")


def test_a_misread_number_is_corrected_and_checked_anew(deployment, known):
    answer = loaded(deployment.submit("DHS-ICE", known(status="absent")))
    assert answer["outcome"] == "not_listed"
    facts = {"identifier": {"kind": "badge", "value": known()}}
    reply = deployment.follow(answer, "corrected", corrected={"corrects_seq": 0, "facts": facts})
    assert outcome(reply) == "identifier_listed"
    read = loaded(deployment.get(f"/v1/verifications/{answer['id']}"))
    assert read["identifier"] == {"kind": "badge", "value": known()}
    assert read["registry_checks"][0]["result"] == "match_active"
    first = loaded(deployment.get(f"/v1/verifications/{answer['id']}/events/0/record"))
    assert first["outcome_after"] == "not_listed"


def test_a_corrected_agency_checks_the_same_number_there(deployment, known):
    answer = loaded(deployment.submit("DHS-CBP", known()))
    assert answer["outcome"] == "not_listed"
    facts = {"agent": {"claimed_agency": "DHS-ICE"}}
    reply = deployment.follow(answer, "corrected", corrected={"corrects_seq": 0, "facts": facts})
    assert outcome(reply) == "identifier_listed"
    assert loaded(reply)["claimed_agency"] == "DHS-ICE"


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [
        ({"agent": {"claimed_agency": "ICE"}}, "/corrected/facts/agent/claimed_agency"),
        ({"agent": {"home_agency": "ICE"}}, "/corrected/facts/agent/home_agency"),
        ({"identifier": {"kind": "badge", "value": "ICE-1234Ж"}}, "/corrected/facts/identifier/value"),
    ],
)
def test_a_correction_the_registry_refuses_says_where(deployment, listed, facts, pointer):
    reply = deployment.follow(listed, "corrected", corrected={"corrects_seq": 0, "facts": facts})
    problem(reply, 422, pointer)


def test_an_event_entered_by_mistake_is_withdrawn_and_stays_on_record(deployment, listed):
    assert outcome(deployment.follow(listed, "agency_callback", agency_callback={"result": "denied"})) == "contradicted"
    withdrawn = {"corrects_seq": 1, "withdrawn": True}
    assert outcome(deployment.follow(listed, "corrected", corrected=withdrawn)) == "identifier_listed"
    kinds = [event["kind"] for event in loaded(deployment.get(f"/v1/verifications/{listed['id']}"))["events"]]
    assert kinds == ["submitted", "agency_callback", "corrected"]


@pytest.mark.parametrize(
    ("corrected", "pointer"),
    [
        ({"corrects_seq": 7, "withdrawn": True}, "/corrected/corrects_seq"),
        ({"corrects_seq": 0, "withdrawn": True}, "/corrected/withdrawn"),
        ({"corrects_seq": 0}, "/corrected/facts"),
        ({"corrects_seq": 0, "facts": {"identification": "declined", "identifier": None}}, None),
        ({"corrects_seq": 0, "facts": {"identifier": None}}, "/corrected/facts/identifier"),
    ],
)
def test_a_correction_that_cannot_be_meant_is_refused(deployment, listed, corrected, pointer):
    reply = deployment.follow(listed, "corrected", corrected=corrected)
    if pointer is None:
        assert outcome(reply) == "declined"
    else:
        problem(reply, 422, pointer)


def conclude(deployment, listed, role="supervisor", outcome="impersonation_suspected", relied=(0,)):
    concluded = {"outcome": outcome, "facts_relied_on": list(relied), "reason": "He admitted it."}
    return deployment.follow(listed, "concluded", role, concluded=concluded)


def test_a_supervisor_concludes_on_facts_and_the_computed_outcome_stays(deployment, listed):
    reply = conclude(deployment, listed)
    assert outcome(reply) == "impersonation_suspected"
    assert loaded(reply)["computed_outcome"] == "identifier_listed"
    problem(conclude(deployment, listed, relied=[9]), 422, "/concluded/facts_relied_on")
    problem(conclude(deployment, listed, outcome="verified"), 422, "/concluded/outcome")
    assert outcome(deployment.follow(listed, "interrupted", interrupted={"reason": "other"})) == (
        "impersonation_suspected"
    )
    undone = deployment.follow(listed, "corrected", corrected={"corrects_seq": 1, "withdrawn": True})
    assert "Only a supervisor" in problem(undone, 403)


ACTS = (
    "concluded",
    "released",
    "sealed",
    "unsealed",
    "hold_placed",
    "hold_lifted",
    "disputed",
    "dispute_answered",
)


@pytest.mark.parametrize("kind", ACTS)
def test_an_officer_does_none_of_a_supervisors_acts(deployment, listed, kind):
    parts = {
        "concluded": {"outcome": "inconclusive", "facts_relied_on": [0], "reason": "x"},
        **{kind: {"ground": "x"} for kind in ("sealed", "unsealed", "hold_placed", "hold_lifted")},
        "disputed": {"source": "agent"},
        "dispute_answered": {"disputes_seq": 1, "answer": "upheld", "reason": "x"},
    }
    part = {kind: parts[kind]} if kind in parts else {}
    assert "Only a supervisor" in problem(deployment.follow(listed, kind, **part), 403)


def test_a_dispute_is_answered(deployment, listed):
    disputed = deployment.follow(listed, "disputed", "supervisor", disputed={"source": "agent", "statement": "Mine."})
    assert disputed.status_code == 201
    answered = {"disputes_seq": 1, "answer": "not_upheld", "reason": "The roster says otherwise."}
    assert deployment.follow(listed, "dispute_answered", "supervisor", dispute_answered=answered).status_code == 201
    answered["disputes_seq"] = 0
    problem(deployment.follow(listed, "dispute_answered", "supervisor", dispute_answered=answered), 422)


def test_a_sealed_verification_is_gone_for_officers(deployment, listed):
    sealed = {"ground": "Juvenile court order", "reference": "J-1"}
    assert deployment.follow(listed, "sealed", "supervisor", sealed=sealed).status_code == 201
    assert deployment.get(f"/v1/verifications/{listed['id']}").status_code == 404
    assert loaded(deployment.get("/v1/verifications"))["verifications"] == []
    assert deployment.get(f"/v1/verifications/{listed['id']}", "supervisor").status_code == 200
    assert len(loaded(deployment.get("/v1/verifications", "auditor"))["verifications"]) == 1


def test_a_seal_is_lifted_by_an_event_of_its_own(deployment, listed):
    ground = {"ground": "Order reversed"}
    assert "is not sealed" in problem(
        deployment.follow(listed, "unsealed", "supervisor", unsealed=ground), 422, "/kind"
    )
    deployment.follow(listed, "sealed", "supervisor", sealed=ground)
    assert "sealed already" in problem(deployment.follow(listed, "sealed", "supervisor", sealed=ground), 422, "/kind")
    assert deployment.follow(listed, "unsealed", "supervisor", unsealed=ground).status_code == 201
    assert deployment.get(f"/v1/verifications/{listed['id']}").status_code == 200


def test_a_hold_is_lifted_by_its_reference(deployment, listed):
    placed = {"ground": "Records request", "reference": "CPRA-2026-7"}
    assert deployment.follow(listed, "hold_placed", "supervisor", hold_placed=placed).status_code == 201
    other = {"ground": "Request answered", "reference": "CPRA-2026-8"}
    refused = deployment.follow(listed, "hold_lifted", "supervisor", hold_lifted=other)
    assert "No hold with the reference CPRA-2026-8" in problem(refused, 422, "/hold_lifted/reference")
    lifted = {"ground": "Request answered", "reference": "CPRA-2026-7"}
    assert deployment.follow(listed, "hold_lifted", "supervisor", hold_lifted=lifted).status_code == 201
    again = deployment.follow(listed, "hold_lifted", "supervisor", hold_lifted=lifted)
    assert again.status_code == 422


def test_an_event_brings_its_own_part_and_no_other(deployment, listed):
    problem(deployment.follow(listed, "interrupted"), 422, "/interrupted")
    problem(deployment.follow(listed, "released", "supervisor", sealed={"ground": "x"}), 422, "/sealed")
    problem(deployment.follow(listed, "released", "supervisor", note="x"), 422, "/note")


def test_every_record_of_every_kind_is_closed(deployment, listed, words, known):
    heard(deployment, listed, words)
    back = {"word_id": words["word_id"]}
    deployment.follow(listed, "callback_word_read_back", "dispatcher", callback_word_read_back=back)
    deployment.follow(listed, "photo_credential_compared", photo_credential=COMPARED, note="Seen well.")
    deployment.follow(listed, "interrupted", interrupted={"reason": "left_scene"})
    deployment.follow(listed, "corrected", corrected={"corrects_seq": 0, "facts": {"agent_label": "Agent 9"}})
    deployment.follow(
        listed, "corrected", corrected={"corrects_seq": 0, "facts": {"identifier": {"kind": "badge", "value": known()}}}
    )
    deployment.follow(listed, "corrected", corrected={"corrects_seq": 2, "withdrawn": True})
    conclude(deployment, listed)
    for kind, part in (
        ("released", {}),
        ("disputed", {"disputed": {"source": "other"}}),
        ("sealed", {"sealed": {"ground": "x"}}),
        ("unsealed", {"unsealed": {"ground": "x"}}),
        ("hold_placed", {"hold_placed": {"ground": "x"}}),
        ("hold_lifted", {"hold_lifted": {"ground": "x"}}),
    ):
        assert deployment.follow(listed, kind, "supervisor", **part).status_code == 201
    log = deployment.service.logs.records("LAPD")
    for index in range(deployment.service.log_store.head(log.log).size):
        check_schema(log.record(index)[0].decode())
    events = loaded(deployment.get(f"/v1/verifications/{listed['id']}", "supervisor"))["events"]
    assert len(events) == 16
    receipts = [deployment.get(event["receipt"], "supervisor") for event in events]
    assert {receipt.status_code for receipt in receipts} == {200}
    assert json.loads(deployment.get(events[3]["record"], "supervisor").get_data())["seq"] == 3
