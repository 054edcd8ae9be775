"""Lose PostgreSQL's disk and restore the archive to its end: what is missing is said exactly, or nothing is."""

from __future__ import annotations

import shutil
import subprocess
import time

import pytest

from tests.fault.pair import body, index, missing_of, submitted, whole
from tests.postgresql import PostgreSQL
from tests.served import Served
from verify_service.errors import LogRefused

pytestmark = pytest.mark.long


class Archived(PostgreSQL):
    """A server that archives each segment of its journal, with one base backup beside them."""

    def __init__(self):
        super().__init__()
        self.base, self.archive = (self.directory.with_suffix(end) for end in (".base", ".archive"))
        self.archive.mkdir()
        self.own(self.archive)
        # A file has its name in the archive only once it is whole and synced.
        to, part = f"{self.archive}/%f", f"{self.archive}/.%f"
        self.set(archive_mode="on", archive_command=f"test ! -f {to} && cp %p {part} && sync {part} && mv {part} {to}")
        self.kill()
        self.start()

    def archive_segment(self):
        """End the segment of now, and wait until it is in the archive."""
        name = self.value("SELECT pg_walfile_name(pg_switch_wal())")
        while not (self.archive / name).exists() or self.value("SELECT last_archived_wal FROM pg_stat_archiver") < name:
            time.sleep(0.1)

    def restore(self, journal=None):
        """Put the base backup in the place of the data, and replay the archive, then a rescued journal."""
        self.kill()
        shutil.rmtree(self.directory)
        subprocess.run(["cp", "-a", self.base, self.directory], check=True)
        if journal is not None:
            shutil.rmtree(self.directory / "pg_wal")
            subprocess.run(["cp", "-a", journal, self.directory / "pg_wal"], check=True)
        with (self.directory / "postgresql.auto.conf").open("a") as settings:
            # A trial must not write its own timeline among the segments that the next one replays.
            settings.write(f"restore_command = 'cp {self.archive}/%f %p'\narchive_mode = off\n")
        (self.directory / "recovery.signal").touch()
        self.own(self.directory / "recovery.signal")
        self.start()
        while self.value("SELECT pg_is_in_recovery()"):
            time.sleep(0.1)

    def stop(self):
        super().stop()
        shutil.rmtree(self.base, ignore_errors=True)
        shutil.rmtree(self.archive)


@pytest.fixture
def server():
    made = Archived()
    yield made
    made.stop()


def test_a_restored_archive_lacks_exactly_what_is_said_and_with_the_rescued_journal_nothing(tmp_path, server):
    served = Served(tmp_path / "home", server.create(), VERIFY_WORKERS="2", VERIFY_THREADS="8").start()
    try:
        kept = submitted(served, "before")
        server.copy(server.base)
        kept |= submitted(served, "archived")
        server.archive_segment()
        late = submitted(served, "late")
        server.kill()
        journal = tmp_path / "journal"
        subprocess.run(["cp", "-a", server.directory / "pg_wal", journal], check=True)
        server.restore()
        assert served.ask("POST", "/v1/verifications", body(served), "new")[0] == 503
    finally:
        served.stop()
    service = served.service()
    missing = missing_of(service)
    assert all(index(reply) < missing.start for reply in kept.values())
    assert all(index(reply) in missing for reply in late.values())
    with pytest.raises(LogRefused, match="It was set back: restore the newest backup"):
        service.check_logs()
    service.database.dispose()

    server.restore(journal)
    service = served.service()
    assert not missing_of(service)
    whole(service)
    served.start()
    for key, reply in (kept | late).items():
        assert served.ask("POST", "/v1/verifications", body(served), key) == (201, reply)
    served.stop()
