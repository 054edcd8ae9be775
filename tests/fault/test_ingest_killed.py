"""Kill the ingest with SIGKILL, while it loads a roster and anywhere else, then look at what is left."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time

import pytest
from sqlalchemy import func, select, text

from tests.fault.doomed_ingest import run_doomed
from tests.registries import DEPARTMENT, SampleRegistry, Station
from verify_service.storage.blinding_key_store import BlindingKeyStore
from verify_service.storage.registry_store import RegistryStore
from verify_service.storage.registry_tables import roster, roster_entry

# Loads the second roster of DHS-ICE from a file, and dies by its own hand after three blocks.
KILLED = """
import os, signal, sys
from itertools import islice
from verify_service.registry.roster_lines import RosterReader
from verify_service.storage.database import Database
from verify_service.storage.registry_store import RegistryStore

url, path = sys.argv[1:]
reader = RosterReader(open(path, "rb"), 600)

def blocks():
    yield from islice(reader.blocks(), 3)
    os.kill(os.getpid(), signal.SIGKILL)

RegistryStore(Database(url)).load_roster("LAPD", reader.header, "f" * 64, blocks())
"""


def test_the_old_edition_answers_on_and_the_next_cycle_clears_up(database, tmp_path):
    sample = SampleRegistry(tmp_path / "registry")
    station = Station(sample, RegistryStore(database), BlindingKeyStore(database), tmp_path / "ingest")
    station.ingest()
    many = [sample.known("DHS-ICE", "badge", status) for status in ("active", "suspended", "separated", "lost")]
    many += [sample.known("DHS-ICE", "credential", status) for status in ("active", "suspended", "separated", "lost")]
    many += [sample.known("DHS-ICE", kind, "expired") for kind in ("badge", "credential")]
    (tmp_path / "second").write_bytes(sample.next_roster("DHS-ICE", *many))
    url = database.engine.url.render_as_string(hide_password=False)
    child = subprocess.run([sys.executable, "-c", KILLED, url, tmp_path / "second"], check=False)
    assert child.returncode == -signal.SIGKILL

    with database.read() as connection:
        unfinished = connection.scalars(select(roster.c.number).where(roster.c.loaded.is_(False))).all()
    # SQLite is loaded in pieces, PostgreSQL in one transaction.
    assert len(unfinished) == (1 if database.is_sqlite else 0)
    assert station.store.current(DEPARTMENT).number == 1
    assert station.result(many[0], "DHS-ICE") == "match_active"
    assert station.result(many[1], "DHS-ICE") == "match_inactive"

    station.ingest()
    with database.read() as connection:
        left = connection.scalars(select(roster.c.number).where(roster.c.loaded.is_(False))).all()
        rows = select(func.count()).select_from(roster_entry).where(roster_entry.c.roster.in_(unfinished))
        assert (left, connection.scalar(rows)) == ([], 0)
        assert list(station.store.faults(connection, DEPARTMENT)) == []


POINTS = 50
# Before the one commit that counts and after it, so that these are among the moments for certain.
BEFORE, AFTER = "write_edition", "swap"
_BUSY = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle'")


def turn(station, status):
    """Publish that an agent of each of two agencies has this standing."""
    sample = station.sample
    for agency in ("DHS-ICE", "DHS-CBP"):
        sample.publisher.agency(agency, sample.next_roster(agency, sample.known(agency), status=status))
    sample.release()


def standing(station):
    """What the edition that stands says of both agents."""
    return {station.result(station.sample.known(agency), agency) for agency in ("DHS-ICE", "DHS-CBP")}


def settled(database):
    """Wait until PostgreSQL has ended what the killed process began: it may have sent its commit already."""
    if database.is_sqlite:
        return
    for _ in range(500):
        with database.read() as connection:
            # This very question is the one that is left.
            if connection.execute(_BUSY).scalar_one() == 1:
                return
        time.sleep(0.01)
    pytest.fail("PostgreSQL is still at work for the process that was killed.")


@pytest.mark.long
def test_wherever_it_is_killed_the_old_edition_stands_or_the_new_one_whole(database, tmp_path):
    sample = SampleRegistry(tmp_path / "registry")
    station = Station(sample, RegistryStore(database), BlindingKeyStore(database), tmp_path / "ingest")
    station.ingest()
    turn(station, "suspended")
    whole = int(run_doomed(station, "never").stdout)
    results = ["match_inactive", "match_active"]
    moments = [BEFORE, AFTER, *random.Random(POINTS).sample(range(1, whole), POINTS)]
    for moment in moments:
        old, new = results
        turn(station, "active" if new == "match_active" else "suspended")
        before = station.store.current(DEPARTMENT).number
        assert run_doomed(station, moment).returncode == -signal.SIGKILL, moment
        settled(database)
        swapped = station.store.current(DEPARTMENT).number == before + 1
        assert swapped or moment != AFTER
        assert not swapped or moment != BEFORE
        assert standing(station) == {new if swapped else old}, moment
        report = station.ingest()
        assert (report.refusals, report.edition.number) == ([], before + 1), moment
        assert standing(station) == {new}, moment
        results.reverse()
    with database.read() as connection:
        assert connection.scalars(select(roster.c.number).where(roster.c.loaded.is_(False))).all() == []
        assert list(station.store.faults(connection, DEPARTMENT)) == []
