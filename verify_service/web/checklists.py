"""Serve the checklist documents, byte for byte as their digest says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response

from verify_service.errors import NotFound
from verify_service.verification.checklist import checklist
from verify_service.web import described
from verify_service.web.api import Reply, Routes

if TYPE_CHECKING:
    from verify_service.caller import Caller

routes = Routes(
    "checklists", "The duty-to-intercede checklist with its sources.", {"version": "The checklist's version."}
)


@routes.operation(
    "getChecklist",
    "GET",
    "/v1/checklists/<string:version>",
    reply=Reply(200, described.CHECKLIST_DOCUMENT, headers={"ETag": "The SHA-256 of the document."}),
)
def get_checklist(caller: Caller, version: str) -> Response:  # noqa: ARG001 - Any caller may read it.
    """Read a checklist.

    The document whose SHA-256 every record quotes. It is a draft until counsel approves it, and says so.
    """
    if not version.isdecimal():
        raise NotFound("There is no such checklist.")
    try:
        found = checklist(version)
    except FileNotFoundError as error:
        raise NotFound("There is no such checklist.") from error
    return Response(found.content, content_type="application/json", headers={"ETag": f'"{found.sha256}"'})
