"""What only a database can show of a registry store."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select, text

from tests.registries import DEPARTMENT, SampleRegistry, Station
from verify_service.errors import RegistryRefused
from verify_service.storage.blinding_key_store import BlindingKeyStore
from verify_service.storage.registry_store import RegistryStore
from verify_service.storage.registry_tables import blinding_key, ingest_cycle, roster, roster_entry


@pytest.fixture
def station(database, tmp_path):
    stores = RegistryStore(database), BlindingKeyStore(database)
    return Station(SampleRegistry(tmp_path / "registry"), *stores, tmp_path / "ingest")


def test_another_process_sees_the_new_edition_at_once(station, database):
    other = RegistryStore(database)
    assert other.current(DEPARTMENT) is None
    station.ingest()
    assert other.current(DEPARTMENT).number == 1
    held = other.current(DEPARTMENT)
    assert other.current(DEPARTMENT) is held
    station.clock.advance(minutes=1)
    station.sample.publisher.timestamp()
    station.ingest()
    assert other.current(DEPARTMENT).timestamp.version == 2


def test_no_blinding_key_lies_in_clear(station, database):
    with database.read() as connection:
        rows = connection.execute(select(blinding_key)).all()
    assert len(rows) == len(station.sample.blinding_keys)
    clear = {key.key for key in station.sample.blinding_keys}
    assert not any(key in row.sealed + row.wrapped_key for row in rows for key in clear)


def test_every_cycle_leaves_a_row(station, database):
    published = [*station.sample.folder.glob("metadata/*"), *station.sample.folder.glob("targets/*/*/*")]
    station.ingest()
    station.sample.publish_roster("DHS-ICE", station.sample.small_roster("DHS-ICE"))
    station.sample.publish_roster("DHS-CBP", b"no roster\n")
    report = station.ingest()
    station.clock.advance(days=2)
    with pytest.raises(RegistryRefused, match="expired"):
        station.ingest()
    with database.read() as connection:
        first, partly, refused = connection.execute(select(ingest_cycle).order_by(ingest_cycle.c.number)).all()
    assert (first.number, first.edition, json.loads(first.refused), json.loads(first.held)) == (1, 1, [], [])
    assert first.started_at == first.ended_at == "2026-11-24T05:04:09.000Z"
    # The root is pinned, so it is not fetched.
    fetched = [path for path in published if path.name != "1.root.json"]
    assert (first.fetched_files, first.fetched_bytes) == (len(fetched), sum(path.stat().st_size for path in fetched))
    signed = json.loads(first.signed)
    assert signed.keys() == {"root", "timestamp", "snapshot", "targets", *station.store.current(DEPARTMENT).agencies}
    ids = [key.keyid for key in (signer.public_key for signer in station.sample.keys.load("DHS-ICE"))]
    assert signed["DHS-ICE"] == {"version": 1, "keys": sorted(ids[:2])}
    assert json.loads(partly.signed)["DHS-ICE"]["version"] == 2
    assert json.loads(partly.refused) == [vars(refusal) for refusal in report.refusals]
    assert json.loads(partly.held) == [hold.document() for hold in report.holds]
    assert (partly.edition, partly.fetched_files < first.fetched_files) == (1, True)
    assert (refused.number, refused.edition, json.loads(refused.signed)) == (3, None, {})
    assert "expired" in json.loads(refused.refused)[0]["reason"]
    assert refused.fetched_bytes > 0


def test_an_audit_finds_what_is_no_longer_what_was_signed(station, database):
    station.ingest()
    edition = station.store.current(DEPARTMENT)
    ice, cbp = (edition.agencies[code].roster for code in ("DHS-ICE", "DHS-CBP"))
    with database.snapshot() as connection:
        digests = station.store.digests(connection, DEPARTMENT)
        assert {ice.sha256, edition.timestamp.sha256, edition.agencies["DHS-ICE"].profile_sha256} <= digests
        assert list(station.store.faults(connection, DEPARTMENT)) == []
    with database.write() as connection:
        changed = roster_entry.update().where(roster_entry.c.roster == ice.number)
        connection.execute(changed.values(status="suspended"))
        connection.execute(roster.update().where(roster.c.number == cbp.number).values(loaded=False))
        connection.execute(
            text("UPDATE registry_file SET content = :content WHERE sha256 = :sha256"),
            {"content": b"{}", "sha256": edition.root.sha256},
        )
    with database.snapshot() as connection:
        faults = list(station.store.faults(connection, DEPARTMENT))
    assert set(faults) == {
        f"the registry file {edition.root.sha256} (root) is not what its digest says",
        f"the roster {ice.sha256} of DHS-ICE is not what its digest says",
        f"the roster {cbp.sha256} of DHS-CBP is named by an edition, but is not whole",
    }


def test_every_tag_is_searched_by_the_whole_key(station, database):
    station.ingest()
    if not database.is_sqlite:
        return
    asked = []
    with database.read() as connection:
        driver = connection.connection.driver_connection
        driver.set_trace_callback(asked.append)
    station.check(station.sample.known("DHS-ICE"))
    driver.set_trace_callback(None)
    (statement,) = [each for each in asked if "FROM roster_entry" in each]
    with database.read() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
    steps = [row.detail for row in plan if "roster_entry" in row.detail]
    assert len(steps) > 2
    assert all("(department=? AND roster=? AND tag=?)" in step for step in steps)


def test_a_departments_name_is_taken_as_it_is(database, tmp_path):
    stores = RegistryStore(database), BlindingKeyStore(database)
    sample = SampleRegistry(tmp_path / "registry")
    station = Station(sample, *stores, tmp_path / "ingest", department="L\\A\tP'\nD")
    assert station.ingest().refusals == []
    assert station.result(sample.known("DHS-ICE"), "DHS-ICE") == "match_active"
