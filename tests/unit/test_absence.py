"""What a log lacks is a fault unless an order to expunge names it; one for values excuses no missing record."""

from __future__ import annotations

import pytest

from verify_service.evidence.withheld import GROUNDS
from verify_service.record_log.absence import SEALED_NAMES, Absences, sealed_places
from verify_service.record_log.record import Record

DIGEST = "ab" * 32
SUBJECT, OTHER = "verification:1", "verification:2"


def event(kind, body, subject=SUBJECT, outcome="unverified"):
    shape = {"department": "LAPD", "received_at": "2026-11-24T05:18:09.000Z"}
    return Record(kind=kind, subject=subject, body=body, outcome_after=outcome, **shape)


def expunged(subject=SUBJECT, outcome=None):
    return event(
        "expunged", {"ground": "Order", "reference": "1", "approvers": ["1", "2"], "indexes": [7]}, subject, outcome
    )


def lacking_value(*later, sealed=()):
    absences = Absences()
    absences.take(7, event("submitted", {"observed": {"note": DIGEST}}), sealed)
    for index, record in enumerate(later, start=8):
        absences.take(index, record, ())
    return [sentence for _, sentence in absences.unnamed(())]


def lacking_record(*later, subject=SUBJECT, beside=()):
    here, after = Absences(), Absences()
    here.lacks_record(7, subject)
    for index, other in enumerate(beside, start=20):
        here.lacks_record(index, other)
    for index, record in enumerate(later):
        after.take(index, record, ())
    return [sentence for index, sentence in here.unnamed([after]) if index == 7]


def test_a_missing_value_is_excused_by_an_order_of_its_own_subject_alone():
    assert lacking_value(sealed=[DIGEST]) == []
    (said,) = lacking_value()
    assert "a sealed value of the record is missing" in said
    assert lacking_value(expunged(OTHER, "unverified"))
    assert lacking_value(expunged(outcome="unverified")) == []


def test_a_missing_value_of_an_event_without_a_subject_is_excused_by_nothing():
    for kind, body in (
        ("searched", {"criteria": {}, "identifier": DIGEST}),
        ("exported", {"form": "evidence", "reason": DIGEST}),
        ("op_code_activated", {"told_by_agency": {"identifier": {"typed": DIGEST}}}),
    ):
        absences = Absences()
        absences.take(7, event(kind, body, subject=None), ())
        absences.take(8, expunged(), ())
        ((index, said),) = absences.unnamed(())
        assert (index, said.endswith("(no subject)")) == (7, True)


def test_a_missing_record_is_excused_by_an_order_for_the_whole_alone():
    assert lacking_record(expunged()) == []
    assert lacking_record(expunged(), subject="statement:1", beside=[SUBJECT]) == []
    # An index of another log is not this one's: nothing of the verification is gone here.
    assert lacking_record(expunged(), subject="statement:1")
    for record in (expunged(OTHER), expunged(outcome="unverified")):
        (said,) = lacking_record(record)
        assert "the record is missing" in said


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({"told_by_agent": {"identifier": {"typed": DIGEST}}}, ["body.told_by_agent.identifier.typed"]),
        ({"facts": {"computed": {"tags": DIGEST}}}, ["body.facts.computed.tags"]),
        ({"observed": {"reason": "left_scene", "note": None}, "computed": {"profile_sha256": DIGEST}}, []),
    ],
)
def test_a_digest_is_known_by_the_name_it_stands_under(body, places):
    assert [place for place, _ in sealed_places(body)] == places


def test_every_sealed_value_that_an_export_withholds_is_one_that_an_audit_misses():
    assert GROUNDS.keys() == SEALED_NAMES
