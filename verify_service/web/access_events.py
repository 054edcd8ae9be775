"""Serve access events to auditors: who looked at this, and what this person looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import request

from verify_service.access.trail import Inquiry
from verify_service.errors import InvalidRequest, Unavailable
from verify_service.web import described, replies
from verify_service.web.api import Reply, Routes
from verify_service.web.backend import current_backend
from verify_service.web.fields import Document, QueryWhole, Text
from verify_service.web.verification_fields import ID, INCIDENT_NUMBER, MOST_LISTED, SERIAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Response

    from verify_service.access.trail import AccessEvent
    from verify_service.caller import Caller

routes = Routes("access-events", "Who read, searched, exported or was refused what. Asking is on record too.")
ASKED = ("person", "verification", "incident")


class InquiryQuery(Document):
    """By whom or of what; without any of them every event is meant."""

    person = Text(64, pattern=SERIAL, expects="a person's serial", load_default=None)
    verification = Text(36, pattern=ID, expects="a verification's id", load_default=None)
    incident = Text(36, pattern=f"{INCIDENT_NUMBER}|{ID}", expects="an incident's number or id", load_default=None)
    after = QueryWhole(0, 2**53, load_default=None)
    limit = QueryWhole(1, MOST_LISTED, load_default=25)


@routes.operation(
    "listAccessEvents",
    "GET",
    "/v1/access-events",
    query=InquiryQuery(),
    reply=Reply(200, described.ACCESS_EVENTS),
    refusals=(Unavailable,),
)
def list_events(caller: Caller, query: Mapping[str, Any]) -> Response:
    """List access events.

    Newest first: what a `person` looked at, or who looked at a `verification` or an `incident`, refusals among them.
    What was destroyed by order is still named here. `next` is the `after` of the next page, or null.
    """
    backend = current_backend()
    given = [name for name in ASKED if query[name] is not None]
    if len(given) > 1:
        raise InvalidRequest.at(f"?{given[1]}", "Ask for one person, verification or incident at a time.")
    asked = Inquiry(**{name: query[name] for name in ASKED})
    page = backend.trail.page(caller, "listAccessEvents", asked, query["after"], query["limit"], request.remote_addr)
    origins = backend.logs.origins(caller.department)
    events = [_document(event, origins[event.place.log]) for event in page.events]
    return replies.plain({"events": events, "next": page.after})


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
