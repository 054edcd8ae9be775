"""Serve orders to expunge: one supervisor orders, another approves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verify_service.errors import Expunged, InvalidRequest, NotFound, Unavailable
from verify_service.verification.event import Moments, Reporter
from verify_service.web import described, examples, replies
from verify_service.web.api import Body, Reply, Routes
from verify_service.web.backend import current_backend
from verify_service.web.client_address import client_address
from verify_service.web.fields import Document, Flag, Many, Note, Text
from verify_service.web.verification_fields import ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Response

    from verify_service.caller import Caller
    from verify_service.verification.expunge import ExpungeOrder

routes = Routes(
    "expunge-orders",
    "Orders to destroy verifications. The log keeps that they were there, and on what ground they went.",
    {"order": "The order's id."},
)
MOST_AT_ONCE = 100
SUBJECTS = ("verifications", "incidents")


class OrderDocument(Document):
    """An order with the reference of its paper."""

    ground = Note(required=True)
    reference = Text(120, required=True)
    verifications = Many(Text(36, pattern=ID, expects="a verification's id"), most=MOST_AT_ONCE, load_default=list)
    incidents = Many(Text(36, pattern=ID, expects="an incident's id"), most=MOST_AT_ONCE, load_default=list)
    statements = Flag(load_default=False)
    releases_holds = Flag(load_default=False)


@routes.operation(
    "orderExpunge",
    "POST",
    "/v1/expunge-orders",
    body=Body(OrderDocument(), examples.EXPUNGE_ORDERS),
    reply=Reply(201, described.EXPUNGE_ORDER),
    refusals=(Expunged, NotFound, Unavailable),
    step_up=True,
)
def order(caller: Caller, body: Mapping[str, Any]) -> Response:
    """Order that verifications and incidents be destroyed.

    Nothing is destroyed before a second supervisor approves. With `statements` what the person who asked may hold goes
    too. Holds stand against it unless the order releases them.
    """
    given = {**body, **{name: tuple(dict.fromkeys(body[name])) for name in SUBJECTS}}
    if not any(given[name] for name in SUBJECTS):
        raise InvalidRequest.at("/verifications", "Name at least one verification or incident.")
    return replies.plain(_document(current_backend().expunging.order(caller, given)), 201)


@routes.operation(
    "getExpungeOrder",
    "GET",
    "/v1/expunge-orders/<string:order>",
    reply=Reply(200, described.EXPUNGE_ORDER),
    refusals=(Unavailable,),
)
def get(caller: Caller, order: str) -> Response:
    """Read an order."""
    backend = current_backend()
    found = backend.expunging.find(caller, order)
    version = "ordered" if found.carried_out_at is None else "carried out"
    backend.access_events.read(caller, "getExpungeOrder", f"expunge-order:{order}", version, client_address())
    return replies.plain(_document(found))


@routes.operation(
    "approveExpungeOrder",
    "POST",
    "/v1/expunge-orders/<string:order>/approval",
    reply=Reply(200, described.EXPUNGE_ORDER),
    refusals=(Expunged, InvalidRequest, Unavailable),
    step_up=True,
)
def approve(caller: Caller, order: str) -> Response:
    """Approve an order, and so carry it out.

    Records, their nonces, what they are found by, the replies kept for retries and the read models are destroyed; an
    event `expunged` follows on each. Sent again, it goes on where it broke off.
    """
    backend = current_backend()
    by = Reporter(caller, Moments(received_at=backend.clock.now()))
    return replies.plain(_document(backend.expunging.approve(by, order)))


def _document(made: ExpungeOrder) -> dict[str, Any]:
    return {**vars(made), **{name: list(getattr(made, name)) for name in SUBJECTS}}
