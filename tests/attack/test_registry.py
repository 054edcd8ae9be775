"""Attack 25 on the registry: a thief with a quorum of an agency's keys changes its whole roster at once.

Attacks 1 to 24 are in ``test_registry_replay``, ``test_registry_keys`` and ``test_registry_files``.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.registries import DEPARTMENT
from verify_service.registry.hold import Decision, Holds
from verify_service.registry.identifier import Identifier

ACCOMPLICE = Identifier("badge", "90001")


def decide(besieged, *, approved):
    decision = Decision(approved, "Asked the agency by telephone", "d.chief", besieged.clock.now())
    holds = Holds([DEPARTMENT], besieged.store)
    holds.decide(holds.meant("DHS-ICE"), decision, lambda _, decision: decision)


@pytest.mark.parametrize("status", ["active", "separated"])
def test_r25_a_roster_replaced_whole_waits_for_a_person_and_answers_nothing_meanwhile(besieged, sample, status):
    before = besieged.standing().agencies["DHS-ICE"]
    gone = sample.small_roster("DHS-ICE", ACCOMPLICE).replace(b"active", status.encode())
    sample.publish_roster("DHS-ICE", gone)
    for _ in range(3):
        (hold,) = besieged.ingest().holds
        assert (hold.agency, hold.change.before, hold.change.after) == ("DHS-ICE", before.roster.count, 1)
        assert besieged.standing().agencies["DHS-ICE"] == replace(before, newer_not_taken=True)
        assert besieged.result(besieged.agent, "DHS-ICE") == "match_active"
        assert besieged.result(ACCOMPLICE, "DHS-ICE") == "no_match"


def test_r25_a_rejected_one_never_answers_and_the_agencys_next_one_does(besieged, sample):
    sample.publish_roster("DHS-ICE", sample.small_roster("DHS-ICE", ACCOMPLICE))
    besieged.ingest()
    decide(besieged, approved=False)
    (refusal,) = besieged.ingest().refusals
    assert "was rejected by d.chief" in refusal.reason
    assert besieged.result(ACCOMPLICE, "DHS-ICE") == "no_match"


def test_r25_a_fifth_is_not_yet_a_mass_change(besieged, sample):
    before = besieged.standing().agencies["DHS-ICE"].roster.count
    joining = [Identifier("badge", f"9{number:04d}") for number in range(before // 5)]
    sample.publish_roster("DHS-ICE", sample.next_roster("DHS-ICE", *joining))
    assert besieged.ingest().holds == []
    assert besieged.result(joining[0], "DHS-ICE") == "match_active"
