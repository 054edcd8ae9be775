"""Whatever happens at a scene, its events reduce to facts that say no more than they do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from verify_service.record_log.record import Record
from verify_service.verification.case import Case, CaseEvent, case_document, case_from_document, facts_of
from verify_service.verification.claim import IDENTIFICATIONS, IDENTIFIER_KINDS
from verify_service.verification.event import body
from verify_service.verification.outcome import outcome_table
from verify_service.verification.projection import CaseProjection

RESULTS = (
    "match_active",
    "match_inactive",
    "possible_match",
    "no_match",
    "agency_not_enrolled",
    "registry_stale",
    "not_checked",
)
AGENCIES = ("DHS-ICE", "DHS-CBP", "DOJ-FBI")
TIMES = st.integers(0, 9).map(lambda n: f"2026-11-25T05:04:0{n}.000Z")
CHECKS = st.fixed_dictionaries(
    {
        "agency": st.sampled_from(AGENCIES),
        "result": st.sampled_from(RESULTS),
        "kind": st.sampled_from(IDENTIFIER_KINDS),
        "coverage": st.sampled_from(("complete", "partial", None)),
        "fresh_until": TIMES,
        "op_code_activated": st.sampled_from((None, False, True)),
        "synthetic": st.just(True),
    }
)


def submitted(claimed, home, identification, checks):
    return body(
        observed={"identification": identification},
        told_by_agent={"claimed_agency": claimed, "home_agency": home, "identifier": None},
        computed={"checks": checks, "incident": "i", "held_numbers": []},
    )


CALLBACKS = st.builds(
    lambda result, matched: (
        "agency_callback",
        body(told_by_agency={"agency": "DHS-ICE", "result": result}, computed={"words_matched": matched}),
    ),
    st.sampled_from(("person_confirmed", "operation_confirmed", "denied", "unreachable", "not_possible")),
    st.sampled_from((None, False, True)),
)
PHOTOS = st.sampled_from(("matches", "does_not_match")).map(
    lambda result: ("photo_credential_compared", body(observed={"result": result}, computed={}))
)
INTERRUPTED = st.just(("interrupted", body(observed={"reason": "left_scene"}, computed={})))
EVENTS = st.lists(st.tuples(st.one_of(CALLBACKS, PHOTOS, INTERRUPTED), TIMES, st.booleans()), max_size=5)


@st.composite
def cases(draw):
    claimed = draw(st.sampled_from((*AGENCIES, "other", "none_stated")))
    home = draw(st.sampled_from((None, *AGENCIES)))
    first = submitted(claimed, home, draw(st.sampled_from(IDENTIFICATIONS)), draw(st.lists(CHECKS, max_size=4)))
    events = [CaseEvent(0, "submitted", "2026-11-25T05:04:00.000Z", first)]
    for seq, ((kind, content), at, withdrawn) in enumerate(draw(EVENTS), start=1):
        events.append(CaseEvent(seq, kind, at, content, withdrawn))
    return Case("v", "i", events[0].received_at, "38211", "CENTRAL", True, tuple(events), "", "", ())


def standing(case, kind):
    return [event for event in case.events if event.kind == kind and not event.withdrawn]


@given(cases())
def test_registry_facts_rest_on_the_claimed_or_home_roster_alone(case):
    facts = facts_of(case)
    told = case.submitted["told_by_agent"]
    own = [c for c in case.checks if c["agency"] in {told["claimed_agency"], told["home_agency"]}]
    results = [check["result"] for check in own]
    assert facts.registry_inactive == ("match_inactive" in results)
    assert facts.registry_active == any(c["result"] == "match_active" and c["kind"] != "op_code" for c in own)
    assert facts.registry_absent == (
        bool(own)
        and told["claimed_agency"] != "other"
        and all(c["result"] == "no_match" and c["coverage"] == "complete" for c in own)
    )
    if set(results) <= {"registry_stale", "agency_not_enrolled", "not_checked", "possible_match"}:
        flags = ("registry_active", "registry_inactive", "registry_absent", "op_code_activated")
        assert not [flag for flag in flags if getattr(facts, flag)]
    if facts.op_code_activated:
        assert any(c["result"] == "match_active" and c["op_code_activated"] is True for c in own)


@given(cases())
def test_only_matching_words_confirm_a_person_and_only_that_verifies(case):
    facts = facts_of(case)
    confirmed = [
        call.body["computed"]["words_matched"]
        for call in standing(case, "agency_callback")
        if call.body["told_by_agency"]["result"] == "person_confirmed"
        and call.body["told_by_agency"]["agency"] in case.agencies
    ]
    assert facts.person_confirmed == any(confirmed)
    if outcome_table().decide(facts).outcome == "verified":
        assert any(confirmed)


@given(cases())
def test_a_photo_counts_only_before_the_rosters_end(case):
    facts = facts_of(case)
    matches = [
        e.received_at for e in standing(case, "photo_credential_compared") if e.body["observed"]["result"] == "matches"
    ]
    ends = [
        c["fresh_until"]
        for c in case.own_checks
        if c["result"] == "match_active" and c["kind"] in {"badge", "credential"}
    ]
    assert facts.photo_match_in_time == bool(ends and matches and min(matches) < min(ends))
    if outcome_table().decide(facts).outcome == "credential_consistent":
        assert facts.photo_match_in_time
        assert not facts.person_confirmed


@given(cases())
def test_what_was_withdrawn_is_as_if_it_had_not_been(case):
    kept = tuple(event for event in case.events if not event.withdrawn)
    assert facts_of(case) == facts_of(Case(**{**vars(case), "events": kept}))


@given(cases())
def test_a_state_is_read_back_as_it_was(case):
    assert case_from_document(case_document(case)) == case


@given(cases(), st.integers(0, 5))
def test_a_withdrawal_reaches_the_event_it_names(case, seq):
    events = [CaseEvent(**{**vars(event), "withdrawn": False}) for event in case.events]
    whole = Case(**{**vars(case), "events": tuple(events)})
    record = Record(
        kind="corrected",
        department="LAPD",
        received_at="2026-11-25T05:05:00.000Z",
        subject="verification:v",
        seq=len(events),
        body={"corrects_seq": seq, "facts": {"withdrawn": True}},
    )
    after = CaseProjection().fold(whole, record)
    assert [event.seq for event in after.events if event.withdrawn] == [s for s in (seq,) if s < len(events)]
