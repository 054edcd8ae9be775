"""A backup that was restored with its high-water marks is told by a witness, at the start and before a publication."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.fakes.clock import SetClock
from tests.served import Served
from tests.witnesses import ServedWitness
from verify_service import server
from verify_service.cli import database
from verify_service.errors import LogRefused

pytestmark = pytest.mark.long


@pytest.fixture
def served(tmp_path):
    home = tmp_path / "home"
    return Served(home, f"sqlite:///{home}/verify.db", VERIFY_WITNESSES=str(tmp_path / "witnesses.txt"))


@pytest.fixture
def witness(served, tmp_path):
    (tmp_path / "witnesses.txt").write_text("")
    service = served.service()
    watching = ServedWitness(
        tmp_path / "ig",
        "ig.example/w",
        *(key.vkey for log in service.log_ids() for key in service.log_keys(log).policy().logs),
    )
    (tmp_path / "witnesses.txt").write_text(
        f"witness ig {watching.vkey} {watching.url}\ngroup unpublished any ig\nquorum ig\n"
    )
    service.database.dispose()
    watching.start()
    yield watching
    watching.stop()


def published(served):
    service = served.service()
    size = service.logs.records("LAPD").publish()
    service.witnessing().submit_new()
    service.database.dispose()
    return size


def test_an_old_backup_is_refused_although_the_marks_were_restored_with_it(served, witness, tmp_path):
    assert published(served) == 256
    kept = tmp_path / "kept"
    shutil.copytree(served.home, kept)
    assert published(served) == 512
    shutil.rmtree(served.home)
    shutil.copytree(kept, served.home)

    service = served.service()
    service.check_before_serving()
    told = "The witness ig saw 512 entries, but the database has 256"
    with pytest.raises(LogRefused, match=told):
        server.serve(service.settings)
    checked = database.restore_check(service)
    assert checked.failed
    assert checked.document["ahead"] == [{"log": "LAPD/records", "who": "The witness ig", "seen": 512, "size": 256}]
    tomorrow = replace(service, clock=SetClock(service.clock.now() + timedelta(days=1)))
    (publication,) = tomorrow.publications()
    with pytest.raises(LogRefused, match=told):
        publication.publish_if_due()
    assert service.log_store.head(service.logs.records("LAPD").log).size == 256
    # Closed, it is asked for no more, and its successor is new to the witness.
    database.succeed(service, "LAPD", "records", "Set back", compromised=False, checkpoint=None)
    after = served.service()
    after.check_before_serving()
    after.sightings.check()
    for one in (service, tomorrow, after):
        one.database.dispose()
