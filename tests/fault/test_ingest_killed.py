"""Kill the ingest with SIGKILL while it loads a roster, then look at what is left."""

from __future__ import annotations

import signal
import subprocess
import sys

from sqlalchemy import func, select

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
