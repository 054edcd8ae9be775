"""An operation code concludes nothing until its agency activates it, and then for an hour."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import delete, update

from tests.deployment import loaded
from tests.service.test_follow_up import problem
from verify_service.evidence.audit import audit
from verify_service.storage.tables import op_code_activation

AGENCY = "TREAS-IRSCI"


@pytest.fixture
def code(known):
    return known(AGENCY, kind="op_code")


def activate(deployment, value, agency=AGENCY, **options):
    body = {"identifier": {"kind": "op_code", "value": value}}
    return deployment.post("/v1/op-code-activations", body, "partner", serial=agency, **options)


def later(deployment, **time):
    deployment.clock.advance(**time)
    # Tokens are shorter than what is waited for here.
    deployment.tokens.clear()


def outcome(deployment, value, agency=AGENCY):
    return loaded(deployment.submit(agency, value, kind="op_code"))["outcome"]


def test_a_listed_code_speaks_for_an_operation_for_an_hour_from_its_activation(deployment, code):
    assert outcome(deployment, code) == "inconclusive"
    answer = activate(deployment, f"{code[:4].lower()} {code[4:]}")
    assert answer.status_code == 201
    assert loaded(answer) == {
        "agency": AGENCY,
        "activated_at": "2026-11-24T05:18:09.000Z",
        "active_until": "2026-11-24T06:18:09.000Z",
    }
    assert outcome(deployment, code) == "agency_vouched"
    later(deployment, minutes=59, seconds=59)
    assert outcome(deployment, code) == "agency_vouched"
    later(deployment, seconds=1)
    assert outcome(deployment, code) == "inconclusive"


def test_activating_again_goes_on_from_then_and_a_retry_does_not(deployment, code):
    first = activate(deployment, code, key="01a20bfd-7268-7138-850c-8d8aef628615")
    later(deployment, minutes=50)
    retried = activate(deployment, code, key="01a20bfd-7268-7138-850c-8d8aef628615")
    assert retried.get_data() == first.get_data()
    later(deployment, minutes=11)
    assert outcome(deployment, code) == "inconclusive"
    activate(deployment, code)
    assert outcome(deployment, code) == "agency_vouched"


def test_an_agency_activates_only_what_its_own_fresh_roster_lists_as_active(deployment, known, code):
    for value in (known(AGENCY, "absent", "op_code"), known(AGENCY, "suspended", "op_code")):
        assert "does not list this code as active" in problem(activate(deployment, value), 422, "/identifier/value")
    assert problem(activate(deployment, code, "DHS-ICE"), 422, "/identifier/value")
    assert "no agency's code" in problem(activate(deployment, code, "DHS-KGB"), 403)
    later(deployment, hours=73)
    assert problem(activate(deployment, code), 422, "/identifier/value")


def test_nobody_but_a_partner_activates(deployment, code):
    body = {"identifier": {"kind": "op_code", "value": code}}
    for role in ("officer", "dispatcher", "supervisor", "auditor", "operator"):
        assert deployment.post("/v1/op-code-activations", body, role).status_code == 403


def test_an_activation_is_on_record_and_its_code_sealed(deployment, code):
    activate(deployment, code)
    log = deployment.service.logs.records("LAPD")
    content, fields = log.record(deployment.service.log_store.head(log.log).size - 1)
    record = json.loads(content)
    assert (record["kind"], record["subject"], record["actor"]["serial"]) == ("op_code_activated", None, AGENCY)
    assert code not in content.decode()
    assert record["body"]["told_by_agency"]["identifier"]["canonical"] in fields
    report = audit(deployment.service.audit_source(), deployment.service.vault, deployment.service.marks())
    assert report.ok, report.sentences()


def test_an_activation_that_no_record_made_is_a_fault_and_goes_with_a_rebuild(deployment, code):
    activate(deployment, code)
    service = deployment.service

    def faults():
        return audit(service.audit_source(), service.vault, service.marks()).sentences()

    with service.database.write() as connection:
        connection.execute(update(op_code_activation).values(until="2099-01-01T00:00:00.000Z"))
    assert any("active for another time than its record says" in line for line in faults())
    service.rebuild("LAPD", lambda *_: None)
    assert faults()[-1] == "Everything agrees."
    assert outcome(deployment, code) == "agency_vouched"
    with service.database.write() as connection:
        connection.execute(delete(op_code_activation))
    assert any("is not among the active ones" in line for line in faults())


def test_a_code_of_one_agency_says_nothing_of_another(deployment, code):
    activate(deployment, code)
    assert outcome(deployment, code, "DHS-ICE") == "inconclusive"
    assert loaded(deployment.submit("none_stated", code, kind="op_code"))["outcome"] == "inconclusive"
