"""Serve access events to auditors: who looked at this, and what this person looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verify_service.access.event import Act
from verify_service.access.trail import Inquiry
from verify_service.clock import rfc3339
from verify_service.errors import IdempotencyKeyReused, InvalidRequest, Unavailable
from verify_service.record_log.record import SealedField
from verify_service.verification.claim import NOTE_LENGTH
from verify_service.web import described, examples, replies
from verify_service.web.api import Body, Reply, Routes
from verify_service.web.backend import current_backend
from verify_service.web.client_address import client_address
from verify_service.web.fields import Code, Document, Moment, Note, QueryWhole, Text
from verify_service.web.verification_fields import ID, INCIDENT_NUMBER, MOST_LISTED, SERIAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Response

    from verify_service.access.trail import AccessEvent
    from verify_service.caller import Caller
    from verify_service.record_log.append import RetryKey

routes = Routes("access-events", "Who read, searched, exported or was refused what. Asking is on record too.")
ASKED = ("person", "verification", "incident", "act")
FINDINGS = ("nothing_unusual", "asked_about", "passed_on")
SALT_BYTES = 32
REVIEW = "signOffAccessReview"


class InquiryQuery(Document):
    """By whom or of what; without any of them every event is meant."""

    person = Text(64, pattern=SERIAL, expects="a person's serial", load_default=None)
    verification = Text(36, pattern=ID, expects="a verification's id", load_default=None)
    incident = Text(36, pattern=f"{INCIDENT_NUMBER}|{ID}", expects="an incident's number or id", load_default=None)
    act = Code((REVIEW,), load_default=None)
    after = QueryWhole(0, 2**53, load_default=None)
    limit = QueryWhole(1, MOST_LISTED, load_default=25)


class ReviewDocument(Document):
    """Which period was reviewed, and what was found."""

    reviewed_from = Moment(required=True)
    reviewed_until = Moment(required=True)
    finding = Code(FINDINGS, required=True)
    note = Note(NOTE_LENGTH, load_default=None, allow_none=True)


@routes.operation(
    "listAccessEvents",
    "GET",
    "/v1/access-events",
    query=InquiryQuery(),
    reply=Reply(200, described.ACCESS_EVENTS),
    refusals=(Unavailable,),
    step_up=True,
)
def list_events(caller: Caller, query: Mapping[str, Any]) -> Response:
    """List access events.

    Newest first: what a `person` looked at, or who looked at a `verification` or an `incident`, refusals among them; or
    the acts of one kind, such as the reviews that were signed off.
    What was destroyed by order is still named here. `next` is the `after` of the next page, or null.
    """
    backend = current_backend()
    given = [name for name in ASKED if query[name] is not None]
    if len(given) > 1:
        raise InvalidRequest.at(f"?{given[1]}", "Ask for one of these at a time: leave this out.")
    asked = Inquiry(**{name: query[name] for name in ASKED})
    page = backend.trail.page(caller, "listAccessEvents", asked, query["after"], query["limit"], client_address())
    origins = backend.logs.origins(caller.department)
    events = [_document(event, origins[event.place.log]) for event in page.events]
    return replies.plain({"events": events, "next": page.after})


@routes.operation(
    REVIEW,
    "POST",
    "/v1/access-reviews",
    body=Body(ReviewDocument(), examples.ACCESS_REVIEWS),
    reply=Reply(201, described.ACCESS_REVIEW),
    refusals=(IdempotencyKeyReused, Unavailable),
    keyed=True,
)
def sign_off(caller: Caller, body: Mapping[str, Any], key: RetryKey) -> Response:
    """Sign off a review of access events.

    An auditor says that they reviewed the events of a period, such as a week, and what they found. It is an event
    itself, found with `act=signOffAccessReview`; the note stands there as a salted digest.
    """
    backend = current_backend()
    if body["reviewed_until"] <= body["reviewed_from"] or body["reviewed_until"] > backend.clock.now():
        raise InvalidRequest.at("/reviewed_until", "Give a moment after `reviewed_from` that has passed.")
    note = None if body["note"] is None else SealedField(body["note"], backend.random_bytes(SALT_BYTES))
    review = {name: rfc3339(body[name]) for name in ("reviewed_from", "reviewed_until")} | {"finding": body["finding"]}
    detail = review | {"note": note and note.digest}
    fields = () if note is None else (note,)
    backend.access_events.acted(caller, Act(REVIEW, None, detail, fields=fields, address=client_address()), key)
    return replies.plain(review | {"signed_off_by": caller.serial}, 201)


def _document(event: AccessEvent, origin: str) -> dict[str, Any]:
    record = event.record
    return {
        "kind": record.kind,
        "received_at": record.received_at,
        "actor": record.actor,
        "client": record.client,
        "body": record.body,
        "log": {"origin": origin, "index": event.place.index},
    }
