"""An order destroys a verification; that it was there, and why it went, stays provable."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from tests.deployment import loaded
from tests.service.test_follow_up import problem
from verify_service.evidence.audit import audit
from verify_service.storage.tables import event, idempotency, record, search_key, verification

KEY = "01a20bfd-7268-7138-850c-8d8aef628615"
SECOND = {"role": "supervisor", "serial": "27416"}


def ordered(deployment, *verifications, **more):
    body = {"ground": "Court order", "reference": "BH-2026-2", "verifications": list(verifications), **more}
    return deployment.client.post("/v1/expunge-orders", json=body, headers=deployment.bearer("supervisor"))


def approved(deployment, order, **by):
    path = f"/v1/expunge-orders/{order['id']}/approval"
    return deployment.client.post(path, headers=deployment.bearer(**(by or SECOND)))


def expunged(deployment, *verifications, **more):
    return loaded(approved(deployment, loaded(ordered(deployment, *verifications, **more))))


def audited(deployment):
    service = deployment.service
    return audit(service.audit_source(), service.vault, service.marks())


@pytest.fixture
def other(deployment, known):
    return loaded(deployment.submit("DHS-CBP", known("DHS-CBP"), agent_label="Agent 3"))


@pytest.fixture
def doomed(deployment, known):
    answer = loaded(deployment.submit("DHS-ICE", known(), key=KEY, note="Tall."))
    deployment.follow(answer, "interrupted", interrupted={"reason": "left_scene"})
    return answer


def test_l18_nothing_of_it_is_left_but_that_it_was_there(deployment, doomed, other, known):
    receipt = deployment.get(doomed["events"][0]["receipt"]).get_data()
    order = expunged(deployment, doomed["id"])
    assert (order["approved_by"], order["carried_out_at"]) == ("27416", "2026-11-24T05:18:09.000Z")
    for path in (f"/v1/verifications/{doomed['id']}", doomed["events"][0]["record"], doomed["events"][0]["receipt"]):
        assert "destroyed by order" in problem(deployment.get(path), 410)
    assert "destroyed by order" in problem(deployment.submit("DHS-ICE", known(), key=KEY, note="Tall."), 410)
    assert [v["id"] for v in loaded(deployment.get("/v1/verifications"))["verifications"]] == [other["id"]]
    found = deployment.client.post(
        "/v1/verifications/search",
        json={"identifier": {"kind": "badge", "value": known()}},
        headers=deployment.bearer(),
    )
    assert loaded(found)["verifications"] == []
    with deployment.service.database.read() as connection:
        for table, column in ((verification, verification.c.id), (search_key, search_key.c.verification)):
            assert doomed["id"] not in set(connection.scalars(select(column).select_from(table)))
        emptied = connection.execute(select(idempotency.c.reply).where(idempotency.c.wrapped_key == b"")).all()
        assert {row.reply for row in emptied} == {b""}
        assert len(emptied) == 2
    # What was proved before is proved still: the log's commitments stand.
    assert receipt.startswith(b"c2sp.org/tlog-proof@v1")
    assert audited(deployment).ok, audited(deployment).sentences()


def test_the_order_is_on_record_and_names_what_went(deployment, doomed):
    expunged(deployment, doomed["id"])
    log = deployment.service.logs.records("LAPD")
    last = deployment.service.log_store.head(log.log).size - 1
    written = json.loads(log.record(last)[0])
    assert (written["kind"], written["subject"], written["seq"]) == ("expunged", f"verification:{doomed['id']}", 2)
    indexes = written["body"].pop("indexes")
    assert written["body"] == {
        "ground": "Court order",
        "reference": "BH-2026-2",
        "approvers": ["27415", "27416"],
    }
    with deployment.service.database.read() as connection:
        for table in (record, event):
            left = set(connection.scalars(select(table.c.idx).where(table.c.log == "records")))
            assert not left & set(indexes)
    assert log.receipt(last).startswith("c2sp.org/tlog-proof@v1")


def test_an_incident_goes_with_everything_that_was_checked_there(deployment, doomed, other):
    incident = doomed["incident"]["id"]
    part = ordered(deployment, doomed["id"], incidents=[incident])
    assert "1 more verifications were made there" in problem(part, 422, "/incidents/0")
    expunged(deployment, doomed["id"], other["id"], incidents=[incident], statements=True)
    assert "destroyed by order" in problem(deployment.get(f"/v1/incidents/{incident}"), 410)
    assert deployment.get("/v1/incidents/261124001234").status_code == 404
    assert audited(deployment).ok, audited(deployment).sentences()
    # The number can be met again.
    assert deployment.submit().status_code == 201
    assert audited(deployment).ok, audited(deployment).sentences()


def test_a_second_supervisor_approves(deployment, doomed):
    order = loaded(ordered(deployment, doomed["id"]))
    assert "A second supervisor approves" in problem(approved(deployment, order, role="supervisor"), 403)
    assert deployment.get(f"/v1/verifications/{doomed['id']}").status_code == 200
    assert loaded(deployment.get(f"/v1/expunge-orders/{order['id']}", "supervisor")) == order
    first = approved(deployment, order)
    assert approved(deployment, order).get_data() == first.get_data()
    for role in ("officer", "dispatcher", "auditor", "operator", "partner"):
        assert approved(deployment, order, role=role).status_code == 403


def test_a_hold_stands_against_it_until_an_order_releases_it(deployment, doomed):
    placed = {"ground": "Claim", "reference": "C-1"}
    order = loaded(ordered(deployment, doomed["id"]))
    deployment.follow(doomed, "hold_placed", "supervisor", hold_placed=placed)
    assert "a supervisor placed a hold (C-1)" in problem(approved(deployment, order), 422, "/verifications/0")
    assert problem(ordered(deployment, doomed["id"]), 422, "/verifications/0")
    assert expunged(deployment, doomed["id"], releases_holds=True)["carried_out_at"] is not None
    assert audited(deployment).ok


def test_the_requesters_statement_goes_only_where_the_order_names_it(deployment, doomed, other):
    expunged(deployment, doomed["id"])
    page = deployment.client.get(doomed["requester_receipt"]).get_data(as_text=True)
    assert "The number given is on the agency&#39;s list." in page
    expunged(deployment, other["id"], statements=True)
    page = deployment.client.get(other["requester_receipt"]).get_data(as_text=True)
    assert "Withdrawn by order." in page
    assert "Agency named" not in page
    assert audited(deployment).ok, audited(deployment).sentences()


@pytest.mark.parametrize("home_and_url", ["sqlite"], indirect=True)
def test_l18_its_keys_are_overwritten_in_the_file_and_its_journal(deployment, doomed, home_and_url):
    with deployment.service.database.read() as connection:
        keys = connection.scalars(select(record.c.wrapped_key).where(record.c.log == "records")).all()
        keys += connection.scalars(select(verification.c.wrapped_key)).all()
    home, _ = home_and_url

    def left():
        files = b"".join(path.read_bytes() for path in home.glob("verify.db*"))
        return [key for key in keys if key in files]

    assert len(left()) == len(keys)
    expunged(deployment, doomed["id"], statements=True)
    # The incident's record stays: it is no verification's.
    assert len(left()) == 1


def test_l07_what_is_missing_without_an_order_is_a_fault_still(deployment, doomed, other):
    expunged(deployment, doomed["id"])
    with deployment.service.database.write() as connection:
        connection.execute(record.delete().where(record.c.log == "records", record.c.idx == 5))
    assert any("the record is missing and no expunge names it" in line for line in audited(deployment).sentences())


def test_an_order_for_what_is_not_there_is_refused(deployment, doomed):
    assert ordered(deployment, KEY).status_code == 404
    described = loaded(deployment.client.get("/openapi.json"))["paths"]["/v1/expunge-orders"]["post"]
    assert "404" in described["responses"]
    expunged(deployment, doomed["id"])
    assert ordered(deployment, doomed["id"]).status_code == 410
    assert problem(ordered(deployment, incidents=[KEY]), 422, "/incidents/0")
    assert problem(ordered(deployment), 422, "/verifications")
