"""One contract for how every registry store compares rosters, keeps holds and tells of cycles."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest

from tests.registries import DEPARTMENT
from verify_service.clock import parse_rfc3339
from verify_service.errors import RegistryRefused
from verify_service.registry.cycle import CycleRow, Notice
from verify_service.registry.hold import Decision, HeldRoster
from verify_service.registry.identifier import Identifier
from verify_service.registry.roster import RosterEntry
from verify_service.registry.roster_lines import RosterReader
from verify_service.signing import sha256_hex


@pytest.mark.parametrize("field", ["not_before", "expires"])
def test_rosters_are_compared_entry_by_entry(station, field):
    old = station.ingest().edition.agencies["DHS-ICE"].roster
    sample = station.sample
    suspended, expired = sample.known("DHS-ICE"), sample.known("DHS-ICE", status="expired")
    rows = {row[0]: row for rows in RosterReader(BytesIO(sample.roster("DHS-ICE"))).blocks() for row in rows}
    begins, ends = (parse_rfc3339(text) if text else None for text in rows[sample.key("DHS-ICE").tag(expired)][3:5])
    reinstated = sample.known("DHS-ICE", status="suspended")
    added = [Identifier("badge", f"9990{digit}") for digit in range(3)]
    gone = sample.known("DHS-ICE", status="lost")
    entries = [RosterEntry(suspended, "suspended", None, None), RosterEntry(reinstated, "active", None, None)]
    entries += [RosterEntry(identifier, "active", None, None) for identifier in added]
    other = {"not_before": (ends - timedelta(days=9999), ends), "expires": (begins, ends + timedelta(days=1))}
    entries.append(RosterEntry(expired, "active", *other[field]))
    new = sample.next_roster("DHS-ICE", entries=entries, without=[gone])
    reader = RosterReader(BytesIO(new))
    ref = station.store.load_roster(DEPARTMENT, reader.header, sha256_hex(new), reader.blocks())
    pairing = station.store.pair(DEPARTMENT, old.number, ref.number)
    assert {key: count for key, count in pairing.items() if not key[2]} == {
        ("active", "suspended", False): 1,
        ("suspended", "active", False): 1,
        ("active", "active", False): 1,
        (None, "active", False): 3,
    }
    assert sum(pairing.values()) == ref.count == old.count + 2
    tally = station.store.tally(DEPARTMENT, ref.number)
    assert sum(tally.values()) == ref.count
    was = station.store.tally(DEPARTMENT, old.number)
    assert tally["badge", "active"] == was["badge", "active"] + 3
    assert tally.get(("badge", "lost"), 0) == was["badge", "lost"] - 1
    assert set(station.store.pair(DEPARTMENT, old.number, old.number)) <= {
        (status, status, True) for status in ("active", "suspended", "separated", "lost")
    }


def test_the_last_roster_is_known_after_it_was_withdrawn(station):
    assert station.store.last_roster(DEPARTMENT, "DHS-ICE") is None
    first = station.ingest().edition.agencies["DHS-ICE"].roster
    station.sample.publish_roster("DHS-ICE", None)
    assert station.ingest().edition.agencies["DHS-ICE"].roster is None
    assert station.store.last_roster(DEPARTMENT, "DHS-ICE") == first
    assert station.store.last_roster(DEPARTMENT, "DHS-CBP").agency == "DHS-CBP"
    assert station.store.last_roster("LASD", "DHS-ICE") is None


def test_the_roster_of_a_moment_is_known_and_the_first_one_before_any(station):
    began, day = station.clock.now(), timedelta(hours=20)
    assert station.store.roster_at(DEPARTMENT, "DHS-ICE", began) is None
    first = station.ingest().edition.agencies["DHS-ICE"].roster
    station.clock.advance(hours=20)
    station.sample.publish_roster("DHS-ICE", station.sample.next_roster("DHS-ICE"))
    second = station.ingest().edition.agencies["DHS-ICE"].roster
    station.clock.advance(hours=20)
    station.sample.publish_roster("DHS-ICE", None)
    station.ingest()
    moments = (began - day, began, began + day - timedelta(milliseconds=1), began + day, began + 3 * day)
    found = [station.store.roster_at(DEPARTMENT, "DHS-ICE", moment) for moment in moments]
    assert found == [first, first, first, second, second]
    assert station.store.roster_at("LASD", "DHS-ICE", began) is None


def test_a_hold_is_kept_since_it_was_first_met_and_decided_about_once(station):
    station.ingest()
    station.sample.publish_roster("DHS-ICE", station.sample.small_roster("DHS-ICE"))
    (hold,) = station.ingest().holds
    first = station.clock.now()
    station.clock.advance(minutes=10)
    assert station.ingest().holds == [hold]
    (held,) = station.store.holds(DEPARTMENT)
    assert held == HeldRoster(hold, first, None)
    decision = Decision(True, "a reorganisation", "chief", station.clock.now())
    assert station.store.decide(DEPARTMENT, "DHS-ICE", "0" * 64, decision) is False
    assert station.store.decide("LASD", "DHS-ICE", hold.sha256, decision) is False
    assert station.store.decide(DEPARTMENT, "DHS-ICE", hold.sha256, decision) is True
    other = Decision(False, "a mistake", "thief", station.clock.now())
    assert station.store.decide(DEPARTMENT, "DHS-ICE", hold.sha256, other) is False
    assert station.store.holds(DEPARTMENT) == [HeldRoster(hold, first, decision)]
    assert station.store.holds("LASD") == []


def test_the_hold_that_was_met_last_is_the_last(station):
    station.ingest()
    contents = [station.sample.small_roster("DHS-ICE", seq=seq, prev_sha256="a" * 64) for seq in (3, 4)]
    for published in (*contents, contents[0]):
        station.clock.advance(minutes=1)
        station.sample.publish_roster("DHS-ICE", published)
        station.ingest()
    assert [held.hold.to_seq for held in station.store.holds(DEPARTMENT)] == [4, 3]


def test_the_last_cycle_and_the_last_setback_of_each_agency_are_told(station):
    assert station.store.last_cycle(DEPARTMENT) is None
    assert station.store.setbacks(DEPARTMENT) == []
    began = station.clock.now()
    station.sample.publish_roster("DHS-ICE", b"no roster\n")
    station.ingest()
    station.clock.advance(minutes=10)
    station.sample.publish_roster("DHS-CBP", station.sample.small_roster("DHS-CBP"))
    (refusal,) = station.ingest().refusals
    row = station.store.last_cycle(DEPARTMENT)
    assert row == CycleRow(2, station.clock.now(), station.clock.now(), 1, [refusal])
    cbp, ice = station.store.setbacks(DEPARTMENT)
    assert (cbp.agency, cbp.cycle, cbp.at, cbp.held) == ("DHS-CBP", 2, station.clock.now(), True)
    assert (ice.agency, ice.cycle, ice.held, ice.reason) == ("DHS-ICE", 2, False, refusal.reason)
    assert "waits for a person" in cbp.reason
    station.clock.advance(days=2)
    with pytest.raises(RegistryRefused):
        station.ingest()
    row = station.store.last_cycle(DEPARTMENT)
    assert (row.number, row.edition, row.refusals[0].agency) == (3, None, None)
    assert began < station.store.setbacks(DEPARTMENT)[1].at < row.started_at
    assert station.store.last_cycle("LASD") is None


def test_a_changed_number_and_root_are_told_from_a_moment_on(station):
    station.ingest()
    assert station.store.notices(DEPARTMENT, station.clock.now()) == []
    old = station.sample.root
    profiles = {profile.agency: profile for profile in station.sample.profiles()}
    number = profiles["DHS-ICE"].held_number
    changed = replace(profiles["DHS-ICE"].callback, number="+12025550177")
    profiles["DHS-ICE"] = replace(profiles["DHS-ICE"], callback=changed)
    station.sample.publisher.targets(profiles.values())
    station.sample.root = station.sample.publisher.root()
    station.sample.release()
    station.clock.advance(minutes=10)
    at = station.clock.now()
    station.ingest()
    told = [
        Notice(None, at, sha256_hex(old), sha256_hex(station.sample.root)),
        Notice("DHS-ICE", at, number, "+12025550177"),
    ]
    assert station.store.notices(DEPARTMENT, at) == told
    assert station.store.current(DEPARTMENT).pinned_root == sha256_hex(station.sample.root)
    assert station.store.notices(DEPARTMENT, at + timedelta(milliseconds=1)) == []
    assert station.store.notices("LASD", at) == []
