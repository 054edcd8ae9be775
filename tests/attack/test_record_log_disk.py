"""Attacks 3 and 5 on the record log: a disk that fails, fills up, tears a page or forgets."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.conftest import database_on
from tests.contract.test_log_store import note
from tests.fakes.log_store import log_id
from tests.fault.appending import appending, check_history, ended, log_on
from verify_service.errors import LogRefused, RecordNotInLog
from verify_service.storage import tables as t
from verify_service.storage.database import Database

COUNT = 12
MOMENTS = (1, 2, 3, 5, 9, 14, 24)
PAGE_BYTES = 4096
# A commit whose sync failed may stand after a crash: nobody may say that nothing was recorded.
REFUSALS = {
    "fdatasync": {"outcome_unknown", "log_refused"},
    "pwrite64": {"storage_full", "storage_unavailable", "outcome_unknown", "log_refused"},
}


@pytest.fixture
def home(request, tmp_path):
    """A folder with an empty log on SQLite, which nobody has open, and its mark."""
    folder = tmp_path / "home"
    folder.mkdir()
    database = database_on(request, "sqlite", folder)
    log_on(database, folder / "records.mark", new=True)
    database.dispose()
    return folder


def url(home):
    return f"sqlite:///{home / 'verify.db'}"


def run(home, *under, **options):
    return ended(appending(url(home), home / "records.mark", "disk", COUNT, *under, **options))


def check(home, size=COUNT):
    database = Database(url(home))
    try:
        check_history(database, home / "records.mark", size)
    finally:
        database.dispose()


@pytest.mark.long
@pytest.mark.parametrize(("only", "moments"), [(None, MOMENTS), ("records.mark", (1, 2, COUNT))], ids=["any", "mark"])
@pytest.mark.parametrize("call", ["fdatasync", "pwrite64"])
@pytest.mark.parametrize("fault", ["error=EIO", "error=ENOSPC", "signal=SIGKILL"])
def test_l03_a_fault_at_any_write_or_sync_loses_nothing_that_was_acknowledged(
    home, tmp_path, call, fault, only, moments
):
    met = 0
    for moment in moments:
        here = shutil.copytree(home, tmp_path / str(moment))
        inject = f"inject={call}:{fault}:when={moment}"
        path = [] if only is None else ["-P", str(here / only)]
        code, acknowledged, refused, complaints = run(
            here, "strace", "-f", "-o", "/dev/null", *path, "-e", f"trace={call}", "-e", inject
        )
        assert "Traceback" not in complaints, complaints
        assert code == (0 if "error" in fault or len(acknowledged) == COUNT else -signal.SIGKILL)
        assert refused <= ({"log_refused"} if only else REFUSALS[call])
        met += len(acknowledged) < COUNT
        # The same requests again, with the same keys: those that were answered get the same answers.
        code, again, refused, complaints = run(here)
        assert (code, len(again), refused) == (0, COUNT, set()), complaints
        assert acknowledged.items() <= again.items()
        check(here)
    assert met == len(moments) if only else met


@pytest.mark.parametrize("spoiled", ["torn", "zeroed"])
def test_l05_a_commit_whose_page_was_torn_is_told_by_the_mark(home, tmp_path, spoiled):
    database = Database(url(home))
    log, _ = log_on(database, home / "records.mark")
    for number in range(3):
        log.append(note(f"n{number}"))
    torn = shutil.copytree(home, tmp_path / "torn")
    database.dispose()
    journal = torn / "verify.db-wal"
    content = journal.read_bytes()
    half = len(content) - 2000
    journal.write_bytes(content[:half] if spoiled == "torn" else content[:half].ljust(len(content), b"\0"))
    with pytest.raises(LogRefused, match="It was set back"):
        check(torn, 3)
    check(home, 3)


@pytest.mark.parametrize("spoil", [lambda tile: tile[:5000], lambda tile: bytes(len(tile))], ids=["torn", "zeroed"])
def test_l05_a_spoiled_tile_gives_out_no_receipt(database, tmp_path, spoil):
    log, store = log_on(database, tmp_path / "records.mark", new=True)
    log.append(note("first"))
    log.publish()
    check_history(database, tmp_path / "records.mark", 256)
    with database.write() as connection:
        connection.execute(update(t.log_tile).values(content=spoil(store.tile(log_id(), 0, 0))))
    log.append(note("later"))
    for index in (0, 255, 256):
        with pytest.raises((RecordNotInLog, LookupError)):
            log.receipt(index, published=index < 256)


@pytest.mark.long
def test_l05_a_zeroed_page_of_the_database_is_never_a_history(home, tmp_path):
    database = Database(url(home))
    log, _ = log_on(database, home / "records.mark")
    for number in range(3):
        log.append(note(f"n{number}"))
    database.dispose()
    content, met = (home / "verify.db").read_bytes(), 0
    for start in range(0, len(content), PAGE_BYTES):
        here = shutil.copytree(home, tmp_path / "spoiled", dirs_exist_ok=True)
        (here / "verify.db").write_bytes(content[:start] + bytes(PAGE_BYTES) + content[start + PAGE_BYTES :])
        try:
            check(here, 3)
        except Exception:  # noqa: BLE001 - However it is told, it is told.
            met += 1
    # The tables, and some of their indexes, that the log is read by.
    assert met > 3


@pytest.fixture(scope="session")
def only_synced(tmp_path_factory):
    """The library that makes a disk of the folder SYNCED_TO: what is in it is all that outlives a loss of power."""
    library = tmp_path_factory.mktemp("disk") / "only_synced.so"
    source = Path(__file__).parent.parent / "fault/only_synced.c"
    subprocess.run(["gcc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


@pytest.mark.long
@pytest.mark.parametrize("answered", [1, 2, 5, 11])
def test_l05_what_was_acknowledged_outlives_a_loss_of_power(home, tmp_path, only_synced, answered):
    disk = shutil.copytree(home, tmp_path / "disk")
    environment = {**os.environ, "LD_PRELOAD": str(only_synced), "SYNCED_FROM": str(home), "SYNCED_TO": str(disk)}
    process = appending(url(home), home / "records.mark", "disk", COUNT, env=environment)
    said = [process.stdout.readline() for _ in range(answered)]
    process.kill()
    process.communicate()
    assert all(line.startswith("acknowledged") for line in said)
    code, again, refused, complaints = run(disk)
    assert (code, refused) == (0, set()), complaints
    assert [again[str(number)][-1] for number in range(COUNT)] == [str(number) for number in range(COUNT)]
    check(disk)
