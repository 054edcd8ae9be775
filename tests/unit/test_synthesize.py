"""A synthetic registry is plausible, complete, labelled wherever it shows, and the same for the same seed."""

import json
import re
import stat
from collections import Counter
from datetime import timedelta
from random import Random

import pytest

from tests.fakes.clock import START
from tests.fakes.keys import seeded_bytes
from tests.fakes.registry import MemoryRegistry
from tests.registries import SMALL, SampleRegistry, Station
from verify_service.errors import ConfigurationError
from verify_service.registry.identifier import canonical_value
from verify_service.registry.minted import check_character_fits
from verify_service.registry.roster import RosterHeader
from verify_service.registry.synthesize import ENTRIES, SHARING, Wish, synthesize
from verify_service.registry.synthetic_agency import MOST_ENTRIES, synthetic_agencies
from verify_service.registry.synthetic_entries import synthetic_entries


def full():
    return synthetic_agencies(90, ENTRIES, START, Random(1))


def made(folder, **wish):
    return synthesize(folder, Wish(**{**vars(SMALL), **wish}), START, seeded_bytes())


def test_ninety_agencies_share_all_entries():
    agencies = full()
    assert (len(agencies), sum(agency.entries for agency in agencies)) == (90, 136_815)
    levels = Counter(agency.profile.level for agency in agencies)
    assert levels[4] > 60
    assert levels.keys() == {0, 1, 2, 3, 4}
    by_code = {agency.profile.agency: agency for agency in agencies}
    assert len(by_code) == 90
    shares = {code: by_code[code].entries / ENTRIES for code in ("DHS-CBP", "DOJ-BOP", "DOJ-FBI", "DHS-ICE")}
    assert {code: round(share, 2) for code, share in shares.items()} == {
        "DHS-CBP": 0.33,
        "DOJ-BOP": 0.14,
        "DOJ-FBI": 0.1,
        "DHS-ICE": 0.09,
    }
    assert by_code["DHS-ICE"].coverage == {"badge": "complete", "credential": "complete"}
    assert min(agency.entries for agency in agencies if agency.coverage) < 50
    assert any("partial" in agency.coverage.values() for agency in agencies)


def test_ten_times_as_many_entries_fit_as_well():
    agencies = synthetic_agencies(90, 10 * ENTRIES, START, Random(1))
    assert sum(agency.entries for agency in agencies) == 10 * ENTRIES
    assert max(agency.entries for agency in agencies) == MOST_ENTRIES


@pytest.mark.parametrize("entries", [1, 69, 70, 71, 559, 561, 1000])
def test_any_number_of_entries_is_shared_exactly(entries):
    assert sum(agency.entries for agency in synthetic_agencies(90, entries, START, Random(1))) == entries


def test_every_profile_is_labelled_and_calls_a_number_of_fiction():
    numbers = set()
    for agency in full():
        profile = agency.profile
        assert profile.synthetic
        assert "synthetic" in profile.name
        if profile.callback is not None:
            assert re.fullmatch(r"\+1\d{3}55501\d\d", profile.callback.number)
            assert "synthetic" in profile.callback.source
            assert profile.callback.number not in numbers
            numbers.add(profile.callback.number)


def test_values_are_canonical_unique_and_fit_what_the_agency_declares():
    for agency in full():
        shared = "12345" if agency.profile.agency in SHARING else None
        entries = synthetic_entries(agency, START, Random(2), shared)
        assert len(entries) == agency.entries
        values = [(entry.identifier.kind, entry.identifier.value) for entry in entries]
        assert len(set(values)) == len(values)
        for kind, value in values[:200]:
            assert canonical_value(value, "/") == value
            declared = agency.profile.value_format(kind)
            assert declared is None or declared.matches(value)
            assert check_character_fits(kind, value)


def test_standings_and_dates_are_spread_plausibly():
    agency = next(agency for agency in full() if agency.profile.agency == "DHS-ICE")
    entries = synthetic_entries(agency, START, Random(2))
    statuses = Counter(entry.status for entry in entries)
    assert 0.9 < statuses["active"] / len(entries) < 0.95
    assert min(statuses[status] for status in ("suspended", "separated", "lost")) > 50
    active = [entry for entry in entries if entry.status == "active"]
    assert 20 < sum(entry.expires < START for entry in active) < 200
    assert 20 < sum(entry.not_before > START for entry in active) < 200


def test_headers_are_labelled_and_op_codes_have_no_dates(tmp_path):
    sample = SampleRegistry(tmp_path / "registry")
    for agency in ("DHS-ICE", "DOJ-USMS", "TREAS-IRSCI"):
        header, *lines = sample.roster(agency).splitlines(keepends=True)
        assert RosterHeader.parse(header).synthetic
        assert all(b'"exp":null,"nbf":null' in line for line in lines if b'"op_code"' in line)
    assert b"synthetic" in (tmp_path / "registry/README.md").read_bytes()


def test_the_same_seed_time_and_keys_make_the_same_files(tmp_path):
    first, again, other = (tmp_path / name for name in ("first", "again", "other"))
    made(first)
    made(again)
    made(other, seed=2)

    def files(folder):
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and "README" not in path.name
        }

    assert files(first) == files(again)
    assert files(first)["known-identifiers.json"] != files(other)["known-identifiers.json"]


def test_private_keys_are_their_owners_alone(tmp_path):
    made(tmp_path / "registry")
    private = tmp_path / "registry/private"
    secrets = [path for path in private.rglob("*") if path.is_file() and path.name != "README.md"]
    assert len(secrets) == 5 + 3 + 1 + 1 + 9 * 3 + 1
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


def test_known_identifiers_are_what_they_say(tmp_path):
    memory = MemoryRegistry()
    station = Station(SampleRegistry(tmp_path / "registry"), memory, memory, tmp_path / "ingest")
    station.ingest()
    document = json.loads((tmp_path / "registry/known-identifiers.json").read_bytes())
    assert (document["v"], document["synthetic"]) == ("known-identifiers/v1", True)
    assert all("synthetic" in row["note"] for row in document["identifiers"])
    found = {(row["agency"], row["kind"], row["status"]) for row in document["identifiers"]}
    assert found >= {(code, "badge", "absent") for code in ("DHS-ICE", "DHS-CBP")}
    assert found >= {("DOJ-USMS", "minted", "active"), ("DHS-ICE", "credential", "active")}
    assert found >= {("TREAS-IRSCI", "op_code", "active"), ("DHS-ICE", "badge", "suspended")}
    results = {"active": "match_active", "absent": "no_match"}
    for row in document["identifiers"]:
        identifier = station.sample.known(row["agency"], row["kind"], row["status"])
        assert station.result(identifier, row["agency"]) == results.get(row["status"], "match_inactive")
    shared = station.sample.shared()
    assert [station.result(shared, code) for code in ("DHS-ICE", "DHS-CBP")] == ["match_active"] * 2


def test_without_entries_there_is_no_roster_and_nobody_above_level_2(tmp_path):
    memory = MemoryRegistry()
    station = Station(SampleRegistry(tmp_path / "registry", wish=Wish(entries=0)), memory, memory, tmp_path / "in")
    report = station.ingest()
    states = report.edition.agencies
    assert (len(states), report.refusals) == (90, [])
    assert {state.profile.level for state in states.values()} == {0, 1, 2}
    assert all(state.roster is None for state in states.values())
    assert json.loads((tmp_path / "registry/known-identifiers.json").read_bytes())["identifiers"] == []
    assert station.check(None) == ()


def test_one_agency_can_go_stale_seconds_after_it_was_published(tmp_path):
    memory = MemoryRegistry()
    wish = Wish(agencies=9, entries=400, stale_agency="DOJ-FBI", stale_after=timedelta(seconds=15))
    station = Station(SampleRegistry(tmp_path / "registry", wish=wish), memory, memory, tmp_path / "ingest")
    station.ingest()
    stale, fresh = station.sample.known("DOJ-FBI", "minted"), station.sample.known("DHS-ICE")
    assert station.result(stale, "DOJ-FBI", timedelta(seconds=14)) == "match_active"
    assert station.result(stale, "DOJ-FBI", timedelta(seconds=15)) == "registry_stale"
    assert station.result(fresh, "DHS-ICE", timedelta(seconds=15)) == "match_active"


@pytest.mark.parametrize(
    "wish",
    [
        {"agencies": 0},
        {"agencies": 91},
        {"entries": -1},
        {"entries": 7 * MOST_ENTRIES},
        {"stale_agency": "DHS-ICE"},
        {"stale_after": timedelta(seconds=1)},
        {"stale_agency": "DHS-KGB", "stale_after": timedelta(seconds=1)},
    ],
)
def test_what_cannot_be_made_is_refused_and_nothing_is_left(tmp_path, wish):
    with pytest.raises(ConfigurationError):
        made(tmp_path / "registry", agencies=wish.pop("agencies", 6), **wish)
    assert not (tmp_path / "registry").exists()


def test_no_registry_is_overwritten(tmp_path):
    made(tmp_path / "registry")
    with pytest.raises(ConfigurationError, match="already"):
        made(tmp_path / "registry")
