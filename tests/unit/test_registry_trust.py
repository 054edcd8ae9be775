"""Nothing old, foreign or out of time is taken for the registry, and what stands stays."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.fakes.clock import SetClock
from tests.fakes.keys import seeded_bytes
from tests.fakes.registry import MemoryRegistry
from tests.registries import DEPARTMENT, SampleRegistry, Station
from verify_service.errors import RegistryRefused
from verify_service.registry.agency import roster_path
from verify_service.registry.cycle import Notice
from verify_service.registry.edition import SignedFile
from verify_service.registry.high_water import raised
from verify_service.registry.intake import Mark
from verify_service.registry.publication import VerifiedFile
from verify_service.registry.publish import Publisher
from verify_service.registry.signing_keys import SigningKeys
from verify_service.signing import sha256_hex


@pytest.fixture
def station(tmp_path):
    memory = MemoryRegistry()
    return Station(SampleRegistry(tmp_path / "registry"), memory, memory, tmp_path / "ingest")


def refused(report):
    return {refusal.agency: refusal.reason for refusal in report.refusals}


def test_the_authority_signs_for_profiles_alone(station):
    station.sample.add_target("targets", roster_path("DHS-ICE"))
    with pytest.raises(RegistryRefused, match="no agency's profile"):
        station.ingest()


def verified(version, keys, role="DHS-ICE"):
    return VerifiedFile(role, b"", SignedFile(version, f"{version:064x}", datetime(2030, 1, 1, tzinfo=UTC)), keys)


def test_a_role_whose_keys_were_rotated_begins_anew_but_a_root_never(tmp_path):
    stolen = Mark(2**31, "f" * 64, "old keys")
    assert raised(stolen, verified(5, "new keys")).version == 5
    with pytest.raises(RegistryRefused):
        raised(stolen, verified(5, "old keys"))
    with pytest.raises(RegistryRefused):
        raised(stolen, verified(5, "new keys", "root"))


def test_expiry_is_judged_by_the_given_clock_and_not_the_machines(tmp_path):
    long_ago = SetClock(datetime(2020, 1, 1, tzinfo=UTC))
    memory = MemoryRegistry()
    station = Station(SampleRegistry(tmp_path / "registry", long_ago), memory, memory, tmp_path / "ingest")
    assert station.ingest().refusals == []
    long_ago.advance(hours=25)
    with pytest.raises(RegistryRefused, match="has expired"):
        station.ingest()
    far_off = SetClock(datetime(2090, 1, 1, tzinfo=UTC))
    station = Station(SampleRegistry(tmp_path / "later", far_off), memory, memory, tmp_path / "other", "LASD")
    assert station.ingest().refusals == []


def test_a_registry_of_another_authority_is_refused(station, tmp_path):
    other = tmp_path / "other"
    SampleRegistry(other, station.clock)
    keys = SigningKeys(other / "private/keys")
    shutil.rmtree(other / "private/keys/timestamp")
    keys.make("timestamp", 1, seeded_bytes(8))
    Publisher(other, keys, station.clock.now()).timestamp()
    with pytest.raises(RegistryRefused, match="not signed by enough"):
        station.ingest(other)


def test_a_pinned_root_that_was_touched_is_refused(station):
    station.sample.root = station.sample.root.replace(b'"version":1', b'"version":2')
    with pytest.raises(RegistryRefused, match="pinned root"):
        station.ingest()


def test_the_report_says_what_was_done(station):
    station.ingest()
    changed = station.sample.next_roster("DHS-ICE", station.sample.known("DHS-ICE"), status="suspended")
    station.sample.publish_roster("DHS-ICE", changed)
    station.sample.publish_roster("DHS-CBP", b"\n")
    report = station.ingest().document()
    assert report.pop("fetched").keys() == {"files", "bytes"}
    assert report == {
        "cycle": 2,
        "started_at": "2026-11-24T05:04:09.000Z",
        "ended_at": "2026-11-24T05:04:09.000Z",
        "edition": 2,
        "changed": True,
        "agencies": 9,
        "synthetic": True,
        "loaded": [{"agency": "DHS-ICE", "entries": changed.count(b"\n") - 1}],
        "refused": [{"agency": "DHS-CBP", "reason": "The roster's header is not JSON."}],
        "held": [],
        "blinding_keys_of": [],
        "changed_trust": [],
    }


def test_progress_is_told_for_each_agency(station):
    told = []
    station.ingest(progress=lambda *step: told.append(step))
    assert told[0] == ("DHS-CBP", 0, 9)
    assert told[-1] == ("", 9, 9)
    assert len(told) == 10


def test_a_root_without_consistent_snapshots_is_refused(station):
    def mix(signed):
        signed.consistent_snapshot = False

    station.sample.resign("root", mix)
    for path in (station.sample.folder / "metadata").glob("*.json"):
        role = path.name.removesuffix(".json").partition(".")[2]
        if role in {"snapshot", "targets"}:
            path.with_name(f"{role}.json").write_bytes(station.sample.newest(role).read_bytes())
    with pytest.raises(RegistryRefused, match="consistent snapshots"):
        station.ingest()


def test_a_new_root_signed_by_the_old_one_is_followed_and_both_are_kept(station):
    station.sample.publisher.root()
    station.ingest()
    edition = station.store.current(DEPARTMENT)
    assert edition.root.version == 2
    assert station.store.file(DEPARTMENT, sha256_hex(station.sample.root)) == station.sample.root


def begun_anew(station, spare):
    """Publish the registry from its first root on anew, as its holders do whose root keys were stolen, and pin that."""
    sample = station.sample
    shutil.rmtree(sample.folder / "metadata")
    shutil.copytree(spare, sample.folder / "metadata")
    (sample.folder / "metadata/1.root.json").unlink()
    shutil.rmtree(sample.folder / "private/keys/root")
    sample.keys.make("root", 5, seeded_bytes(8))
    sample.root = sample.publisher.root()
    sample.release()


def test_another_root_is_followed_once_it_is_pinned_and_the_old_marks_stand_under_the_old_one(station, tmp_path):
    sample, old = station.sample, station.sample.root
    shutil.copytree(sample.folder / "metadata", tmp_path / "spare")
    for _ in range(4):
        sample.publisher.timestamp()
    assert station.ingest().edition.timestamp.version == 5
    begun_anew(station, tmp_path / "spare")
    new, sample.root = sample.root, old
    with pytest.raises(RegistryRefused):
        station.ingest()
    sample.root = new
    station.clock.advance(minutes=10)
    report = station.ingest()
    assert (report.refusals, report.edition.timestamp.version) == ([], 2)
    assert report.end.notices == [Notice(None, station.clock.now(), sha256_hex(old), sha256_hex(new))]
    assert station.result(sample.known("DHS-ICE"), "DHS-ICE") == "match_active"
    assert station.store.marks(DEPARTMENT, sha256_hex(old))["timestamp"].version == 5
    assert station.store.marks(DEPARTMENT, sha256_hex(new))["timestamp"].version == 2
    assert station.ingest().end.notices == []


def test_a_newer_root_of_the_same_chain_that_is_pinned_opens_no_way_back(station, tmp_path):
    sample = station.sample
    shutil.copytree(sample.folder / "metadata", tmp_path / "spare")
    newer = sample.publisher.root()
    sample.release()
    station.ingest()
    sample.root = newer
    path = sample.folder / "metadata/timestamp.json"
    path.write_bytes((tmp_path / "spare/timestamp.json").read_bytes())
    with pytest.raises(RegistryRefused, match="Version 1 of timestamp is older than version 2"):
        station.ingest()


def test_a_held_number_that_changed_is_told(station):
    station.ingest()
    profiles = {profile.agency: profile for profile in station.sample.profiles()}
    old = profiles["DHS-ICE"].callback
    profiles["DHS-ICE"] = replace(profiles["DHS-ICE"], callback=replace(old, number="+12025550177"))
    profiles["DHS-CBP"] = replace(profiles["DHS-CBP"], callback=replace(old, number=profiles["DHS-CBP"].held_number))
    station.sample.publisher.targets(profiles.values())
    station.sample.release()
    report = station.ingest()
    assert report.end.notices == [Notice("DHS-ICE", station.clock.now(), old.number, "+12025550177")]
    assert report.document()["changed_trust"] == [
        {"agency": "DHS-ICE", "at": "2026-11-24T05:04:09.000Z", "was": old.number, "now": "+12025550177"}
    ]
    told, _ = station.registry.status(DEPARTMENT, station.clock.now()).alerts
    assert told.sentence == "CHANGED 2026-11-24T05:04:09.000Z: the held number of DHS-ICE."
    assert told.for_operator.startswith(f"From {old.number} to +12025550177. Call the number of before, and ask ")
    assert station.ingest().end.notices == []
    later = station.registry.status(DEPARTMENT, station.clock.now() + timedelta(hours=73)).alerts
    assert "changed" not in {alert.kind for alert in later}
