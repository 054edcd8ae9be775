"""An export over the API is the command's, of what the caller may see, and on record before its first byte."""

from __future__ import annotations

import io
import json
from zipfile import ZipFile

import pytest

from tests.deployment import loaded
from tests.service.test_case_export import check_receipts
from tests.service.test_expunge import expunged
from tests.service.test_follow_up import problem
from verify_service.caller import Caller
from verify_service.cli import keys
from verify_service.errors import InvalidRequest
from verify_service.evidence.exporting import Asked
from verify_service.record_log.log import LogId
from verify_service.web.exports import LARGEST
from verify_service.wiring import Service

NUMBER = "261124001234"
UNKNOWN = "0193a000-0000-7000-8000-0000000000aa"
ELSEWHERE = {"serial": "27499", "command": "Harbor Area"}


@pytest.fixture
def other(deployment, known):
    return loaded(deployment.submit("DHS-CBP", known("DHS-CBP"), agent_label="Agent 3"))


def asked(deployment, form="evidence", role="supervisor", reason="Subpoena 26-114", caller=None, **subject):
    body = {"form": form, "reason": reason, **subject}
    return deployment.client.post("/v1/exports", json=body, headers=deployment.bearer(role, **(caller or {})))


def exports(deployment):
    return [event for event in deployment.accesses() if event["kind"] == "exported"]


def opened(content):
    return ZipFile(io.BytesIO(content))


@pytest.mark.parametrize("role", ["supervisor", "auditor"])
def test_a_supervisor_or_auditor_gets_a_zip_that_checks(deployment, listed, tmp_path, role):
    answer = asked(deployment, role=role, verification=listed["id"])
    assert (answer.status_code, answer.content_type) == (200, "application/zip")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{listed["id"]}-evidence.zip"'
    assert answer.headers["Cache-Control"] == "no-store"
    with opened(answer.get_data()) as archive:
        archive.extractall(tmp_path)
    assert check_receipts(tmp_path) == ["0.json", "0.json"]
    assert json.loads((tmp_path / "manifest.json").read_bytes())["verification"] == listed["id"]


def test_who_asked_for_what_and_why_is_on_record(deployment, listed):
    asked(deployment, "discovery", verification=listed["id"])
    log = deployment.service.logs.access("LAPD")
    content, fields = log.record(deployment.service.log_store.head(log.log).size - 1)
    written = json.loads(content)
    assert (written["kind"], written["actor"]["serial"], written["actor"]["role"]) == (
        "exported",
        "27415",
        "supervisor",
    )
    reason = written["body"].pop("reason")
    assert written["body"] == {
        "operation": "exportEvidence",
        "object": f"verification:{listed['id']}",
        "form": "discovery",
        "address": "127.0.0.1",
    }
    assert (fields[reason].value, "Subpoena" in content.decode()) == ("Subpoena 26-114", False)


def test_an_incident_is_a_zip_of_such_zips_each_on_record(deployment, listed, other, known):
    for name in (NUMBER, listed["incident"]["id"]):
        answer = asked(deployment, "public-records", incident=name)
        with opened(answer.get_data()) as whole:
            assert whole.namelist() == sorted(f"{each['id']}.zip" for each in (listed, other))
            for inner in whole.namelist():
                with opened(whole.read(inner)) as archive:
                    content = b"".join(archive.read(file) for file in archive.namelist()).decode()
                    assert known() not in content
                    assert known("DHS-CBP") not in content
    made = exports(deployment)
    assert len(made) == 4
    assert {event["body"]["object"] for event in made} == {f"verification:{each['id']}" for each in (listed, other)}
    # One reason, for what was handed out together.
    assert len({event["body"]["reason"] for event in made}) == 2


def test_what_is_not_theirs_is_not_there(deployment, listed):
    for subject in ({"verification": listed["id"]}, {"incident": NUMBER}):
        assert asked(deployment, caller=ELSEWHERE, **subject).status_code == 404
        assert asked(deployment, caller={"department": "SFPD"}, **subject).status_code == 404
        for role in ("officer", "dispatcher", "operator", "partner"):
            assert asked(deployment, role=role, **subject).status_code == 403
    assert asked(deployment, verification=UNKNOWN).status_code == 404
    assert asked(deployment, incident="261124009999").status_code == 404
    assert exports(deployment) == []


def test_of_an_incident_only_what_the_caller_may_see(deployment, listed, known):
    theirs = loaded(deployment.submit("DHS-CBP", known("DHS-CBP"), serial="38299", command="Harbor Area"))
    with opened(asked(deployment, incident=NUMBER).get_data()) as whole:
        assert whole.namelist() == [f"{listed['id']}.zip"]
    with opened(asked(deployment, role="auditor", incident=NUMBER).get_data()) as whole:
        assert set(whole.namelist()) == {f"{listed['id']}.zip", f"{theirs['id']}.zip"}


def test_exactly_one_thing_is_exported_and_what_was_destroyed_is_not(deployment, listed):
    for subject in ({}, {"verification": listed["id"], "incident": NUMBER}):
        assert problem(asked(deployment, **subject), 422, "/verification")
    assert problem(asked(deployment, "all of it", verification=listed["id"]), 422, "/form")
    for reason in ("", "an undocumented person"):
        assert problem(asked(deployment, reason=reason, verification=listed["id"]), 422, "/reason")
    expunged(deployment, listed["id"])
    assert "destroyed by order" in problem(asked(deployment, verification=listed["id"]), 410)
    assert asked(deployment, incident=NUMBER).status_code == 404
    assert exports(deployment) == []


def test_nothing_larger_than_the_bound_leaves(deployment, listed):
    by = Asked(Caller.at_command_line("LAPD", "command-line", "10007"), "Subpoena 26-114")
    exporting = deployment.service.exporting()
    with pytest.raises(InvalidRequest, match="one verification at a time"):
        exporting.export(by, [listed["id"]], "evidence", 1000)
    assert exports(deployment) == []
    (made,) = exporting.export(by, [listed["id"]], "evidence", LARGEST)
    assert len(made.content) < LARGEST


def test_without_its_event_no_export(deployment, listed):
    mark = deployment.service.high_water(deployment.service.logs.access("LAPD").log)
    promised = mark.path.read_bytes()
    mark.path.write_bytes(b"")
    refused = asked(deployment, verification=listed["id"])
    assert refused.status_code == 503
    assert not refused.get_data().startswith(b"PK")
    mark.path.write_bytes(promised)
    assert asked(deployment, verification=listed["id"]).status_code == 200


def test_after_a_key_was_rotated_the_policy_in_it_knows_the_new_one(deployment, listed, tmp_path):
    for step in (keys.rotate, keys.retire):
        step(Service(deployment.service.settings, deployment.clock), [LogId("LAPD", "records")])
        deployment.follow(listed, "interrupted", interrupted={"reason": "left_scene"})
        deployment.service.logs.records("LAPD").publish()
    with opened(asked(deployment, verification=listed["id"]).get_data()) as archive:
        archive.extractall(tmp_path)
    assert check_receipts(tmp_path) == ["0.json", "0.json", "1.json", "2.json"]


def test_an_old_sign_in_exports_nothing(deployment, listed):
    deployment.bearer("supervisor")
    deployment.clock.advance(minutes=16)
    answer = asked(deployment, verification=listed["id"])
    assert answer.status_code == 401
    assert "insufficient_user_authentication" in answer.headers["WWW-Authenticate"]
    assert exports(deployment) == []
