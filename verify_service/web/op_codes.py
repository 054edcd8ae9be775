"""Serve operation codes: an agency activates one at contact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from flask import Response

from verify_service.errors import IdempotencyKeyReused, Unavailable
from verify_service.verification.activation import OP_CODE
from verify_service.verification.claim import GivenIdentifier
from verify_service.verification.event import Moments, Reporter
from verify_service.web import described, examples
from verify_service.web.api import Body, Reply, Routes
from verify_service.web.backend import current_backend
from verify_service.web.fields import Code, Document, Part, Text
from verify_service.web.replies import JSON

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verify_service.caller import Caller
    from verify_service.record_log.append import RetryKey

routes = Routes("op-codes", "The operation codes of agencies, which speak for an operation and not for a person.")


class OpCodePart(Document):
    """An operation code."""

    kind = Code((OP_CODE,), required=True)
    value = Text(64, required=True)


class ActivationDocument(Document):
    """Which code is activated; whose it is, the token says."""

    identifier = Part(OpCodePart(), required=True)


@routes.operation(
    "activateOpCode",
    "POST",
    "/v1/op-code-activations",
    body=Body(ActivationDocument(), examples.ACTIVATIONS),
    reply=Reply(201, described.ACTIVATION),
    refusals=(IdempotencyKeyReused, Unavailable),
    keyed=True,
)
def activate(caller: Caller, body: Mapping[str, Any], key: RetryKey) -> Response:
    """Activate an operation code.

    The agency says that it is at contact now. For an hour a check of this code says that the agency vouches for an
    operation; without it a listed code concludes nothing. Neither place nor people are said, and the code is sealed.
    """
    backend = current_backend()
    given = GivenIdentifier(**body["identifier"])
    by = Reporter(caller, Moments(received_at=backend.clock.now()))
    return Response(backend.desk.activate(given, by, key, _render).reply, 201, content_type=JSON)


def _render(agency: str, activated_at: str, active_until: str) -> bytes:
    return orjson.dumps({"agency": agency, "activated_at": activated_at, "active_until": active_until})
