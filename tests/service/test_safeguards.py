"""Guessed words, dispatchers who vouch alone, and facts that outlive what they were about, conclude nothing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from tests.deployment import loaded
from tests.service.test_follow_up import COMPARED, heard, outcome, problem
from verify_service.evidence.audit import audit
from verify_service.verification import follow_up

FITS_NOT = "What was shown or said does not fit what the agency says."


def test_a_dispatcher_enters_heard_words_only_for_the_officer_who_heard_them(deployment, listed, words):
    refused = heard(deployment, listed, words, role="dispatcher")
    assert "The officer who heard the words enters them" in problem(refused, 403)
    assert outcome(heard(deployment, listed, words)) == "verified"


def test_words_cannot_be_guessed(deployment, listed):
    deployment.enter()
    for _ in range(3):
        issued = loaded(deployment.post(f"/v1/verifications/{listed['id']}/callback-word", {}, "dispatcher"))
        assert outcome(heard(deployment, listed, issued, "maple maple")) == "identifier_listed"
    issued = loaded(deployment.post(f"/v1/verifications/{listed['id']}/callback-word", {}, "dispatcher"))
    refused = heard(deployment, listed, issued)
    assert "request a supervisor" in problem(refused, 422, "/agency_callback/words_heard")


def test_a_reading_back_that_was_withdrawn_does_not_start_the_five_minutes_again(deployment, listed, words):
    back = {"word_id": words["word_id"]}
    answer = deployment.follow(listed, "callback_word_read_back", "dispatcher", callback_word_read_back=back)
    seq = loaded(answer)["events"][0]["seq"]
    deployment.follow(listed, "corrected", corrected={"corrects_seq": seq, "withdrawn": True})
    deployment.clock.advance(minutes=6)
    again = deployment.follow(listed, "callback_word_read_back", "dispatcher", callback_word_read_back=back)
    assert "read back before" in problem(again, 422)
    assert "past their five minutes" in problem(heard(deployment, listed, words), 422)


def test_what_one_agency_said_does_not_count_for_another(deployment, listed, words):
    assert outcome(heard(deployment, listed, words)) == "verified"
    moved = {"corrects_seq": 0, "facts": {"agent": {"claimed_agency": "DHS-CBP"}}}
    assert outcome(deployment.follow(listed, "corrected", corrected=moved)) != "verified"


def test_a_photo_compared_before_the_number_was_corrected_does_not_bear_it(deployment, known):
    answer = loaded(deployment.submit("DHS-ICE", "99999"))
    deployment.follow(answer, "photo_credential_compared", photo_credential=COMPARED)
    right = {"corrects_seq": 0, "facts": {"identifier": {"kind": "badge", "value": known()}}}
    assert outcome(deployment.follow(answer, "corrected", corrected=right)) == "identifier_listed"


def test_another_outcome_than_the_released_one_waits_for_its_own_release(deployment, listed):
    deployment.follow(listed, "released", "supervisor")
    mismatch = {**COMPARED, "result": "does_not_match"}
    assert outcome(deployment.follow(listed, "photo_credential_compared", photo_credential=mismatch)) == "contradicted"
    page = deployment.client.get(listed["requester_receipt"]).get_data(as_text=True)
    assert "A supervisor is checking" in page
    deployment.follow(listed, "released", "supervisor")
    assert FITS_NOT in deployment.client.get(listed["requester_receipt"]).get_data(as_text=True)


def test_a_withdrawn_release_is_none_whatever_was_released_before(deployment, listed):
    deployment.follow(listed, "released", "supervisor")
    deployment.follow(listed, "photo_credential_compared", photo_credential={**COMPARED, "result": "does_not_match"})
    seq = loaded(deployment.follow(listed, "released", "supervisor"))["events"][0]["seq"]
    withdrawn = {"corrects_seq": seq, "withdrawn": True}
    assert outcome(deployment.follow(listed, "corrected", "supervisor", corrected=withdrawn)) == "contradicted"
    page = deployment.client.get(listed["requester_receipt"]).get_data(as_text=True)
    assert "A supervisor is checking" in page
    assert FITS_NOT not in page


def test_a_correction_leaves_a_history_that_audits_clean(deployment, listed):
    deployment.follow(listed, "corrected", corrected={"corrects_seq": 0, "facts": {"agent_label": "Agent 9"}})
    service = deployment.service
    report = audit(service.audit_source(), service.vault, service.marks())
    assert report.ok, report.sentences()


def test_of_two_corrections_made_on_the_same_claim_the_later_is_refused(deployment, listed, monkeypatch):
    both_checked, check = threading.Barrier(2, timeout=20), deployment.service.registry.check

    def check_together(*asked):
        result = check(*asked)
        both_checked.wait()
        return result

    monkeypatch.setattr(deployment.service.registry, "check", check_together)
    corrections = ({"agent": {"claimed_agency": "DHS-CBP"}}, {"identifier": {"kind": "badge", "value": "99999"}})
    deployment.bearer()
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda facts: corrected(deployment, listed, facts), corrections))
    assert sorted(answer.status_code for answer in answers) == [201, 412]


def corrected(deployment, verification, facts):
    return deployment.follow(verification, "corrected", corrected={"corrects_seq": 0, "facts": facts})


def test_only_its_number_puts_an_officer_on_an_incident_that_is_not_theirs(deployment, listed):
    incident = listed["incident"]["id"]
    stranger = deployment.submit(serial="40404", incident_number=None, incident_id=incident)
    assert "no such verification or incident" in problem(stranger, 404)
    assert deployment.submit(serial="40404").status_code == 201
    assert deployment.submit(serial="40404", incident_number=None, incident_id=incident).status_code == 201


def test_an_officer_does_not_change_the_number_of_an_incident(deployment, listed):
    numbered = {"kind": "number_assigned", "number_assigned": {"number": "261124005555"}}
    path = f"/v1/incidents/{listed['incident']['id']}/events"
    assert "ask dispatch or a supervisor" in problem(deployment.post(path, numbered), 403)
    deployment.enter()
    assert loaded(deployment.post(path, numbered, "dispatcher"))["number"] == "261124005555"


def test_an_incidents_etag_changes_with_what_is_seen_of_it(deployment, listed):
    second = loaded(deployment.submit("DHS-CBP", agent_label="Agent 3"))
    tags = set()
    for verification in (listed, second):
        tags.add(deployment.get("/v1/incidents/261124001234").headers["ETag"])
        deployment.follow(verification, "interrupted", interrupted={"reason": "left_scene"})
    tags.add(deployment.get("/v1/incidents/261124001234").headers["ETag"])
    assert len(tags) == 3


def test_a_seal_is_lifted_and_never_withdrawn(deployment, listed):
    sealed = loaded(deployment.follow(listed, "sealed", "supervisor", sealed={"ground": "Claim filed."}))
    withdrawn = {"corrects_seq": sealed["events"][0]["seq"], "withdrawn": True}
    answer = deployment.follow(listed, "corrected", "supervisor", corrected=withdrawn)
    assert "append an event `unsealed`" in problem(answer, 422, "/corrected/withdrawn")


def test_a_verification_takes_so_many_events_and_says_where_to_go_on(deployment, listed, monkeypatch):
    monkeypatch.setattr(follow_up, "MOST_EVENTS", 1)
    answer = deployment.follow(listed, "interrupted", interrupted={"reason": "left_scene"})
    assert "submit this agent anew" in problem(answer, 422)
    assert deployment.follow(listed, "sealed", "supervisor", sealed={"ground": "Claim filed."}).status_code == 201


def test_a_dispatcher_is_told_that_a_held_number_is_from_an_outdated_registry(deployment, listed, words):
    assert words["held_number"]["outdated_since"] is None
    deployment.clock.advance(hours=80)
    deployment.tokens.clear()
    old = loaded(deployment.post(f"/v1/verifications/{listed['id']}/callback-word", {}, "dispatcher"))
    assert old["held_number"]["outdated_since"] == "2026-11-25T05:04:09.000Z"
