"""What has expired, was not taken and expires next is said in words, and nothing more is told to callers."""

import re

import pytest

from tests.fakes.registry import MemoryRegistry
from tests.registries import DEPARTMENT, SampleRegistry, Station
from verify_service.errors import RegistryRefused
from verify_service.signing import sha256_hex

ICE = "DHS-ICE"


@pytest.fixture
def station(tmp_path):
    memory = MemoryRegistry()
    return Station(SampleRegistry(tmp_path / "registry"), memory, memory, tmp_path / "ingest")


def status(station):
    return station.registry.status(DEPARTMENT, station.clock.now())


def kinds(station):
    return [(alert.kind, alert.agency) for alert in status(station).alerts]


def renewed(station, *, but=()):
    for agency in station.sample.publisher.agencies():
        if agency not in but:
            station.sample.publisher.renew(agency)
    station.sample.release()


def test_before_the_first_ingest_that_is_what_is_said(station, tmp_path):
    assert kinds(station) == [("never_ingested", None)]
    (tmp_path / "empty").mkdir()
    with pytest.raises(RegistryRefused):
        station.ingest(tmp_path / "empty")
    assert kinds(station) == [("never_ingested", None), ("refused", None)]
    assert status(station).ok is False


def test_what_expires_next_is_said_while_all_is_well(station):
    station.ingest()
    station.clock.advance(minutes=30)
    (alert,) = status(station).alerts
    assert (alert.kind, alert.agency) == ("expires_next", None)
    assert alert.sentence == ("Next to expire, in 23 h 30 min, at 2026-11-25T05:04:09.000Z: the registry's timestamp.")
    assert status(station).ok is True


def test_an_agency_that_stops_publishing_is_named_when_it_is_next_and_when_it_expired(station):
    station.ingest()
    station.clock.advance(hours=71)
    renewed(station, but=[ICE])
    station.ingest()
    assert kinds(station) == [("expires_next", ICE)]
    station.clock.advance(hours=1)
    renewed(station, but=[ICE])
    station.ingest()
    expired, refused, coming = status(station).alerts
    assert expired.sentence == (
        "EXPIRED 2026-11-27T05:04:09.000Z: the roster of DHS-ICE. Every answer about DHS-ICE says registry_stale."
    )
    assert (refused.kind, refused.agency, coming.kind) == ("refused", ICE, "expires_next")
    document = next(each for each in status(station).document()["agencies"] if each["agency"] == ICE)
    assert document["fresh_until"] == "2026-11-27T05:04:09.000Z"
    assert document["setback"]["stands"] is True
    assert "has expired" in document["setback"]["reason"]
    assert document["roster"]["age_seconds"] == 72 * 3600


def test_an_agency_without_rosters_is_not_missed(station):
    station.ingest()
    station.clock.advance(hours=73)
    rosterless = [code for code, agency in status(station).edition.agencies.items() if agency.profile.level < 3]
    renewed(station, but=rosterless)
    station.ingest()
    assert rosterless
    assert not [alert for alert in status(station).alerts if alert.kind == "expired"]


def test_what_everybody_rests_on_is_said_first(station):
    station.ingest()
    station.clock.advance(hours=24)
    station.sample.publish_roster(ICE, b"no roster\n")
    first, second, *_ = status(station).alerts
    assert first.sentence == (
        "EXPIRED 2026-11-25T05:04:09.000Z: the registry's timestamp. Every answer says registry_stale."
    )
    assert second.kind == "silent"


def test_an_ingest_that_no_longer_runs_is_missed_after_an_hour(station):
    station.ingest()
    station.clock.advance(hours=1)
    assert kinds(station) == [("expires_next", None)]
    station.clock.advance(seconds=1)
    assert kinds(station) == [("silent", None), ("expires_next", None)]


def test_a_clock_that_is_behind_is_said_first_as_the_answers_have_it(station):
    station.ingest()
    badge = station.sample.known(ICE)
    station.clock.advance(minutes=-5)
    assert kinds(station) == [("expires_next", None)]
    station.clock.advance(milliseconds=-1)
    assert kinds(station) == [("clock_behind", None), ("expires_next", None)]
    assert status(station).alerts[0].sentence == (
        "CLOCK BEHIND: it says 2026-11-24T04:59:08.999Z, but the registry was found good at 2026-11-24T05:04:09.000Z. "
        "With it, what has expired would pass for fresh, so every answer says registry_stale."
    )
    assert station.result(badge, ICE) == "registry_stale"
    assert not status(station).ok


def test_a_setback_is_told_for_good_and_loud_until_it_was_overcome(station):
    station.ingest()
    station.sample.publish_roster(ICE, station.sample.small_roster(ICE))
    station.ingest()
    assert kinds(station) == [("held", ICE), ("expires_next", None)]
    held = status(station).alerts[0]
    assert "What was taken before answers until 2026-11-27T05:04:09.000Z." in held.sentence
    station.sample.publish_roster(ICE, station.sample.roster(ICE))
    station.sample.publisher.agency(ICE, None)
    station.sample.release()
    station.ingest()
    assert kinds(station) == [("expires_next", None)]
    assert status(station).setbacks[ICE].cycle == 2
    assert status(station).ok is True


def test_a_refusal_of_everything_is_loud_until_a_cycle_is_good(station, tmp_path):
    station.ingest()
    (tmp_path / "empty").mkdir()
    with pytest.raises(RegistryRefused):
        station.ingest(tmp_path / "empty")
    refused, _ = status(station).alerts
    assert (refused.kind, refused.agency) == ("refused", None)
    assert "cannot be fetched" in refused.for_operator
    station.ingest()
    assert kinds(station) == [("expires_next", None)]


def test_no_sentence_for_callers_names_a_key_a_path_or_a_person(station, tmp_path):
    station.ingest()
    station.sample.publish_roster(ICE, b"no roster\n")
    content = station.sample.next_roster("DHS-CBP")
    station.sample.publish_roster("DHS-CBP", content)
    station.sample.roster_file("DHS-CBP", sha256_hex(content)).unlink()
    station.sample.add_target("DOJ-FBI", "rosters/DHS-CBP/roster.jsonl")
    station.ingest()
    (tmp_path / "empty").mkdir()
    with pytest.raises(RegistryRefused):
        station.ingest(tmp_path / "empty")
    alerts = status(station).alerts
    assert len(alerts) > 3
    for alert in alerts:
        assert not re.search(r"[0-9a-f]{16}|/|\\|json|Error", str(alert.document())), alert
