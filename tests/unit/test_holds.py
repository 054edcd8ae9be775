"""A roster of which too much changed waits until a person decided about exactly that one."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.registry import MemoryRegistry
from tests.registries import DEPARTMENT, SampleRegistry, Station
from verify_service.errors import RegistryRefused
from verify_service.registry.blinding import BlindingKey
from verify_service.registry.hold import Decision, Holds
from verify_service.registry.identifier import Identifier
from verify_service.signing import sha256_hex

ICE = "DHS-ICE"


@pytest.fixture
def station(tmp_path):
    memory = MemoryRegistry()
    station = Station(SampleRegistry(tmp_path / "registry"), memory, memory, tmp_path / "ingest")
    station.ingest()
    return station


def decide(station, *, approved, agency=ICE, **options):
    decision = Decision(approved, "asked the agency by telephone", "d.chief", station.clock.now())
    return Holds([DEPARTMENT], station.store).decide(agency, decision, **options)[0].hold


def waiting(station):
    return Holds([DEPARTMENT], station.store).undecided()


def newcomers(count, first=0):
    return [Identifier("badge", f"9{number:04d}") for number in range(first, first + count)]


def test_a_roster_changed_by_more_than_a_fifth_is_held_and_everything_else_goes_on(station):
    before = station.store.current(DEPARTMENT).agencies[ICE]
    sample, size = station.sample, before.roster.count
    content = sample.next_roster(ICE, *newcomers(size // 4 + 1))
    sample.publish_roster(ICE, content)
    news = sample.known("DHS-CBP", status="absent")
    sample.publish_roster("DHS-CBP", sample.next_roster("DHS-CBP", news))
    station.clock.advance(minutes=5)
    report = station.ingest()
    (hold,) = report.holds
    assert (report.refusals, hold.agency, hold.sha256) == ([], ICE, sha256_hex(content))
    assert (hold.from_seq, hold.to_seq, hold.signatures) == (1, 2, 2)
    change = hold.change
    assert (change.before, change.after, change.added) == (size, size + size // 4 + 1, size // 4 + 1)
    assert (change.removed, change.altered, change.newly["active"]) == (0, 0, change.added)
    # Role and roster are the last good ones together, so that they expire together.
    assert report.edition.agencies[ICE] == replace(before, newer_not_taken=True)
    assert station.result(newcomers(1)[0], ICE) == "no_match"
    assert station.result(sample.known(ICE), ICE) == "match_active"
    assert station.result(news, "DHS-CBP") == "match_active"
    document = waiting(station)[0].document()
    assert document["since"] == "2026-11-24T05:09:09.000Z"
    assert document["answers_until"] == "2026-11-27T05:04:09.000Z"
    assert document["change"]["added"] == change.added
    assert report.document()["held"] == [hold.document()]


def test_what_is_held_expires_when_it_would_have(station):
    station.sample.publish_roster(ICE, station.sample.small_roster(ICE))
    station.ingest()
    station.clock.advance(hours=71)
    for agency in station.sample.publisher.agencies():
        station.sample.publisher.renew(agency)
    station.sample.release()
    assert [hold.agency for hold in station.ingest().holds] == [ICE]
    assert station.result(station.sample.known(ICE), ICE) == "match_active"
    assert station.result(station.sample.known(ICE), ICE, later=timedelta(hours=1)) == "registry_stale"
    assert station.result(station.sample.known("DHS-CBP"), "DHS-CBP", later=timedelta(hours=1)) == "match_active"


def test_an_approved_roster_is_taken_by_the_next_cycle(station):
    listed, gone = newcomers(1)[0], station.sample.known(ICE)
    station.sample.publish_roster(ICE, station.sample.small_roster(ICE, listed))
    station.ingest()
    assert decide(station, approved=True).to_seq == 2
    assert waiting(station) == []
    report = station.ingest()
    assert (report.holds, report.refusals, report.loaded) == ([], [], [])
    assert report.edition.agencies[ICE].roster.seq == 2
    assert station.result(listed, ICE) == "match_active"
    assert station.result(gone, ICE) == "no_match"


def test_a_rejected_roster_is_refused_by_name_until_the_agency_publishes_another(station):
    station.sample.publish_roster(ICE, station.sample.small_roster(ICE))
    station.ingest()
    decide(station, approved=False)
    report = station.ingest()
    (refusal,) = report.refusals
    assert (refusal.agency, report.holds) == (ICE, [])
    assert refusal.reason == (
        "The roster of DHS-ICE with number 2 was rejected by d.chief at 2026-11-24T05:04:09.000Z "
        "(asked the agency by telephone): the agency has to publish another."
    )
    assert station.result(station.sample.known(ICE), ICE) == "match_active"
    with pytest.raises(RegistryRefused, match="No such roster of DHS-ICE waits"):
        decide(station, approved=True)


def test_a_decision_is_about_exactly_one_roster(station):
    first, second = (station.sample.small_roster(ICE, *newcomers(1, n), seq=2 + n) for n in range(2))
    station.sample.publish_roster(ICE, first)
    station.ingest()
    decide(station, approved=True)
    station.sample.publish_roster(ICE, second)
    assert [hold.sha256 for hold in station.ingest().holds] == [sha256_hex(second)]
    assert station.result(newcomers(1, 1)[0], ICE) == "no_match"


def test_where_two_wait_one_must_be_named(station):
    contents = [station.sample.small_roster(ICE, *newcomers(1, n), seq=2 + n, prev_sha256="a" * 64) for n in (1, 2)]
    for content in contents:
        station.sample.publish_roster(ICE, content)
        station.ingest()
    assert len(waiting(station)) == 2
    with pytest.raises(RegistryRefused, match="name one by --sha256"):
        decide(station, approved=True)
    with pytest.raises(RegistryRefused, match="What waits of it is number 3"):
        decide(station, approved=True, sha256="0" * 64)
    assert decide(station, approved=True, sha256=sha256_hex(contents[1])).to_seq == 4
    station.ingest()
    # Number 4 answers now, so number 3 can never be taken and is nobody's question any more.
    assert waiting(station) == []


def test_nobody_else_is_decided_about(station):
    station.sample.publish_roster(ICE, station.sample.small_roster(ICE))
    station.ingest()
    with pytest.raises(RegistryRefused, match="No such roster of DHS-CBP waits for a decision."):
        decide(station, approved=True, agency="DHS-CBP")
    assert len(waiting(station)) == 1


def test_a_withdrawn_roster_does_not_open_the_way_for_anything(station):
    content = station.sample.small_roster(ICE, *newcomers(3))
    station.sample.publish_roster(ICE, None)
    station.ingest()
    station.sample.publish_roster(ICE, content)
    report = station.ingest()
    assert [hold.agency for hold in report.holds] == [ICE]
    assert report.edition.agencies[ICE].roster is None


def rekeyed(station, epoch=2, **changes):
    """Take in a key of a new epoch, and return a roster blinded with it that lists as many of each kind and status."""
    key = BlindingKey(ICE, epoch, bytes([epoch]) * 32)
    station.keyring.take_in(DEPARTMENT, [key])
    return station.sample.rekeyed_roster(ICE, key, station.sample.known(ICE), **changes)


def test_a_new_epoch_is_compared_by_numbers_and_taken_where_they_agree(station):
    station.sample.publish_roster(ICE, rekeyed(station))
    report = station.ingest()
    assert (report.holds, report.refusals) == ([], [])
    assert report.edition.agencies[ICE].roster.epoch == 2
    assert station.result(station.sample.known(ICE), ICE) == "match_active"


def test_a_key_that_was_retired_does_not_come_back(station):
    first = station.sample.key(ICE)
    station.sample.publish_roster(ICE, rekeyed(station))
    station.ingest()
    again = station.sample.rekeyed_roster(ICE, first)
    station.sample.publish_roster(ICE, again)
    (refusal,) = station.ingest().refusals
    assert "is of key epoch 1, but epoch 2 is held" in refusal.reason
    assert station.store.current(DEPARTMENT).agencies[ICE].roster.epoch == 2


def test_a_new_epoch_whose_numbers_do_not_agree_is_held_and_says_how_it_was_compared(station):
    station.sample.publish_roster(ICE, rekeyed(station, least=3))
    (hold,) = station.ingest().holds
    assert hold.change.by_counts
    assert hold.change.removed > hold.change.after
    assert "By the numbers of each kind and status alone" in hold.reason
    assert station.result(station.sample.known(ICE), ICE) == "match_active"
