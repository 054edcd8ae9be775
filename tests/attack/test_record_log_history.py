"""Attacks 9 to 12 and 20 on the record log: a second history, from a thief of the key, a backup or a rival.

``pytest -k test_l`` names every attack by its row, here, in the files beside this one, or with what it attacks.
"""

from __future__ import annotations

import fcntl
import shutil
import threading
import time

import pytest
from sqlalchemy import delete, update

from tests.conftest import ENGINES, database_on
from tests.contract.test_log_store import note
from tests.fakes.keys import signer
from tests.fakes.log_store import log_id
from tests.fault.appending import address, appending, check_history, ended, log_on
from verify_service.errors import LogInconsistent, LogRefused, Overloaded
from verify_service.record_log import group_commit
from verify_service.record_log.append import RetryKey
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.high_water import HighWater
from verify_service.record_log.merkle import Peaks, check_consistency, leaf_hash
from verify_service.storage import tables as t
from verify_service.storage.database import Database


@pytest.fixture(params=ENGINES)
def database(request, tmp_path):
    return database_on(request, request.param, tmp_path)


@pytest.fixture
def mark(tmp_path):
    return tmp_path / "records.mark"


@pytest.fixture
def log(database, mark):
    """A log of three records."""
    made, _ = log_on(database, mark, new=True)
    for number in range(3):
        made.append(note(f"n{number}"))
    return made


@pytest.fixture
def copy(request, database, tmp_path):
    """Make a copy of the whole database, as a backup is one, and open it."""

    def make(name):
        database.dispose()
        if database.is_sqlite:
            url = f"sqlite:///{shutil.copy(tmp_path / 'verify.db', tmp_path / f'{name}.db')}"
        else:
            server = request.getfixturevalue("postgresql")
            url = server.create(database.engine.url.database)
            request.addfinalizer(lambda: server.drop(url))
        opened = Database(url)
        request.addfinalizer(opened.dispose)
        return opened

    return make


def head(database, mark):
    _, store = log_on(database, mark)
    *_, newest = store.checkpoints(log_id(), published=False)
    checkpoint, signed = Checkpoint.parse(newest.note)
    assert signed.check([signer().key])
    return checkpoint


def elsewhere(database, mark, *texts):
    """Let whoever has the key continue a database on a host that was never promised anything."""
    _, store = log_on(database, mark)
    HighWater(mark).create(store.head(log_id()).peaks)
    log, _ = log_on(database, mark)
    for text in texts:
        log.append(note(text))


def cut(database, size):
    """Undo everything of the records past a size, and write the head that the log then had."""
    _, store = log_on(database, None)
    peaks = Peaks()
    for entry in store.entries(log_id(), 0, size):
        peaks = peaks.append(leaf_hash(entry))
    with database.write() as connection:
        for table in (t.record, t.event, t.log_entry):
            connection.execute(delete(table).where(table.c.log == log_id().name, table.c.idx >= size))
        past = t.log_checkpoint.c.log == log_id().name, t.log_checkpoint.c.size > size
        connection.execute(delete(t.log_checkpoint).where(*past))
        connection.execute(delete(t.incident))
        ours = t.log_head.c.log == log_id().name
        connection.execute(update(t.log_head).where(ours).values(size=size, peaks=peaks.pack()))


@pytest.mark.parametrize("ask", [lambda log: log.append(note("later")), lambda log: log.publish()])
def test_l09_a_truncated_log_whose_end_was_signed_anew_is_not_continued(database, log, mark, tmp_path, ask):
    cut(database, 0)
    with pytest.raises(LogRefused, match="0 entries, but 3 were promised"):
        ask(log)
    elsewhere(database, tmp_path / "thief.mark", "forged 0", "forged 1", "forged 2")
    check_history(database, tmp_path / "thief.mark", 3)
    with pytest.raises(LogRefused, match="not the one that was promised at 3"):
        ask(log)
    elsewhere(database, tmp_path / "again.mark", "forged 3")
    with pytest.raises(LogRefused, match="not the one that was promised at 3"):
        ask(log)


def test_l10_a_restored_backup_is_neither_continued_nor_accepted_once_it_grew(database, log, mark, copy, tmp_path):
    backup = copy("backup")
    for number in range(2):
        log.append(note(f"after {number}"))
    restored, _ = log_on(backup, mark)
    for ask in (lambda: restored.append(note("later")), restored.publish, restored.check_high_water):
        with pytest.raises(LogRefused, match="It was set back: restore the newest backup"):
            ask()
    elsewhere(backup, tmp_path / "other.mark", "x", "y", "z")
    check_history(backup, tmp_path / "other.mark", 6)
    for ask in (lambda: restored.append(note("later")), restored.publish, restored.check_high_water):
        with pytest.raises(LogRefused, match="not the one that was promised at 5"):
            ask()
    check_history(database, mark, 5)


def test_l11_two_instances_with_one_key_are_told_by_their_marks_and_by_whoever_sees_both(
    database, log, mark, copy, tmp_path
):
    fork = copy("fork")
    elsewhere(fork, tmp_path / "fork.mark", "theirs")
    log.append(note("ours"))
    ours, theirs = head(database, mark), head(fork, mark)
    assert (ours.size, ours.origin) == (theirs.size, theirs.origin)
    with pytest.raises(LogInconsistent, match="Two roots are claimed for the same 4 entries"):
        check_consistency(4, ours.root, 4, theirs.root, [])
    for one, other in ((database, tmp_path / "fork.mark"), (fork, mark)):
        with pytest.raises(LogRefused, match="not the one that was promised at 4"):
            log_on(one, other)[0].append(note("later"))


@pytest.mark.long
def test_l12_processes_and_hosts_at_once_make_one_history(database, log, mark, tmp_path):
    hosts = [mark] * 4
    if not database.is_sqlite:
        hosts = [mark, mark, tmp_path / "host-2.mark", tmp_path / "host-3.mark"]
        for other in hosts[2:]:
            shutil.copy(mark, other)
    running = [appending(address(database), path, f"p{number}", 50) for number, path in enumerate(hosts)]
    results = [ended(process) for process in running]
    assert [(code, len(told), refused) for code, told, refused, _ in results] == [(0, 50, set())] * 4, results
    places = [int(reply[-1]) for _, told, _, _ in results for reply in told.values()]
    assert sorted(places) == list(range(3, 203))
    for path in hosts:
        check_history(database, path, 203)


def test_l20_a_full_queue_refuses_with_words_and_loses_nothing(database, log, mark, monkeypatch):
    monkeypatch.setattr(group_commit, "MAX_WAITING", 4)
    answers = {}

    def ask(number):
        key = RetryKey(bytes([number]) * 32, bytes(32))
        try:
            answers[number] = log.append(note(f"load {number}", key)).reply
        except Overloaded as error:
            answers[number] = error

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    with mark.open() as held:
        # Another process of this host has its turn at the log, so that the queue fills.
        fcntl.flock(held, fcntl.LOCK_EX)
        for thread in threads:
            thread.start()
        end = time.monotonic() + 60
        while len(answers) < 8 and time.monotonic() < end:
            time.sleep(0.01)
    for thread in threads:
        thread.join(60)
    refused = [number for number, answer in answers.items() if isinstance(answer, Overloaded)]
    assert len(refused) == 8
    assert str(answers[refused[0]]) == (
        "Too many requests wait for the log. Nothing was recorded; try again in a moment."
    )
    check_history(database, mark, 3 + 4)
    for number in refused:
        ask(number)
    first = dict(answers)
    for number in range(12):
        ask(number)
    assert answers == first
    check_history(database, mark, 3 + 12)
