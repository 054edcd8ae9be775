"""A roster that waits is judged and decided about over the API, and the decision is on record before it is in force."""

from __future__ import annotations

import pytest

from tests.deployment import loaded
from tests.service.test_follow_up import problem
from verify_service.caller import Caller
from verify_service.cli import registry
from verify_service.errors import RegistryRefused
from verify_service.registry.hold import Decision
from verify_service.signing import sha256_hex

ICE = "DHS-ICE"
REASON = "A field office closed, told by the registrar"
SECOND = {"serial": "60002"}


@pytest.fixture
def held(apart):
    """A roster that waits in both departments, by its SHA-256."""
    content = apart.sample.small_roster(ICE, apart.sample.known(ICE))
    apart.sample.publish_roster(ICE, content)
    for department in apart.service.settings.departments:
        apart.service.ingest(department).run()
    return sha256_hex(content)


def decided(apart, sha256, *, approved=True, reason=REASON, role="operator", **by):
    body = {"approved": approved, "reason": reason}
    return apart.client.post(f"/v1/roster-holds/{sha256}/decision", json=body, headers=apart.bearer(role, **by))


def decisions(apart, department="LAPD"):
    return [event for event in apart.accesses(department) if event["kind"] == "acted"]


def answering(apart):
    return apart.service.ingest("LAPD").run().edition.agencies[ICE].roster.sha256


def test_a_person_can_judge_what_waits(apart, held):
    (hold,) = loaded(apart.get("/v1/roster-holds", "operator"))["holds"]
    assert (hold["agency"], hold["sha256"], hold["from_seq"], hold["to_seq"], hold["signatures"]) == (
        ICE,
        held,
        1,
        2,
        2,
    )
    assert hold["change"]["removed"] == hold["change"]["before"] - 1
    assert hold["summary"].startswith("The roster of DHS-ICE with number 2 waits for a person. 0 entries were added, ")
    assert hold["decision"] is None
    assert loaded(apart.get(f"/v1/roster-holds/{held}", "operator")) == hold
    assert apart.get(f"/v1/roster-holds/{'0' * 64}", "operator").status_code == 404


def test_an_approved_roster_is_taken(apart, held):
    assert loaded(decided(apart, held))["decision"] == {
        "approved": True,
        "reason": REASON,
        "by": "60001",
        "at": "2026-11-24T05:04:09.000Z",
    }
    assert loaded(apart.get("/v1/roster-holds", "operator"))["holds"] == []
    assert answering(apart) == held


def test_a_rejected_roster_is_refused(apart, held):
    before = answering(apart)
    assert loaded(decided(apart, held, approved=False))["decision"]["approved"] is False
    assert answering(apart) == before != held


def test_the_decision_is_on_record_with_its_reason_sealed(apart, held):
    decided(apart, held, approved=False)
    (written,) = decisions(apart)
    assert (written["actor"]["serial"], written["actor"]["role"]) == ("60001", "operator")
    reason = written["body"]["detail"].pop("reason")
    assert written["body"] == {
        "operation": "decideAboutRoster",
        "object": f"roster:{held}",
        "detail": {"agency": ICE, "from_seq": 1, "to_seq": 2, "signatures": 2, "approved": False},
        "address": "127.0.0.1",
    }
    log = apart.service.logs.access("LAPD")
    content, fields = log.record(apart.service.log_store.head(log.log).size - 1)
    assert (fields[reason].value, REASON in content.decode()) == (REASON, False)
    # What one department decided is not the other's decision.
    assert decisions(apart, "SFPD") == []
    assert loaded(apart.get("/v1/roster-holds", "operator", department="SFPD"))["holds"] != []


def test_a_decision_never_changes_and_sent_again_is_answered_as_before(apart, held):
    first = decided(apart, held)
    apart.clock.advance(minutes=5)
    assert decided(apart, held).get_data() == first.get_data()
    for other in ({"approved": False}, {"reason": "To be sure"}, SECOND):
        assert "60001 approved it at 2026-11-24T05:04:09.000Z" in problem(decided(apart, held, **other), 412)
    assert len(decisions(apart)) == 1


def test_one_that_was_recorded_and_not_put_in_force_is_the_one_that_stands(apart, held):
    # As if the process had been killed between the two.
    waiting = apart.service.holds().find("LAPD", held)
    by = Caller.at_command_line("LAPD", "command-line", "d.chief")
    apart.service.decision_record().put(by, waiting, Decision(False, REASON, "d.chief", apart.clock.now()))
    assert loaded(apart.get(f"/v1/roster-holds/{held}", "operator"))["decision"] is None
    assert "d.chief rejected it" in problem(decided(apart, held), 412)
    assert loaded(apart.get(f"/v1/roster-holds/{held}", "operator"))["decision"]["approved"] is False
    assert len(decisions(apart)) == 1


def test_the_command_line_is_on_record_too(apart, held):
    registry.decide(apart.service, ICE, REASON, approved=True)
    for department in ("LAPD", "SFPD"):
        (written,) = decisions(apart, department)
        assert written["actor"]["issuer"] == "urn:verify-service:command-line"
        assert written["body"]["detail"]["approved"] is True
    with pytest.raises(RegistryRefused, match="No such roster of DHS-ICE waits"):
        registry.decide(apart.service, ICE, REASON, approved=True)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_without_its_event_no_decision(apart, held):
    mark = apart.service.high_water(apart.service.logs.access("LAPD").log)
    promised = mark.path.read_bytes()
    mark.path.write_bytes(b"")
    assert decided(apart, held).status_code == 503
    assert loaded(apart.get(f"/v1/roster-holds/{held}", "operator"))["decision"] is None
    mark.path.write_bytes(promised)
    assert decided(apart, held).status_code == 200


@pytest.mark.parametrize("engine", ["sqlite"])
def test_nobody_else_decides(apart, held):
    for role in ("officer", "dispatcher", "supervisor", "auditor", "partner"):
        assert decided(apart, held, role=role).status_code == 403
        assert apart.get("/v1/roster-holds", role).status_code == 403
    assert decided(apart, "0" * 64).status_code == 404
    assert problem(decided(apart, held, reason=""), 422, "/reason")
    assert decisions(apart) == []
