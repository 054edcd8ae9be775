"""What is wrong with one agency harms no other: it keeps its last good roster until that expires."""

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.keys import seeded_bytes
from tests.fakes.registry import MemoryRegistry
from tests.registries import SampleRegistry, Station
from verify_service.registry.agency import roster_path
from verify_service.signing import sha256_hex


@pytest.fixture
def station(tmp_path):
    memory = MemoryRegistry()
    return Station(SampleRegistry(tmp_path / "registry"), memory, memory, tmp_path / "ingest")


def refused(report):
    return {refusal.agency: refusal.reason for refusal in report.refusals}


def only_ice_refused(station, words):
    """The agency keeps its last good roster, and everyone else's news arrives."""
    news = station.sample.known("DHS-CBP", status="absent")
    station.sample.publish_roster("DHS-CBP", station.sample.next_roster("DHS-CBP", news))
    report = station.ingest()
    assert list(refused(report)) == ["DHS-ICE"]
    assert words in refused(report)["DHS-ICE"]
    assert station.result(station.sample.known("DHS-ICE"), "DHS-ICE") == "match_active"
    assert station.result(news, "DHS-CBP") == "match_active"
    return report


def test_a_bad_roster_is_refused_whole_and_the_last_good_one_stays(station):
    before = station.ingest().edition.agencies["DHS-ICE"]
    bad = station.sample.next_roster("DHS-ICE", station.sample.known("DHS-ICE")).replace(b"active", b"retired")
    station.sample.publish_roster("DHS-ICE", bad)
    report = only_ice_refused(station, "Line 2 of the roster has none of active")
    # The role that signs for the bad roster is not taken either: the two expire together.
    assert report.edition.agencies["DHS-ICE"] == replace(before, newer_not_taken=True)


def test_a_bad_roster_at_the_first_ingest_leaves_the_agency_without_one(station):
    station.sample.publish_roster("DHS-ICE", station.sample.next_roster("DHS-ICE") + b"\n")
    report = station.ingest()
    assert list(refused(report)) == ["DHS-ICE"]
    assert report.edition.agencies["DHS-ICE"].roster is None
    assert station.result(station.sample.known("DHS-ICE"), "DHS-ICE") == "agency_not_enrolled"


def test_a_roster_that_was_put_right_is_taken_in_the_next_cycle(station):
    station.ingest()
    gone = station.sample.known("DHS-ICE")
    good = station.sample.next_roster("DHS-ICE", without=[gone])
    station.sample.publish_roster("DHS-ICE", good + b"x")
    station.ingest()
    station.sample.publish_roster("DHS-ICE", good)
    assert station.ingest().refusals == []
    assert station.result(gone, "DHS-ICE") == "no_match"


def test_a_roster_of_a_time_to_come_is_refused(station):
    station.ingest()
    late = station.clock.now() + timedelta(minutes=6)
    station.sample.publish_roster("DHS-ICE", station.sample.next_roster("DHS-ICE", issued_at=late))
    only_ice_refused(station, "which has not come yet")


def test_a_roster_said_to_be_too_large_is_not_even_fetched(station):
    station.ingest()

    def enlarge(signed):
        signed.targets[roster_path("DHS-ICE")].length = 65 * 1024 * 1024

    station.sample.resign("DHS-ICE", enlarge)
    only_ice_refused(station, "67108864 are allowed")


@pytest.mark.parametrize("digest", ["../../secret", "\0" * 64, "A" * 64, ""])
def test_a_digest_that_is_none_is_refused(station, digest):
    station.ingest()

    def falsify(signed):
        signed.targets[roster_path("DHS-ICE")].hashes = {"sha256": digest}

    station.sample.resign("DHS-ICE", falsify)
    only_ice_refused(station, "is signed for without a SHA-256")


def test_a_version_that_no_database_takes_is_refused(station):
    station.ingest()

    def leap(signed):
        signed.version = 2**70

    station.sample.resign("DHS-ICE", leap)
    only_ice_refused(station, "its signers have to go back")


def test_what_revoked_keys_signed_answers_no_longer(station):
    station.ingest()
    sample = station.sample
    shutil.rmtree(sample.folder / "private/keys/DHS-ICE")
    sample.keys.make("DHS-ICE", 3, seeded_bytes(9))
    # The authority names the agency's new keys, and the agency has signed nothing with them yet.
    sample.publisher.targets(sample.profiles())
    sample.release()
    report = station.ingest()
    reasons = [refusal.reason for refusal in report.refusals if refusal.agency == "DHS-ICE"]
    assert "The role of DHS-ICE is not signed by enough of its keys" in reasons[0]
    assert "The last good role of DHS-ICE is not signed by enough of its keys" in reasons[1]
    assert len(report.refusals) == 2
    assert station.result(sample.known("DHS-ICE"), "DHS-ICE") == "agency_not_enrolled"
    assert station.result(sample.known("DHS-CBP"), "DHS-CBP") == "match_active"
    sample.publisher.renew("DHS-ICE")
    sample.release()
    assert station.ingest().refusals == []
    assert station.result(sample.known("DHS-ICE"), "DHS-ICE") == "match_active"


def test_a_profile_of_another_agency_is_refused_and_the_last_good_one_stays(station):
    station.ingest()
    profiles = {profile.agency: profile for profile in station.sample.profiles()}
    path = "profiles/DHS-ICE/profile.json"
    content = profiles["DHS-CBP"].content()
    folder = station.sample.folder / "targets/profiles/DHS-ICE"
    (folder / f"{sha256_hex(content)}.profile.json").write_bytes(content)
    station.sample.add_target("targets", path, content)
    report = station.ingest()
    assert "says that it is of DHS-CBP" in refused(report)["DHS-ICE"]
    assert report.edition.agencies["DHS-ICE"].profile == profiles["DHS-ICE"]


def test_a_lower_level_takes_effect_even_where_the_agencys_roster_is_refused(station):
    station.ingest()
    lowered = [
        profile if profile.agency != "DHS-ICE" else type(profile)(**{**vars(profile), "level": 1})
        for profile in station.sample.profiles()
    ]
    station.sample.publisher.targets(lowered)
    station.sample.publish_roster("DHS-ICE", b"not a roster\n")
    station.ingest()
    assert station.result(station.sample.known("DHS-ICE"), "DHS-ICE") == "agency_not_enrolled"


def test_an_agency_that_withdraws_its_roster_or_leaves_is_no_longer_asked(station):
    station.ingest()
    station.sample.publish_roster("DHS-ICE", None)
    assert station.ingest().edition.agencies["DHS-ICE"].roster is None
    station.sample.remove("DHS-CBP")
    assert "DHS-CBP" not in station.ingest().edition.agencies
