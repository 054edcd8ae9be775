"""Serve the rosters that wait for a person: what differs, and the decision about each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verify_service.access.roster_decision import OPERATION
from verify_service.clock import rfc3339
from verify_service.errors import NotFound, PreconditionFailed, Unavailable
from verify_service.registry.hold import Decision
from verify_service.web import described, examples, replies
from verify_service.web.api import Body, Reply, Routes
from verify_service.web.backend import current_backend
from verify_service.web.client_address import client_address
from verify_service.web.fields import Document, Flag, Note

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Response

    from verify_service.caller import Caller
    from verify_service.registry.hold import Waiting

routes = Routes(
    "roster-holds",
    "Rosters of which too much changed: each waits until a person decided about exactly that one.",
    {"sha256": "The roster's SHA-256."},
)


class RosterDecisionDocument(Document):
    """What was decided about a roster, and why."""

    approved = Flag(required=True)
    reason = Note(required=True)


@routes.operation(
    "listRosterHolds", "GET", "/v1/roster-holds", reply=Reply(200, described.ROSTER_HOLDS), refusals=(Unavailable,)
)
def list_holds(caller: Caller) -> Response:
    """List rosters that wait.

    Each with what differs from the roster that answers meanwhile, and until when that one does.
    """
    waiting = current_backend().holds.undecided(caller.department)
    return replies.plain({"holds": [_document(each) for each in waiting]})


@routes.operation(
    "getRosterHold",
    "GET",
    "/v1/roster-holds/<string:sha256>",
    reply=Reply(200, described.ROSTER_HOLD),
    refusals=(Unavailable,),
)
def get(caller: Caller, sha256: str) -> Response:
    """Read a hold.

    One that was decided about, or that a newer roster replaced, too.
    """
    return replies.plain(_document(current_backend().holds.find(caller.department, sha256)))


@routes.operation(
    OPERATION,
    "POST",
    "/v1/roster-holds/<string:sha256>/decision",
    body=Body(RosterDecisionDocument(), examples.ROSTER_DECISIONS),
    reply=Reply(200, described.ROSTER_HOLD),
    refusals=(PreconditionFailed, Unavailable),
    step_up=True,
)
def decide(caller: Caller, sha256: str, body: Mapping[str, Any]) -> Response:
    """Decide about a roster.

    Call the agency on its held number first. Approved, the next ingest takes it if it is still what the agency
    publishes; rejected, it is refused for good. The decision is in the access log before it is in force, and never
    changes; sent again, it is answered as before.
    """
    backend = current_backend()
    waiting = backend.holds.find(caller.department, sha256)
    if waiting.held.decision is None and waiting not in backend.holds.undecided(caller.department):
        raise NotFound("This roster no longer waits: the agency's newer one was taken.")

    def record(waiting: Waiting, decision: Decision) -> Decision:
        return waiting.held.decision or backend.decision_record.put(caller, waiting, decision, client_address())

    decision = Decision(body["approved"], body["reason"], caller.serial, backend.clock.now())
    backend.holds.decide([waiting], decision, record)
    return get(caller, sha256)


def _document(waiting: Waiting) -> dict[str, Any]:
    document = waiting.document()
    decision = waiting.held.decision
    del document["department"]
    return {
        **document,
        "summary": waiting.hold.reason,
        "decision": decision and {**vars(decision), "at": rfc3339(decision.at)},
    }
