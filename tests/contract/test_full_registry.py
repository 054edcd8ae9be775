"""The whole synthetic registry, as large as the federal census, on each engine."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import text

from tests.conftest import database_on
from tests.memory import growth
from tests.registries import DEPARTMENT, SampleRegistry, Station
from verify_service.clock import SystemClock
from verify_service.registry.synthesize import ENTRIES, Wish
from verify_service.storage.blinding_key_store import BlindingKeyStore
from verify_service.storage.registry_store import RegistryStore

MOST_GROWTH_MB = 60


@pytest.fixture(scope="session")
def full(tmp_path_factory):
    return SampleRegistry(tmp_path_factory.mktemp("full") / "registry", SystemClock(), Wish())


def test_it_is_ingested_whole_in_flat_memory_while_answers_go_on(full, database, tmp_path):
    station = Station(full, RegistryStore(database), BlindingKeyStore(database), tmp_path / "ingest")
    with growth() as memory:
        report = station.ingest()
    assert report.refusals == []
    assert sum(entries for _, entries in report.loaded) == ENTRIES
    assert memory.mb < MOST_GROWTH_MB
    results = {check.agency: check.result for check in station.check(full.shared())}
    assert len(results) == 70
    assert (results["DHS-ICE"], results["DHS-CBP"]) == ("match_active", "match_active")
    for agency in ("DHS-CBP", "DOJ-BOP"):
        number = station.store.current(DEPARTMENT).agencies[agency].roster.number
        assert b"".join(station.store.roster_content(DEPARTMENT, number)) == full.roster(agency)


@pytest.mark.long
def test_ten_times_as_many_take_no_more_memory(database, tmp_path):
    sample = SampleRegistry(tmp_path / "registry", SystemClock(), Wish(entries=10 * ENTRIES))
    station = Station(sample, RegistryStore(database), BlindingKeyStore(database), tmp_path / "ingest")
    with growth() as memory:
        report = station.ingest()
    assert memory.mb < MOST_GROWTH_MB
    assert sum(entries for _, entries in report.loaded) == 10 * ENTRIES


def test_submissions_go_on_while_it_is_loaded(full, request, tmp_path):
    database = database_on(request, "sqlite", tmp_path)
    with database.write() as connection:
        connection.execute(text("CREATE TABLE submission (n INTEGER)"))
    station = Station(full, RegistryStore(database), BlindingKeyStore(database), tmp_path / "ingest")
    ended, waits = threading.Event(), []

    def submit():
        while not ended.is_set():
            started = time.perf_counter()
            with database.write() as connection:
                connection.execute(text("INSERT INTO submission VALUES (1)"))
            waits.append(time.perf_counter() - started)
            time.sleep(0.002)

    officer = threading.Thread(target=submit)
    officer.start()
    try:
        station.ingest()
    finally:
        ended.set()
        officer.join()
    # The lock is held for some 20 ms at a time; the rest of this allows for a busy machine.
    assert max(waits) < 0.5
    assert len(waits) > 20
