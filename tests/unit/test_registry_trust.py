"""Nothing old, foreign or out of time is taken for the registry, and what stands stays."""

import fcntl
import json
import shutil
from datetime import UTC, datetime

import pytest
from tuf.api.metadata import DelegatedRole

from tests.fakes.clock import SetClock
from tests.fakes.keys import seeded_bytes
from tests.fakes.registry import MemoryRegistry
from tests.registries import DEPARTMENT, SampleRegistry, Station
from verify_service.errors import RegistryRefused
from verify_service.registry.agency import roster_path
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


@pytest.mark.parametrize(
    ("paths", "terminating"),
    [
        (["rosters/*/*"], True),
        (["rosters/*/roster.jsonl"], True),
        (["rosters/DHS-ICE/roster.jsonl", "rosters/DHS-CBP/roster.jsonl"], True),
        (["rosters/DHS-CBP/roster.jsonl"], False),
        (["rosters/DHS-ICE/roster.jsonl"], True),
    ],
)
def test_a_delegation_that_reaches_further_than_its_agency_stops_everything(station, paths, terminating):
    station.ingest()

    def widen(signed):
        role = signed.delegations.roles["DHS-CBP"]
        signed.delegations.roles["DHS-CBP"] = DelegatedRole("DHS-CBP", role.keyids, 2, terminating, paths)

    station.sample.resign("targets", widen)
    with pytest.raises(RegistryRefused, match="'DHS-CBP' something else"):
        station.ingest()
    assert station.store.cycles[-1]["edition"] is None


def test_the_authority_signs_for_profiles_alone(station):
    station.sample.add_target("targets", roster_path("DHS-ICE"))
    with pytest.raises(RegistryRefused, match="no agency's profile"):
        station.ingest()


def test_an_old_state_is_refused_even_where_the_folder_was_wiped(station, tmp_path):
    shutil.copytree(station.sample.folder, tmp_path / "old")
    station.clock.advance(hours=1)
    station.sample.publisher.timestamp()
    station.ingest()
    shutil.rmtree(station.folder)
    with pytest.raises(RegistryRefused, match="Version 1 of timestamp is older than version 2"):
        station.ingest(tmp_path / "old")
    assert station.store.current(DEPARTMENT).timestamp.version == 2


def test_an_old_role_under_new_snapshots_is_refused_for_that_agency(station, tmp_path):
    station.sample.publish_roster("DHS-ICE", station.sample.next_roster("DHS-ICE"))
    station.ingest()
    station.sample.newest("DHS-ICE").unlink()
    # Whoever holds the online keys signs a snapshot that goes back to version 1.
    station.sample.release()
    shutil.rmtree(station.folder)
    report = station.ingest()
    assert "Version 1 of DHS-ICE is older than version 2" in refused(report)["DHS-ICE"]


def test_one_version_with_two_contents_is_refused(station, tmp_path):
    station.ingest()
    shutil.rmtree(station.folder)
    path = station.sample.folder / "metadata/timestamp.json"
    signed = json.loads(path.read_bytes())
    path.write_bytes(json.dumps(signed, indent=1).encode())
    with pytest.raises(RegistryRefused, match="two different versions 1 of timestamp"):
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


def test_a_clock_that_runs_backwards_is_refused(station):
    station.ingest()
    station.clock.advance(seconds=-1)
    with pytest.raises(RegistryRefused, match="set the clock"):
        station.ingest()
    assert "set the clock" in station.store.last_cycle(DEPARTMENT).refusals[0].reason


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


def test_two_ingests_do_not_run_at_once(station):
    station.ingest()
    with (station.folder / "ingest.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(RegistryRefused, match="Another ingest"):
            station.ingest()
    assert len(station.store.cycles) == 1
    station.ingest()


def test_a_registry_that_is_gone_leaves_the_last_edition(station, tmp_path):
    station.ingest()
    (tmp_path / "empty").mkdir()
    with pytest.raises(RegistryRefused, match="cannot be fetched"):
        station.ingest(tmp_path / "empty")
    assert station.result(station.sample.known("DHS-ICE"), "DHS-ICE") == "match_active"


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


def test_a_root_with_strangers_keys_is_not_followed(station):
    station.ingest()
    keys = station.sample.keys
    shutil.rmtree(keys._folder / "root")
    keys.make("root", 5, seeded_bytes(9))
    station.sample.publisher.root()
    with pytest.raises(RegistryRefused, match="not signed by enough"):
        station.ingest()
