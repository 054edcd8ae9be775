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
    holds = Holds([DEPARTMENT], station.store)
    (meant,) = holds.meant(agency, **options)
    holds.decide([meant], decision, lambda _, decision: decision)
    return meant.hold


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


def test_one_that_the_agency_replaced_waits_no_more_until_it_is_published_again(station):
    contents = [station.sample.small_roster(ICE, *newcomers(1, n), seq=2 + n, prev_sha256="a" * 64) for n in (1, 2)]
    for content in contents:
        station.sample.publish_roster(ICE, content)
        station.ingest()
    assert [each.hold.to_seq for each in waiting(station)] == [4]
    with pytest.raises(RegistryRefused, match="What waits of it is number 4"):
        decide(station, approved=True, sha256=sha256_hex(contents[0]))
    station.sample.publish_roster(ICE, contents[0])
    station.ingest()
    assert [each.hold.to_seq for each in waiting(station)] == [3]
    station.sample.publish_roster(ICE, contents[1])
    station.ingest()
    assert decide(station, approved=True, sha256=sha256_hex(contents[1])).to_seq == 4
    station.ingest()
    # Number 4 answers now, so number 3 can never be taken and is nobody's question any more.
    assert waiting(station) == []


def test_where_departments_hold_different_ones_one_must_be_named(station, tmp_path):
    later = Station(station.sample, station.store, station.store, tmp_path / "later", "SFPD")
    later.ingest()
    contents = [station.sample.small_roster(ICE, *newcomers(1, n), seq=2 + n, prev_sha256="a" * 64) for n in (1, 2)]
    for content, each in zip(contents, (station, later), strict=True):
        each.sample.publish_roster(ICE, content)
        each.ingest()
    holds = Holds([DEPARTMENT, "SFPD"], station.store)
    with pytest.raises(RegistryRefused, match="name one by --sha256"):
        holds.meant(ICE)
    (meant,) = holds.meant(ICE, sha256_hex(contents[1]))
    assert (meant.department, meant.hold.to_seq) == ("SFPD", 4)


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


def test_a_new_epoch_waits_even_where_the_numbers_agree_since_it_may_list_anybody(station):
    station.sample.publish_roster(ICE, rekeyed(station))
    (hold,) = station.ingest().holds
    assert (hold.change.added, hold.change.removed, hold.change.altered) == (0, 0, 0)
    assert hold.grounds == ("It has another key, so that nobody can tell from here whether it lists the same people.",)
    decide(station, approved=True)
    assert station.ingest().edition.agencies[ICE].roster.epoch == 2
    assert station.result(station.sample.known(ICE), ICE) == "match_active"


def test_a_key_that_was_retired_does_not_come_back(station):
    first = station.sample.key(ICE)
    station.sample.publish_roster(ICE, rekeyed(station))
    station.ingest()
    decide(station, approved=True)
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


def shrunk(station, part):
    """Publish a roster without so many entries of the last, and return the holds of the cycle that meets it."""
    _, *lines = station.sample.roster(ICE).splitlines(keepends=True)
    station.sample.publish_roster(ICE, station.sample.followed(ICE, lines[int(len(lines) * part) :]))
    station.clock.advance(minutes=10)
    return station.ingest().holds


def test_a_list_does_not_melt_away_in_small_steps(station):
    size = station.store.current(DEPARTMENT).agencies[ICE].roster.count
    assert shrunk(station, 0.15) == []
    (hold,) = shrunk(station, 0.15)
    assert hold.change.is_large is False
    assert hold.change.before - hold.change.removed == hold.change.after
    assert f"Since number 1, within 72 hours, 0 entries were added, {size - hold.change.after} removed" in hold.reason
    assert (hold.from_seq, hold.to_seq) == (2, 3)
    # It waits on, though what it was compared with is long ago by now.
    station.clock.advance(hours=71)
    for agency in station.sample.publisher.agencies():
        station.sample.publisher.renew(agency)
    station.sample.release()
    assert station.ingest().holds == [hold]


def test_what_a_person_approved_is_where_the_next_steps_are_counted_from(station):
    assert len(shrunk(station, 0.5)) == 1
    decide(station, approved=True)
    assert station.ingest().holds == []
    assert shrunk(station, 0.15) == []
    assert len(shrunk(station, 0.15)) == 1


def test_small_steps_that_are_far_apart_are_nobodys_question(station):
    for _ in range(3):
        assert shrunk(station, 0.15) == []
        station.clock.advance(hours=73)
        for agency in station.sample.publisher.agencies():
            station.sample.publisher.renew(agency)
        station.sample.release()


OP_CODES_FIRST = "It is the first with numbers of the kind op_code."


@pytest.mark.parametrize(
    ("before", "after", "ground"),
    [
        ({"badge": "partial"}, {"badge": "complete"}, "It calls itself complete for badge, so that"),
        ({}, {"op_code": "partial"}, OP_CODES_FIRST),
        ({}, {"op_code": "complete"}, OP_CODES_FIRST),
    ],
)
def test_a_roster_that_covers_more_than_before_waits(station, before, after, ground):
    covered = station.store.current(DEPARTMENT).agencies[ICE].roster.coverage
    for coverage in (before, after):
        station.sample.publish_roster(ICE, station.sample.next_roster(ICE, coverage={**covered, **coverage}))
        report = station.ingest()
    (hold,) = report.holds
    assert (hold.change.added, hold.change.removed, hold.change.altered) == (0, 0, 0)
    assert ground in hold.reason
    assert waiting(station)[0].hold == hold


def test_a_roster_that_covers_less_is_taken(station):
    covered = station.store.current(DEPARTMENT).agencies[ICE].roster.coverage
    station.sample.publish_roster(ICE, station.sample.next_roster(ICE, coverage={**covered, "badge": "partial"}))
    assert station.ingest().holds == []


def test_a_number_far_past_the_last_waits(station):
    far = station.sample.next_roster(ICE, seq=2**53 - 1, prev_sha256="a" * 64)
    station.sample.publish_roster(ICE, far)
    (hold,) = station.ingest().holds
    assert "Its number is more than 1000 past the last." in hold.reason


def test_a_number_or_epoch_of_before_does_not_come_back_after_a_withdrawal(station):
    sample = station.sample
    first, second = sample.roster(ICE), sample.next_roster(ICE, seq=3, prev_sha256="a" * 64)
    third = sample.next_roster(ICE, seq=2)
    sample.publish_roster(ICE, second)
    assert station.ingest().edition.agencies[ICE].roster.seq == 3
    sample.publish_roster(ICE, None)
    assert station.ingest().edition.agencies[ICE].roster is None
    for played_back in (first, third):
        sample.publish_roster(ICE, played_back)
        (refusal,) = station.ingest().refusals
        assert "but number 3 is held: an old one is being played back" in refusal.reason
    sample.publish_roster(ICE, second)
    assert station.ingest().edition.agencies[ICE].roster.seq == 3
