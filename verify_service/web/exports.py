"""Serve exports: what is on record of a verification or an incident, as a zip that proves itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response

from verify_service.errors import Expunged, InvalidRequest, NotFound, Unavailable
from verify_service.evidence.case_export import FORMS, zipped
from verify_service.evidence.exporting import OPERATION, Asked
from verify_service.web import described, examples
from verify_service.web.api import Body, Reply, Routes
from verify_service.web.backend import current_backend
from verify_service.web.client_address import client_address
from verify_service.web.fields import Code, Document, Note, Text
from verify_service.web.verification_fields import ID, INCIDENT_NUMBER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verify_service.caller import Caller

routes = Routes("exports", "What is on record, to be handed to a court, to counsel, to the public.")
ZIP = "application/zip"
# An export is made in memory, so that opened identifiers touch no disk here.
LARGEST = 64 * 1024 * 1024


class ExportDocument(Document):
    """What is exported, in which form, and why."""

    form = Code(FORMS, required=True)
    verification = Text(36, pattern=ID, expects="a verification's id", load_default=None, allow_none=True)
    incident = Text(
        36, pattern=f"{INCIDENT_NUMBER}|{ID}", expects="an incident's number or id", load_default=None, allow_none=True
    )
    reason = Note(required=True)


@routes.operation(
    OPERATION,
    "POST",
    "/v1/exports",
    body=Body(ExportDocument(), examples.EXPORTS),
    reply=Reply(
        200,
        described.EXPORT,
        media_type=ZIP,
        headers={"Content-Disposition": "The name of the file, after what is in it."},
    ),
    refusals=(Expunged, NotFound, Unavailable),
    step_up=True,
)
def export(caller: Caller, body: Mapping[str, Any]) -> Response:
    """Export evidence.

    One verification as `evidence` for a court, as `discovery` with an index for counsel to mark, or as `public-records`
    with the sealed values withheld. Of an incident, a zip with one such zip for each verification there that the caller
    may see. Who asked for each, and why, is in the access log before the first byte leaves. At most 64 MiB at once.
    """
    backend, form = current_backend(), body["form"]
    if (body["verification"] is None) == (body["incident"] is None):
        raise InvalidRequest.at("/verification", "Name one verification, or one incident.")
    asked = Asked(caller, body["reason"], client_address())
    if body["incident"] is None:
        case, _, _ = backend.reading.find(caller, body["verification"])
        (made,) = backend.exporting.export(asked, [case.id], form, LARGEST)
        return _file(f"{case.id}-{form}.zip", made.content)
    incident, cases, _ = backend.reading.scene(caller, body["incident"])
    if not cases:
        raise NotFound("No verification that you may see was made at this incident.")
    all_made = backend.exporting.export(asked, [case.id for case in cases], form, LARGEST)
    whole = zipped({f"{made.verification}.zip": made.content for made in all_made}, backend.clock.now())
    return _file(f"{incident.id}-{form}.zip", whole)


def _file(name: str, content: bytes) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, 200, headers, content_type=ZIP)
