"""What was kept for its years goes, unless something holds it, and only once two people say so."""

from __future__ import annotations

import json

import pytest

from tests.deployment import loaded
from verify_service.errors import ConfigurationError
from verify_service.evidence.audit import audit


@pytest.fixture
def old(deployment, known):
    """One ordinary verification, one that is contradicted, and an incident of its own for a third."""
    ordinary = loaded(deployment.submit("DHS-ICE", known()))
    held = loaded(deployment.submit("DHS-ICE", known(status="suspended"), agent_label="Agent 3"))
    alone = loaded(deployment.submit(incident_number="261124009999"))
    return ordinary, held, alone


def retention(deployment, years=5):
    return deployment.service.retention("LAPD", years)


def test_nothing_is_due_before_its_time(deployment, old):
    deployment.clock.advance(days=5 * 365)
    due = retention(deployment).due()
    assert (due.verifications, due.incidents, due.held) == ([], [], {})
    assert len(retention(deployment, years=4).due().verifications) == 2


def test_what_is_due_goes_and_what_is_held_stays_with_its_incident(deployment, old):
    ordinary, held, alone = old
    deployment.clock.advance(days=5 * 366)
    due = retention(deployment).due()
    assert set(due.verifications) == {ordinary["id"], alone["id"]}
    assert due.incidents == [alone["incident"]["id"]]
    assert due.held == {held["id"]: ["the outcome is contradicted"]}
    retention(deployment).carry_out(due, ["60001", "60002"])
    assert retention(deployment).due().verifications == []
    deployment.tokens.clear()
    assert deployment.get(f"/v1/verifications/{ordinary['id']}", "supervisor").status_code == 410
    assert deployment.get(f"/v1/verifications/{held['id']}", "supervisor").status_code == 200
    assert "Withdrawn by order." in deployment.client.get(ordinary["requester_receipt"]).get_data(as_text=True)
    service = deployment.service
    report = audit(service.audit_source(), service.vault, service.marks())
    assert report.ok, report.sentences()
    log = service.logs.records("LAPD")
    written = json.loads(log.record(service.log_store.head(log.log).size - 1)[0])
    assert (written["kind"], written["actor"]["serial"]) == ("expunged", "retention")
    assert written["body"]["approvers"] == ["60001", "60002"]
    assert written["body"]["ground"] == "Retention period of 5 years ended"


def test_two_different_people_approve(deployment, old):
    deployment.clock.advance(days=5 * 366)
    due = retention(deployment).due()
    for approvers in ([], ["60001"], ["60001", "60001"]):
        with pytest.raises(ConfigurationError, match="Two different people"):
            retention(deployment).carry_out(due, approvers)
    assert retention(deployment).due() == due


def test_two_years_are_the_least(deployment):
    with pytest.raises(ConfigurationError, match="2 years at least"):
        retention(deployment, years=1)
