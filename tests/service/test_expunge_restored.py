"""An old backup brings nothing back that was destroyed by order after it was made."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from tests.deployment import Deployment, loaded
from tests.service.test_expunge import KEY, approved, audited, expunged, ordered
from tests.service.test_follow_up import problem
from verify_service import server
from verify_service.cli import database
from verify_service.errors import ConfigurationError, LogRefused
from verify_service.record_log.log import LogId
from verify_service.storage.tables import record, verification

OLD = LogId("LAPD", "records")
REASON = "The disk was lost on 24 November"


@pytest.fixture
def doomed(deployment, known):
    answer = loaded(deployment.submit("DHS-ICE", known(), key=KEY, note="Tall."))
    deployment.follow(answer, "interrupted", interrupted={"reason": "left_scene"})
    return answer


@pytest.fixture
def backed_up(request, deployment, doomed, home_and_url, tmp_path):
    """Copy the database now; return what loses it and puts the copy in its place, and the service on that."""
    service, (home, url), ending = deployment.service, home_and_url, ExitStack()
    file, copy = home / "verify.db", tmp_path / "backup.db"
    if service.database.is_sqlite:
        service.back_up(copy)
    else:
        service.database.dispose()
        postgresql, name = request.getfixturevalue("postgresql"), url.partition("?")[0].rpartition("/")[2]
        kept = postgresql.create(name)
        ending.callback(postgresql.drop, kept)

    def restored():
        service.database.dispose()
        if service.database.is_sqlite:
            for left in home.glob("verify.db*"):
                left.unlink()
            shutil.copyfile(copy, file)
        else:
            postgresql.drop(url)
            postgresql.run(f'CREATE DATABASE "{name}" TEMPLATE "{kept.partition("?")[0].rpartition("/")[2]}"')
        made = replace(service)
        ending.callback(made.database.dispose)
        return made

    with ending:
        yield restored


def keys(service):
    """Return the data keys under which records and read models lie sealed."""
    with service.database.read() as connection:
        found = connection.scalars(select(record.c.wrapped_key).where(record.c.log == "records")).all()
        return {*found, *connection.scalars(select(verification.c.wrapped_key)).all()}


def test_what_went_after_the_backup_goes_again_before_anything_is_served(
    deployment, doomed, known, backed_up, home_and_url
):
    expunged(deployment, doomed["id"], statements=True)
    service = backed_up()
    sealed = keys(service)
    with pytest.raises(LogRefused, match="set back"):
        server.serve(service.settings)
    checked = database.restore_check(service)
    assert checked.failed
    assert checked.document["destroyed_again"] == {}
    done = database.succeed(service, "LAPD", None, REASON, compromised=False, checkpoint=None)
    assert done.document["destroyed_again"] == {"LAPD": 1, "SFPD": 0}
    assert any(
        "1 verifications and incidents that were destroyed by order were back" in said for said in done.sentences
    )

    later = Deployment(replace(service), deployment.issuer)
    later.service.check_before_serving()
    for path in (f"/v1/verifications/{doomed['id']}", doomed["events"][0]["record"], doomed["events"][0]["receipt"]):
        assert "destroyed by order" in problem(later.get(path), 410)
    assert "destroyed by order" in problem(later.submit("DHS-ICE", known(), key=KEY, note="Tall."), 410)
    page = later.client.get(doomed["requester_receipt"]).get_data(as_text=True)
    assert "Withdrawn by order." in page
    assert audited(later).ok, audited(later).sentences()
    log = later.service.logs.records("LAPD")
    written = json.loads(log.record(1)[0])
    assert (written["kind"], written["subject"]) == ("expunged", f"verification:{doomed['id']}")
    assert written["body"]["ground"] == "Court order"
    assert written["body"]["approvers"] == ["27415", "27416"]
    if service.database.is_sqlite:
        files = b"".join(path.read_bytes() for path in home_and_url[0].glob("verify.db*"))
        # The incident's record stays.
        assert len([key for key in sealed if key in files]) == 1
    again = database.restore_check(later.service)
    assert (again.failed, again.document["destroyed_again"]) == (False, {"LAPD": 0, "SFPD": 0})


def test_a_database_that_has_it_again_is_not_served_and_the_command_that_is_named_mends_it(
    deployment, doomed, backed_up
):
    expunged(deployment, doomed["id"])
    service = backed_up()
    # The command was killed after it closed the log, before it destroyed anything.
    service.succeed(OLD, REASON, compromised=False, known=None)
    for refused in (replace(service).check_before_serving, lambda: server.serve(service.settings)):
        with pytest.raises(
            LogRefused, match="holds again .* 1 verifications or incidents.*`verify-service db restore-ch"
        ):
            refused()
    mended = database.restore_check(replace(service))
    assert (mended.failed, mended.document["destroyed_again"]) == (False, {"LAPD": 1, "SFPD": 0})
    later = Deployment(replace(service), deployment.issuer)
    later.service.check_before_serving()
    assert later.get(f"/v1/verifications/{doomed['id']}").status_code == 410
    assert audited(later).ok, audited(later).sentences()


def test_an_approval_is_not_acknowledged_before_its_tombstone_is_on_the_disk(deployment, doomed, backed_up):
    path = deployment.service.settings.high_water / "LAPD.tombstones"
    path.mkdir()
    order = loaded(ordered(deployment, doomed["id"]))
    assert approved(deployment, order).status_code == 503
    path.rmdir()
    assert approved(deployment, order).status_code == 200
    assert approved(deployment, order).status_code == 200
    (kept,) = deployment.service.tombstones("LAPD").read()
    assert (kept.subject, kept.reference) == (f"verification:{doomed['id']}", "BH-2026-2")
    assert doomed["id"] in kept.subject
    assert backed_up().destroyer.returned("LAPD") == [kept]


def test_read_models_that_lack_it_are_made_anew_first(deployment, doomed, backed_up):
    expunged(deployment, doomed["id"])
    service = backed_up()
    with service.database.write() as connection:
        connection.execute(verification.delete())
    service.succeed(OLD, REASON, compromised=False, known=None)
    with pytest.raises(ConfigurationError, match="db rebuild-read-models"):
        replace(service).destroy_again()
    replace(service).rebuild("LAPD", lambda *_: None)
    assert replace(service).destroy_again()["LAPD"] == 1
    with service.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(verification)) == 0


def test_what_was_never_destroyed_is_left_alone(deployment, doomed, backed_up):
    loaded(deployment.submit(agent_label="Agent 3"))
    done = database.succeed(backed_up(), "LAPD", None, REASON, compromised=False, checkpoint=None)
    assert done.document["destroyed_again"] == {"LAPD": 0, "SFPD": 0}
