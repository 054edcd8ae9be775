"""Attacks 1 to 5, 15 and 18 to 20 on the registry: old states, frozen and mixed ones, and clocks.

Each needs no more than the network, the online keys, or this machine's clock or disk.
"""

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.attack.thief import leap, path_of, rotate, sign


def suspend(besieged):
    """Publish and take in that the agent was suspended."""
    sample = besieged.sample
    sample.publish_roster("DHS-ICE", sample.next_roster("DHS-ICE", besieged.agent, status="suspended"))
    besieged.ingest()
    assert besieged.result(besieged.agent, "DHS-ICE") == "match_inactive"


def test_r01_an_old_timestamp_is_not_played_back(besieged, site, sample):
    old = path_of(sample, "timestamp").read_bytes()
    sample.publisher.timestamp()
    besieged.ingest()
    site.says("metadata/timestamp.json", old)
    besieged.refuses_all("timestamp, snapshot or targets has another version than it must have")


def test_r02_a_role_is_not_set_back_even_by_who_stole_the_online_keys(besieged, sample):
    suspend(besieged)
    sample.newest("DHS-ICE").unlink()
    sample.release()
    besieged.refuses_all("has another version than it must have")
    assert besieged.result(besieged.agent, "DHS-ICE") == "match_inactive"


def test_r03_a_frozen_registry_goes_stale(besieged):
    assert besieged.result(besieged.agent, "DHS-ICE") == "match_active"
    besieged.clock.advance(days=2)
    assert besieged.result(besieged.agent, "DHS-ICE") == "registry_stale"
    besieged.refuses_all("has expired: its signers have to publish it anew")


def test_r04_an_agency_that_stops_publishing_goes_stale_alone(besieged, sample):
    before = besieged.standing().agencies["DHS-ICE"]
    besieged.clock.advance(hours=73)
    for agency in sample.publisher.agencies():
        if agency != "DHS-ICE":
            sample.publisher.renew(agency)
    sample.release()
    (refusal,) = besieged.ingest().refusals
    assert refusal.agency == "DHS-ICE"
    assert "has expired" in refusal.reason
    assert besieged.standing().agencies["DHS-ICE"] == replace(before, newer_not_taken=True)
    assert besieged.result(besieged.agent, "DHS-ICE") == "registry_stale"
    assert besieged.result(sample.known("DHS-CBP"), "DHS-CBP") == "match_active"


def test_r05_a_snapshot_is_not_mixed_with_a_timestamp_that_names_another(besieged, sample):
    suspended = sample.next_roster("DHS-ICE", besieged.agent, status="suspended")
    sample.publish_roster("DHS-ICE", suspended)

    def pass_over_the_suspension(signed):
        signed.version -= 1
        signed.meta["DHS-ICE.json"].version = 1

    sign(sample, "snapshot", *sample.keys.load("snapshot"), change=pass_over_the_suspension)
    besieged.refuses_all("is not the file that was signed for")


def test_r05_a_role_is_not_mixed_with_a_snapshot_that_names_another(besieged, site, sample):
    sample.publish_roster("DHS-ICE", sample.next_roster("DHS-ICE", sample.known("DHS-ICE", status="absent")))
    named = sample.newest("DHS-ICE")
    good = named.read_bytes()

    def sign_the_same_version_twice(signed):
        signed.version -= 1
        signed.expires += timedelta(hours=1)

    sign(sample, "DHS-ICE", *sample.keys.load("DHS-ICE")[:2], change=sign_the_same_version_twice)
    site.says(f"metadata/{named.name}", named.read_bytes())
    named.write_bytes(good)
    besieged.refuses_ice("is not the file that was signed for")


def test_r15_a_thief_who_leaps_ahead_is_got_rid_of_with_new_keys(besieged, sample):
    good = path_of(sample, "timestamp").read_bytes()
    sign(sample, "timestamp", *sample.keys.load("timestamp"), change=leap)
    assert besieged.ingest().edition.timestamp.version == 2**31
    path_of(sample, "timestamp").write_bytes(good)
    sample.publisher.timestamp()
    besieged.refuses_all("has another version than it must have")
    rotate(sample, "timestamp", 7)
    sample.publisher.root()
    path_of(sample, "timestamp").write_bytes(good)
    sample.publisher.timestamp()
    edition = besieged.ingest().edition
    assert (edition.root.version, edition.timestamp.version) == (2, 2)


def test_r15_an_agency_whose_thief_leapt_ahead_goes_on_with_new_keys(besieged, sample):
    leapt = sign(sample, "DHS-ICE", *sample.keys.load("DHS-ICE"), change=leap)
    sample.release()
    assert besieged.ingest().edition.agencies["DHS-ICE"].role.version == 2**31
    leapt.unlink()
    # The snapshot cannot go back for its agency either, unless its keys are new ones too.
    for role in ("DHS-ICE", "snapshot"):
        rotate(sample, role, 8)
    sample.publisher.root()
    sample.publisher.targets(sample.profiles())
    sample.publisher.renew("DHS-ICE")
    sample.release()
    report = besieged.ingest()
    assert report.refusals == []
    assert report.edition.agencies["DHS-ICE"].role.version == 2


def test_r18_an_old_state_is_refused_even_where_the_folder_was_wiped(besieged, tmp_path, sample):
    shutil.copytree(sample.folder, tmp_path / "old")
    sample.publisher.timestamp()
    besieged.ingest()
    shutil.rmtree(besieged.folder)
    besieged.site.says("metadata/timestamp.json", (tmp_path / "old/metadata/timestamp.json").read_bytes())
    besieged.refuses_all("Version 1 of timestamp is older than version 2")


def test_r18_an_old_role_under_new_snapshots_is_refused_for_that_agency(besieged, sample):
    suspend(besieged)
    sample.newest("DHS-ICE").unlink()
    # Whoever holds the online keys signs a snapshot that goes back to version 1.
    sample.release()
    shutil.rmtree(besieged.folder)
    (refusal,) = besieged.ingest().refusals
    assert refusal.agency == "DHS-ICE"
    assert "Version 1 of DHS-ICE is older than version 2" in refusal.reason
    assert besieged.result(besieged.agent, "DHS-ICE") == "match_inactive"


def test_r18_one_version_with_two_contents_is_refused(besieged, sample):
    shutil.rmtree(besieged.folder)
    path = path_of(sample, "timestamp")
    path.write_bytes(path.read_bytes() + b"\n")
    besieged.refuses_all("two different versions 1 of timestamp")


def test_r19_with_a_clock_set_back_nothing_expired_is_taken_for_fresh(besieged):
    besieged.clock.advance(days=-400)
    besieged.refuses_all("set the clock")
    assert besieged.store.cycles[-1]["edition"] is None
    assert besieged.result(besieged.agent, "DHS-ICE") == "registry_stale"
    besieged.clock.advance(days=400, seconds=-1)
    besieged.refuses_all("set the clock")
    # That much any two machines may be apart.
    assert besieged.result(besieged.agent, "DHS-ICE") == "match_active"


@pytest.mark.parametrize(("role", "days"), [("targets", 91), ("root", 366)])
def test_r20_a_root_or_targets_that_expired_stops_everything(besieged, sample, role, days):
    besieged.clock.advance(days=days)
    if role == "root":
        sample.publisher.targets(sample.profiles())
    for agency in sample.publisher.agencies():
        sample.publisher.renew(agency)
    sample.release()
    besieged.refuses_all(f"{role}.* has expired" if role == "targets" else "has expired")
    assert besieged.result(besieged.agent, "DHS-ICE") == "registry_stale"


def test_r20_a_registry_that_is_down_leaves_the_last_edition_until_it_expires(besieged, site):
    site.address = "http://127.0.0.1:1"
    besieged.refuses_all("cannot be fetched")
    assert besieged.result(besieged.agent, "DHS-ICE") == "match_active"
    assert besieged.result(besieged.agent, "DHS-ICE", later=timedelta(hours=25)) == "registry_stale"
