"""Read models that were lost or altered are made anew from the records, and the audit agrees again."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, update

from tests.deployment import loaded
from tests.service.test_expunge import audited, expunged
from tests.service.test_follow_up import COMPARED, heard
from verify_service.storage.tables import access_trail, event, incident, incident_officer, search_key, verification

TABLES = (verification, incident, incident_officer, event, search_key, access_trail)


@pytest.fixture
def history(deployment, listed, words, known):
    heard(deployment, listed, words)
    deployment.follow(listed, "photo_credential_compared", photo_credential=COMPARED)
    other = loaded(deployment.submit("DHS-CBP", known("DHS-CBP"), agent_label="Agent 3"))
    right = {"corrects_seq": 0, "facts": {"identifier": {"kind": "badge", "value": known()}}}
    deployment.follow(
        other, "corrected", corrected={**right, "facts": {**right["facts"], "agent": {"claimed_agency": "DHS-ICE"}}}
    )
    gone = loaded(deployment.submit(agent_label="Agent 4"))
    expunged(deployment, gone["id"])
    assert audited(deployment).ok, audited(deployment).sentences()
    return listed, other, gone


def rebuilt(deployment):
    return deployment.service.rebuild("LAPD", lambda *_: None)


def everything(deployment):
    shown = [loaded(deployment.get("/v1/verifications"))["verifications"]]
    shown += [loaded(deployment.get(f"/v1/verifications/{v['id']}")) for v in shown[0]]
    return [*shown, loaded(deployment.get("/v1/incidents/261124001234"))]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_a_lost_table_comes_back_as_it_was(deployment, history, table, known):
    before = everything(deployment)
    with deployment.service.database.write() as connection:
        connection.execute(delete(table))
    assert rebuilt(deployment) == 4
    assert audited(deployment).ok, audited(deployment).sentences()
    assert everything(deployment) == before
    asked = {"identifier": {"kind": "badge", "value": known()}}
    found = deployment.client.post("/v1/verifications/search", json=asked, headers=deployment.bearer())
    assert {v["id"] for v in loaded(found)["verifications"]} == {history[0]["id"], history[1]["id"]}
    assert deployment.get(f"/v1/verifications/{history[2]['id']}").status_code == 410


def test_an_altered_row_is_put_right_and_work_goes_on(deployment, history):
    with deployment.service.database.write() as connection:
        connection.execute(update(verification).values(outcome="verified", seq=1))
    assert not audited(deployment).ok
    rebuilt(deployment)
    assert audited(deployment).ok, audited(deployment).sentences()
    assert deployment.follow(history[1], "interrupted", interrupted={"reason": "left_scene"}).status_code == 201
    assert audited(deployment).ok, audited(deployment).sentences()
