"""Guessed words, dispatchers who vouch alone, and facts that outlive what they were about, conclude nothing."""

from __future__ import annotations

from tests.deployment import loaded
from tests.service.test_follow_up import COMPARED, heard, outcome, problem
from verify_service.evidence.audit import audit


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
    assert "Contradicted" in deployment.client.get(listed["requester_receipt"]).get_data(as_text=True)


def test_a_withdrawn_release_is_none_whatever_was_released_before(deployment, listed):
    deployment.follow(listed, "released", "supervisor")
    deployment.follow(listed, "photo_credential_compared", photo_credential={**COMPARED, "result": "does_not_match"})
    seq = loaded(deployment.follow(listed, "released", "supervisor"))["events"][0]["seq"]
    withdrawn = {"corrects_seq": seq, "withdrawn": True}
    assert outcome(deployment.follow(listed, "corrected", "supervisor", corrected=withdrawn)) == "contradicted"
    page = deployment.client.get(listed["requester_receipt"]).get_data(as_text=True)
    assert "A supervisor is checking" in page
    assert "Contradicted" not in page


def test_a_correction_leaves_a_history_that_audits_clean(deployment, listed):
    deployment.follow(listed, "corrected", corrected={"corrects_seq": 0, "facts": {"agent_label": "Agent 9"}})
    service = deployment.service
    report = audit(service.audit_source(), service.vault, service.marks())
    assert report.ok, report.sentences()
