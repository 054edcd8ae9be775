"""Serve incidents: read a scene, record its facts and the answers to its checklist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, request

from verify_service.errors import Expunged, IdempotencyKeyReused, Unavailable
from verify_service.verification.checklist import checklist
from verify_service.web import described, examples, replies
from verify_service.web.api import Body, Reply, Routes
from verify_service.web.backend import current_backend
from verify_service.web.claims import reporter
from verify_service.web.client_address import client_address
from verify_service.web.event_bytes import ReceiptQuery, receipt_of, record_of
from verify_service.web.incident_fields import ASSIGNING, IncidentEventDocument, scene_event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from verify_service.access.reading import IncidentView
    from verify_service.caller import Caller
    from verify_service.record_log.append import Placed, RetryKey
    from verify_service.verification.incident import Incident

routes = Routes(
    "incidents",
    "A scene under one incident number: its facts, its checklist, all its agents.",
    {"incident": "The incident's number, or its id.", "seq": "The event's number on its subject, from 0."},
)


@routes.operation(
    "getIncident",
    "GET",
    "/v1/incidents/<string:incident>",
    reply=Reply(200, described.INCIDENT, headers={"ETag": "Changes with every event on it or its verifications."}),
    refusals=(Expunged, Unavailable),
)
def get(caller: Caller, incident: str) -> Response:
    """Read an incident.

    Its facts, its checklist with the answers so far, and every agent checked there.
    """
    reading = current_backend().reading
    version = reading.incident_version(caller, incident)
    if version in request.if_none_match:
        return Response(status=304, headers={"ETag": f'"{version}"'})
    return _view(caller, reading.incident(caller, "getIncident", incident, client_address()))


@routes.operation(
    "addIncidentEvent",
    "POST",
    "/v1/incidents/<string:incident>/events",
    body=Body(IncidentEventDocument(), examples.INCIDENT_EVENTS),
    reply=Reply(201, described.INCIDENT_EVENT, headers={"Location": "The path of the incident."}),
    refusals=(IdempotencyKeyReused, Expunged, Unavailable),
    keyed=True,
)
def add_event(caller: Caller, incident: str, body: Mapping[str, Any], key: RetryKey) -> Response:
    """Add an event to an incident.

    Scene facts, an answer to a checklist item, a supervisor requested or arrived, the incident's number.
    `officer_assigned` puts the caller on the incident: whoever enters its number works it, and that is on record.
    """
    backend, given = current_backend(), scene_event(body, caller.serial)
    scene, _ = backend.reading.find_incident(caller, incident, entering=body["kind"] == ASSIGNING)
    by = reporter(body, caller, backend.clock.now())
    origin = backend.logs.records(caller.department).origin

    def render(after: Incident, placed: Sequence[Placed]) -> bytes:
        url = replies.incident_url(after.id)
        document = replies.incident_document(after, replies.placed_events(url, origin, placed))
        return replies.kept(url, document, checklist().applying(after.scene), after.answers)

    return replies.created(backend.desk.note_scene(scene, given, by, key, render))


@routes.operation(
    "getIncidentRecord",
    "GET",
    "/v1/incidents/<string:incident>/events/<int(max=2147483647):seq>/record",
    reply=Reply(200, described.RECORD, media_type="application/json"),
    refusals=(Expunged, Unavailable),
)
def get_record(caller: Caller, incident: str, seq: int) -> Response:
    """Read an incident event's record.

    The exact bytes that the log committed to.
    """
    scene, _ = current_backend().reading.find_incident(caller, incident)
    return record_of(caller, "getIncidentRecord", f"incident:{scene.id}", seq)


@routes.operation(
    "getIncidentReceipt",
    "GET",
    "/v1/incidents/<string:incident>/events/<int(max=2147483647):seq>/receipt",
    query=ReceiptQuery(),
    reply=Reply(200, described.RECEIPT, media_type="text/plain"),
    refusals=(Expunged, Unavailable),
)
def get_receipt(caller: Caller, incident: str, seq: int, query: Mapping[str, Any]) -> Response:
    """Read an incident event's receipt.

    Offline proof that the log holds the record (C2SP tlog-proof).
    """
    scene, _ = current_backend().reading.find_incident(caller, incident)
    return receipt_of(caller, "getIncidentReceipt", f"incident:{scene.id}", seq, query)


def _view(caller: Caller, view: IncidentView) -> Response:
    incident = view.incident
    origins = current_backend().logs.origins(caller.department)
    events = replies.standing_events(replies.incident_url(incident.id), origins, view.events)
    document = replies.incident_document(incident, events)
    document["agents"] = {"present": incident.scene.get("agents_present"), "checked": len(view.cases)}
    document["verifications"] = [replies.summary(case) for case in view.cases]
    return replies.read(document, checklist().applying(incident.scene), incident.answers, view.version)
