"""Serve new codes for requesters who lost theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from flask import Response

from verify_service.access.requester_code import OPERATION, Reissue
from verify_service.errors import Expunged, IdempotencyKeyReused, Unavailable
from verify_service.web import described, examples
from verify_service.web.api import Body, Reply, Routes
from verify_service.web.backend import current_backend
from verify_service.web.client_address import client_address
from verify_service.web.fields import Document, Flag, Text
from verify_service.web.replies import JSON, requester_urls
from verify_service.web.verification_fields import ID

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verify_service.caller import Caller
    from verify_service.record_log.append import RetryKey

routes = Routes(
    "requester-codes",
    "New codes for the people who asked and lost theirs.",
    {"incident": "The incident's number or id."},
)


class ReissueDocument(Document):
    """Whose receipt is asked for, and whether the earlier codes open nothing any more."""

    verification = Text(36, pattern=ID, expects="a verification's id", load_default=None, allow_none=True)
    ends_earlier = Flag(load_default=False)


@routes.operation(
    OPERATION,
    "POST",
    "/v1/incidents/<string:incident>/requester-codes",
    body=Body(ReissueDocument(), examples.REISSUES),
    reply=Reply(201, described.REQUESTER_CODE),
    refusals=(IdempotencyKeyReused, Expunged, Unavailable),
    keyed=True,
)
def reissue(caller: Caller, incident: str, body: Mapping[str, Any], key: RetryKey) -> Response:
    """Reissue a code.

    For a person who lost theirs and knows the incident's number; no name is asked or stored. Where several were checked
    there, `verification` says whose receipt it is. Earlier codes go on opening it, so that nobody loses a receipt to
    somebody who knows a number; with `ends_earlier`, such as after a theft, they open nothing any more.
    """
    asked = Reissue(incident, body["verification"], body["ends_earlier"], client_address())

    def render(code: str) -> bytes:
        return orjson.dumps(requester_urls(code))

    return Response(current_backend().requester_codes.reissue(caller, asked, key, render), 201, content_type=JSON)
