"""What an officer reads, word for word."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.registries import SampleRegistry
from tests.street import CBP, ICE, Street, caller
from verify_service.errors import InvalidRequest
from verify_service.registry.identifier import Identifier
from verify_service.verification.callback import AgencyCallback, WordReadBack
from verify_service.verification.claim import PhotoCredential
from verify_service.verification.fact import Concluded, Interrupted

NOT_PROOF = " This does not show that the person is not an agent."
SYNTHETIC = " Synthetic sample registry: no real agency or person."
LISTED = "Listed active in DHS-ICE's roster as of 23 Nov 21:04; no newer roster known 14 minutes ago."
NOT_CHECKED = " Not checked: on duty, assigned here."
CALL_ICE = "Ask dispatch to call DHS-ICE on its held number and pass the two words. Enter the words this person says."
CREDENTIAL = "Ask for a photo credential. Compare the uncovered face and the number on it, out of public view if asked."
LEAD = "Ask for their lead or supervisor and check that person."
TELL = "Tell the person who asked, privately and when it is safe."
ALWAYS = ("Keep body-worn video on.", "Request a supervisor.", TELL, "Go through the checklist.")
SUPERVISOR = "Request a supervisor."
QUIET = (
    "Keep body-worn video on.",
    "Say nothing to the crowd. A supervisor tells the person who asked.",
    "Go through the checklist.",
)
AGAIN = "Read the number again, character by character, and check again."
WHICH = "Ask which agency this person belongs to, and check again."


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return SampleRegistry(tmp_path_factory.mktemp("registry") / "registry")


@pytest.fixture
def street(sample, tmp_path):
    began = sample.clock.moment
    street = Street(tmp_path, sample)
    sample.clock.advance(minutes=14)
    yield street
    sample.clock.moment = began


def said(answer):
    return answer.case.outcome, answer.case.explanation, answer.case.next_steps


def badge(street, agency=ICE, status="active", kind="badge"):
    return street.sample.known(agency, kind, status).value


def confirmed(street, value):
    street.submit(ICE, value)
    words = street.issue_words()
    street.follow(WordReadBack(words.word_id), caller("dispatcher", "52104"))
    return street.follow(AgencyCallback("person_confirmed", word_id=words.word_id, words_heard=words.phrase))


def test_listed(street):
    assert said(street.submit(ICE, badge(street))) == (
        "identifier_listed",
        LISTED + " Nothing yet ties this person to the number." + NOT_CHECKED + SYNTHETIC,
        (CALL_ICE, CREDENTIAL, LEAD, *ALWAYS),
    )


def test_confirmed_by_the_word(street):
    street.submit(ICE, badge(street))
    words = street.issue_words()
    street.follow(WordReadBack(words.word_id), caller("dispatcher", "52104"))
    answer = street.follow(
        AgencyCallback("person_confirmed", word_id=words.word_id, words_heard=f" {words.phrase.upper()}! ")
    )
    assert said(answer) == (
        "verified",
        "DHS-ICE confirmed this person on its held number, and the one-time words came back from this person within "
        "five minutes." + NOT_CHECKED + " This concerns identity only. It does not say that an arrest or search is "
        "lawful." + SYNTHETIC,
        ALWAYS,
    )


def test_other_words_confirm_nothing(street):
    street.submit(ICE, badge(street))
    words = street.issue_words()
    answer = street.follow(AgencyCallback("person_confirmed", word_id=words.word_id, words_heard="wrong words"))
    assert answer.case.outcome == "identifier_listed"
    assert answer.case.next_steps[0] == "Ask dispatch for new words: the old ones are used up."


def test_other_words_are_named_where_nothing_else_is_known(street):
    street.submit(ICE, identification="unreadable")
    words = street.issue_words()
    answer = street.follow(AgencyCallback("person_confirmed", word_id=words.word_id, words_heard="wrong words"))
    assert said(answer)[:2] == (
        "inconclusive",
        "The number or credential could not be read. On the last call the words heard were not the "
        "ones given to the agency. That confirms nothing." + NOT_PROOF + SYNTHETIC,
    )


def test_credential_consistent_is_never_verified(street):
    photo = PhotoCredential("matches", face_seen=True, credential_number_matches=True)
    assert said(street.submit(ICE, badge(street), photo=photo)) == (
        "credential_consistent",
        LISTED + " An officer compared the uncovered face with the photo on a credential that bears this number. The "
        "card itself was not checked." + NOT_CHECKED + SYNTHETIC,
        (CALL_ICE, *ALWAYS),
    )


def test_a_photo_compared_after_the_roster_went_stale_ties_nothing(street):
    street.submit(ICE, badge(street))
    street.clock.advance(hours=80)
    assert street.compare().case.outcome == "identifier_listed"


def test_not_listed(street):
    assert said(street.submit(ICE, badge(street, status="absent"))) == (
        "not_listed",
        "Not in DHS-ICE's roster as of 23 Nov 21:04, which its signer calls complete for this kind of number; no newer "
        "roster known 14 minutes ago. Numbers are easily misread." + NOT_PROOF + SYNTHETIC,
        (SUPERVISOR, AGAIN, CALL_ICE, CREDENTIAL, LEAD, *QUIET),
    )


@pytest.fixture
def behind(tmp_path):
    """A street whose department holds back the newest roster of the agency, since a third of it changed."""
    sample = SampleRegistry(tmp_path / "registry")
    street = Street(tmp_path, sample)
    numbers = {status: badge(street, status=status) for status in ("active", "suspended", "absent")}
    known = street.registry_store.current("LAPD").agencies[ICE].roster.count
    newcomers = [Identifier("badge", f"9{number:04d}") for number in range(known // 3)]
    sample.publish_roster(ICE, sample.next_roster(ICE, *newcomers))
    assert [hold.agency for hold in street.station.ingest().holds] == [ICE]
    sample.clock.advance(minutes=14)
    return street, {**numbers, "newcomer": newcomers[0].value}


@pytest.mark.parametrize("who", ["newcomer", "absent"])
def test_nobody_is_called_not_listed_while_a_newer_roster_waits(behind, who):
    street, numbers = behind
    assert said(street.submit(ICE, numbers[who])) == (
        "inconclusive",
        "Not found in DHS-ICE's roster as of 23 Nov 21:04, the last one taken in here. It may not list everyone."
        + NOT_PROOF
        + SYNTHETIC,
        (AGAIN, CALL_ICE, CREDENTIAL, LEAD, *ALWAYS),
    )


def test_no_sentence_says_that_no_newer_roster_is_known_while_one_waits(behind):
    street, numbers = behind
    assert street.submit(ICE, numbers["active"]).case.explanation.startswith(
        "Listed active in DHS-ICE's roster as of 23 Nov 21:04, the last one taken in here; looked for a newer one "
        "14 minutes ago. Nothing yet"
    )
    assert street.submit(ICE, numbers["suspended"]).case.explanation.startswith(
        "Listed in DHS-ICE's roster as of 23 Nov 21:04, the last one taken in here, but not as active; looked for a "
        "newer one 14 minutes ago. This does not"
    )


def test_contradicted_by_the_roster(street):
    assert said(street.submit(ICE, badge(street, status="suspended"))) == (
        "contradicted",
        "Listed in DHS-ICE's roster as of 23 Nov 21:04, but not as active; no newer roster known 14 minutes ago."
        + NOT_PROOF
        + SYNTHETIC,
        (SUPERVISOR, AGAIN, CALL_ICE, CREDENTIAL, LEAD, *QUIET),
    )


def test_contradicted_by_the_agency_and_the_photo(street):
    street.submit(ICE, badge(street))
    street.compare("does_not_match")
    answer = street.follow(AgencyCallback("denied"))
    assert said(answer)[:2] == (
        "contradicted",
        "DHS-ICE, called on its held number, said that this is not its agent. The uncovered face did not match the "
        "photo on the credential shown. " + LISTED + NOT_PROOF + SYNTHETIC,
    )
    # The agency was called and the photo compared: neither is asked for again.
    assert answer.case.next_steps == (SUPERVISOR, LEAD, *QUIET)


def test_contradicted_says_what_speaks_for_the_person_too(street):
    answer = confirmed(street, badge(street, status="suspended"))
    assert answer.case.outcome == "contradicted"
    assert "DHS-ICE also confirmed this person on its held number, and the words came back. These disagree: a " in (
        answer.case.explanation
    )


def test_verified_says_that_the_number_given_is_in_no_roster(street):
    answer = confirmed(street, badge(street, status="absent"))
    assert answer.case.outcome == "verified"
    assert " Not found in DHS-ICE's roster as of 23 Nov 21:04." in answer.case.explanation


def test_a_call_that_came_to_nothing_is_said_beside_every_outcome(street):
    street.submit(ICE, badge(street))
    assert "On the last call DHS-ICE did not answer on its held number." in (
        street.follow(AgencyCallback("unreachable")).case.explanation
    )
    answer = street.follow(AgencyCallback("not_possible"))
    assert "The last call to DHS-ICE was not possible." in answer.case.explanation
    # The number is held all the same.
    assert (answer.case.outcome, answer.case.next_steps[0]) == ("identifier_listed", CALL_ICE)


def test_wrong_words_three_times_end_the_calls_and_a_supervisor_comes_first(street):
    street.submit(ICE, badge(street))
    for _ in range(3):
        words = street.issue_words()
        answer = street.follow(AgencyCallback("person_confirmed", word_id=words.word_id, words_heard="wrong words"))
    assert answer.case.explanation.endswith(
        "Three times the words heard were not the ones given to the agency. That confirms nothing, and no more words "
        "are taken here." + SYNTHETIC
    )
    assert answer.case.next_steps == (SUPERVISOR, CREDENTIAL, LEAD, ALWAYS[0], TELL, ALWAYS[-1])


def test_vouched_for_an_operation_says_that_the_number_is_in_no_roster(street):
    street.submit(ICE, badge(street, status="absent"))
    answer = street.follow(AgencyCallback("operation_confirmed"))
    assert answer.case.outcome == "agency_vouched"
    assert " Not found in DHS-ICE's roster as of 23 Nov 21:04." in answer.case.explanation


def test_nobody_is_told_where_nobody_of_the_public_asked(street):
    assert TELL not in street.submit(ICE, badge(street), requested_by="dispatch").case.next_steps


def test_an_agency_without_a_code_is_not_asked_for_again(street):
    assert WHICH not in street.submit("other", badge(street)).case.next_steps


def test_a_photo_compared_without_a_roster_is_said_and_not_asked_for_again(street):
    silent = next(a for a, s in street.registry.agencies("LAPD").items() if s.profile.level == 0)
    street.submit(silent, "B 12345")
    answer = street.compare()
    assert answer.case.outcome == "inconclusive"
    assert "a credential that bears this number. A card alone proves nothing." in answer.case.explanation
    assert CREDENTIAL not in answer.case.next_steps


def test_vouched_for_the_operation(street):
    street.submit(ICE, identification="unreadable")
    answer = street.follow(AgencyCallback("operation_confirmed"))
    assert said(answer)[:2] == (
        "agency_vouched",
        "DHS-ICE confirmed on its held number that it has an operation here. It did not confirm this person."
        + NOT_CHECKED
        + SYNTHETIC,
    )


def test_an_op_code_that_nobody_activated_concludes_nothing(street):
    agency = next(a for a, s in street.registry.agencies("LAPD").items() if s.roster and "op_code" in s.roster.coverage)
    code = badge(street, agency, kind="op_code")
    outcome, explanation, steps = said(street.submit(agency, code, "op_code"))
    assert (outcome, explanation) == (
        "inconclusive",
        f"The operation code is listed, but {agency} has not activated it for this contact." + NOT_PROOF + SYNTHETIC,
    )
    assert steps[0] == f"Ask them to have {agency} activate the code, and check again."


def test_an_op_code_that_its_agency_activated_speaks_for_an_operation(street):
    agency = next(a for a, s in street.registry.agencies("LAPD").items() if s.roster and "op_code" in s.roster.coverage)
    code = badge(street, agency, kind="op_code")
    street.activate(agency, code)
    assert said(street.submit(agency, code, "op_code"))[:2] == (
        "agency_vouched",
        f"The operation code is active in {agency}'s roster as of 23 Nov 21:04, and {agency} activated it. It speaks "
        "for an operation, not for this person." + NOT_CHECKED + SYNTHETIC,
    )


def test_declined(street):
    assert said(street.submit("none_stated")) == (
        "declined",
        "Asked to identify, and declined." + NOT_PROOF,
        (WHICH, CREDENTIAL, LEAD, ALWAYS[0], "Document the refusal on body-worn video.", *ALWAYS[1:]),
    )


def test_interrupted_and_not_required(street):
    assert said(street.submit(ICE, identification="not_required"))[:2] == (
        "not_required",
        "Clearly identifiable, and nobody asked for a check. Nothing was checked." + SYNTHETIC,
    )
    assert said(street.submit("none_stated", identification="interrupted")) == (
        "interrupted",
        "Stopped before the check was finished: the person left, or it was not safe to go on.",
        (
            "When it is safe, enter what you know: vehicle, direction, video reference.",
            "Keep body-worn video on.",
            TELL,
            "Go through the checklist.",
        ),
    )
    street.submit(ICE, identification="unreadable")
    assert street.follow(Interrupted("left_scene")).case.outcome == "interrupted"


@pytest.mark.parametrize(
    ("identification", "sentence"),
    [
        ("unreadable", "The number or credential could not be read."),
        ("exemption_claimed", "An exemption from identifying was claimed. It was recorded as claimed, not judged."),
    ],
)
def test_inconclusive_as_identified(street, identification, sentence):
    assert said(street.submit(ICE, identification=identification)) == (
        "inconclusive",
        sentence + NOT_PROOF + SYNTHETIC,
        (CALL_ICE, CREDENTIAL, LEAD, *ALWAYS),
    )


def test_no_roster_says_nothing_about_the_person(street):
    silent = next(a for a, s in street.registry.agencies("LAPD").items() if s.profile.level == 0)
    assert said(street.submit(silent, "B 12345")) == (
        "inconclusive",
        "No roster exists for this agency. That says nothing about this person." + NOT_PROOF + SYNTHETIC,
        (
            f"There is no held number for {silent}. Never call a number the agent offers.",
            CREDENTIAL,
            LEAD,
            *ALWAYS,
        ),
    )
    answer = street.follow(AgencyCallback("not_possible"))
    assert (
        f"{silent} has no held number that could be called. That is not the agent's fault." in answer.case.explanation
    )


def test_nobody_answers(street):
    called = next(a for a, s in street.registry.agencies("LAPD").items() if s.profile.level in {1, 2})
    street.submit(called, "B 12345")
    answer = street.follow(AgencyCallback("unreachable"))
    assert said(answer)[:2] == (
        "inconclusive",
        "No roster exists for this agency. That says nothing about this person. "
        f"On the last call {called} did not answer on its held number." + NOT_PROOF + SYNTHETIC,
    )


def test_a_stale_roster_concludes_nothing(street):
    street.clock.advance(hours=73)
    outcome, explanation, _ = said(street.submit(ICE, badge(street)))
    assert outcome == "inconclusive"
    assert explanation.startswith("DHS-ICE's roster went out of date on 24 Nov 21:04, so nothing can be concluded")


def test_a_number_without_an_agency_asks_which(street):
    shared = street.sample.shared().value
    outcome, explanation, steps = said(street.submit("none_stated", shared))
    assert outcome == "inconclusive"
    assert "Numbers coincide between agencies, so this concludes nothing. Ask which agency." in explanation
    assert {ICE, CBP} <= set(explanation.partition(": ")[2].partition(".")[0].split(", "))
    assert steps[0] == WHICH
    assert said(street.submit("other", badge(street, status="absent")))[1].startswith("No agency to check was stated.")


def test_a_match_at_the_home_agency_counts_and_elsewhere_does_not(street):
    value = badge(street)
    assert street.submit(CBP, value).case.outcome == "not_listed"
    assert street.submit(CBP, value, home_agency=ICE).case.outcome == "identifier_listed"


def test_a_supervisors_conclusion_stands_beside_what_was_computed(street):
    street.submit(ICE, badge(street))
    boss = caller("supervisor", "21007")
    answer = street.follow(Concluded("impersonation_suspected", (0,), "He said so himself."), boss)
    assert said(answer)[:2] == (
        "impersonation_suspected",
        "A supervisor concluded impersonation suspected on facts. The events alone give identifier listed."
        + NOT_PROOF
        + SYNTHETIC,
    )
    assert answer.computed.outcome == "identifier_listed"
    with pytest.raises(InvalidRequest, match="`verified` never"):
        street.follow(Concluded("verified", (0,), "I know him."), boss)


def test_without_any_registry_the_answer_is_still_useful(tmp_path):
    street = Street(tmp_path)
    assert said(street.submit(ICE, "12345")) == (
        "inconclusive",
        "No agency registry has been loaded here. That says nothing about this person." + NOT_PROOF,
        ("There is no held number for DHS-ICE. Never call a number the agent offers.", CREDENTIAL, LEAD, *ALWAYS),
    )


def test_the_age_of_the_roster_is_told_in_minutes_hours_and_days(street):
    value = badge(street)
    for passed, words in (
        (timedelta(minutes=-14), "now"),
        (timedelta(minutes=14), "14 minutes ago"),
        (timedelta(minutes=46), "1 hour ago"),
        (timedelta(hours=9), "10 hours ago"),
    ):
        street.clock.moment += passed
        assert f"no newer roster known {words}." in street.submit(ICE, value).case.explanation


def test_a_number_close_to_a_listed_one_is_read_again(tmp_path):
    sample = SampleRegistry(tmp_path / "registry")
    sample.publish_roster(ICE, sample.next_roster(ICE, Identifier("badge", "O12345")))
    outcome, explanation, steps = said(Street(tmp_path, sample).submit(ICE, "Q12345"))
    assert (outcome, steps[0]) == ("inconclusive", AGAIN)
    assert explanation == (
        "Close to a number in DHS-ICE's roster, but not the same. Read the number again." + NOT_PROOF + SYNTHETIC
    )
