"""A lost code is reissued by incident number: on record, without a name, and nobody loses their receipt by it."""

from __future__ import annotations

import re

from sqlalchemy import select

from tests.deployment import loaded
from tests.service.test_expunge import audited, expunged
from tests.service.test_follow_up import problem
from verify_service.storage.tables import requester_code, statement_link

NUMBER = "261124001234"
KEY = "01a20bfd-7268-7138-850c-8d8aef628615"


def reissued(deployment, incident=NUMBER, key=None, role="supervisor", by=None, **body):
    return deployment.post(f"/v1/incidents/{incident}/requester-codes", body, role, key=key, **(by or {}))


def page(deployment, path):
    return deployment.client.get(path)


def test_the_new_code_opens_the_same_receipt_and_the_old_one_still_does(deployment, listed):
    answer = reissued(deployment)
    assert answer.status_code == 201
    new = loaded(answer)
    assert re.fullmatch(r"/r/[a-z2-7]{26}", new["requester_receipt"])
    assert new["requester_receipt"] != listed["requester_receipt"]
    old_page, new_page = page(deployment, listed["requester_receipt"]), page(deployment, new["requester_receipt"])
    assert (old_page.status_code, new_page.status_code) == (200, 200)
    statements = [page(deployment, f"{code['requester_receipt']}/statement").get_data() for code in (listed, new)]
    assert statements[0] == statements[1]
    assert page(deployment, new["requester_receipt_qr"]).content_type == "image/svg+xml"
    # A later change of outcome is told to both.
    deployment.follow(listed, "interrupted", interrupted={"reason": "left_scene"})
    assert audited(deployment).ok, audited(deployment).sentences()


def test_asked_to_it_ends_the_earlier_codes(deployment, listed):
    second = loaded(reissued(deployment))
    third = loaded(reissued(deployment, ends_earlier=True))
    assert page(deployment, third["requester_receipt"]).status_code == 200
    for ended in (listed, second):
        assert page(deployment, ended["requester_receipt"]).status_code == 404
        assert page(deployment, ended["requester_receipt_qr"]).status_code == 404
    # What happens afterwards brings no ended code back.
    deployment.follow(listed, "agency_callback", agency_callback={"result": "unreachable"})
    assert page(deployment, listed["requester_receipt"]).status_code == 404
    fourth = loaded(reissued(deployment))
    for code in (third, fourth):
        assert page(deployment, code["requester_receipt"]).status_code == 200
    assert audited(deployment).ok, audited(deployment).sentences()


def test_a_retry_gets_the_same_code_once(deployment, listed):
    first, again = (reissued(deployment, key=KEY) for _ in range(2))
    assert first.get_data() == again.get_data()
    assert len([event for event in deployment.accesses() if event["kind"] == "acted"]) == 1
    assert problem(reissued(deployment, key=KEY, ends_earlier=True), 422)
    with deployment.service.database.read() as connection:
        assert len(connection.execute(select(requester_code)).all()) == 1


def test_it_is_on_record_and_only_the_codes_hash_is_kept(deployment, listed):
    code = loaded(reissued(deployment))["requester_receipt"].removeprefix("/r/")
    (written,) = [event for event in deployment.accesses() if event["kind"] == "acted"]
    assert (written["actor"]["serial"], written["actor"]["role"]) == ("27415", "supervisor")
    assert written["body"] == {
        "operation": "reissueRequesterCode",
        "object": f"verification:{listed['id']}",
        "detail": {"ends_earlier": False},
        "address": "127.0.0.1",
    }
    with deployment.service.database.read() as connection:
        kept = [*connection.execute(select(requester_code)), *connection.execute(select(statement_link))]
    assert code not in str(kept)
    assert code not in str(written)


def test_where_several_were_checked_one_is_named(deployment, listed, known):
    other = loaded(deployment.submit("DHS-CBP", known("DHS-CBP"), agent_label="Agent 3"))
    assert "2 were made at this incident" in problem(reissued(deployment), 422, "/verification")
    assert problem(reissued(deployment, verification=KEY), 422, "/verification")
    code = loaded(reissued(deployment, verification=other["id"]))
    assert "DHS-CBP" in page(deployment, code["requester_receipt"]).get_data(as_text=True)


def test_only_their_own_supervisor_reissues(deployment, listed):
    for role in ("officer", "dispatcher", "auditor", "operator", "partner"):
        assert reissued(deployment, role=role).status_code == 403
    elsewhere = {"serial": "27499", "command": "Harbor Area"}
    assert reissued(deployment, by=elsewhere).status_code == 404
    assert reissued(deployment, by={"department": "SFPD"}).status_code == 404
    assert reissued(deployment, "261124009999").status_code == 404
    assert [event for event in deployment.accesses() if event["kind"] == "acted"] == []


def test_an_order_that_names_the_statement_withdraws_every_code(deployment, listed):
    code = loaded(reissued(deployment, key=KEY))
    expunged(deployment, listed["id"], statements=True)
    for each in (listed, code):
        assert "Withdrawn by order." in page(deployment, each["requester_receipt"]).get_data(as_text=True)
    assert reissued(deployment, key=KEY).status_code == 404
    assert audited(deployment).ok, audited(deployment).sentences()
