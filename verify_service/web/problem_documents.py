"""Describe in the API reference which problems an operation answers, with the type and headers they are served with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verify_service import errors
from verify_service.web.fields import Document, Text
from verify_service.web.idempotency import HEADER
from verify_service.web.problems import (
    HTTP_WORDS,
    INTERNAL,
    INTERNAL_DETAIL,
    MEDIA_TYPE,
    NOT_JSON,
    TOO_LARGE,
    TYPES,
    Kind,
    kind_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from verify_service.access.policy import Rule

Refusal = type[errors.ServiceError] | Kind

SCHEMA_NAME = "Problem"
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "description": "A problem document (RFC 9457). Tell problems apart by type; detail is for a person.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri", "description": "A stable name of the sort of problem."},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What is wrong, and what to do next."},
        "instance": {"type": "string", "format": "uri", "description": "The id by which the operator finds a fault."},
        "errors": {
            "type": "array",
            "description": "Each place that cannot be accepted.",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "A JSON Pointer (RFC 6901) into the body."},
                    "parameter": {"type": "string", "description": "The name of a query parameter."},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
HEADER_WORDS = {
    "WWW-Authenticate": "The challenge of RFC 9449 and, of a step up, RFC 9470.",
    "Retry-After": "Seconds after which the same request may be sent again.",
    "Accept": "The media type that is taken.",
    "Allow": "The methods that are taken.",
}
# One detail of each kind, as a caller would read it.
DETAILS = {
    errors.MalformedRequest.code: "The body is not JSON: Expecting value at line 1, column 12.",
    errors.IdempotencyKeyMissing.code: "Add the header Idempotency-Key with a fresh random value.",
    errors.NotAuthenticated.code: "The access token expired 3 minutes ago: sign in again.",
    errors.NotAllowed.code: "This is for officer or dispatcher; your token says auditor.",
    errors.NotFound.code: "There is no verification with this id in your department.",
    errors.Expunged.code: "This was expunged by order; the log keeps its commitment.",
    TOO_LARGE.code: HTTP_WORDS[413],
    NOT_JSON.code: "Send the body as JSON, with the header Content-Type: application/json.",
    errors.InvalidRequest.code: "Choose one of: lead, member.",
    errors.IdempotencyKeyReused.code: "This key was used for another body: take a fresh one.",
    INTERNAL.code: INTERNAL_DETAIL,
}


class RetryHeader(Document):
    """The header that makes a recording request safe to repeat."""

    key = Text(
        255,
        pattern="[!-~]{1,255}",
        required=True,
        data_key=HEADER,
        metadata={"description": "A fresh random value, kept for every retry: the same key and body, the same record."},
    )


def kinds(
    rule: Rule, refusals: Iterable[Refusal], *, body: bool, query: bool, keyed: bool, path: bool
) -> dict[int, Sequence[Kind]]:
    """Gather by status the problems that follow from what an operation takes, and those it names itself."""
    causes: list[Refusal] = [INTERNAL, *refusals]
    if not rule.public:
        causes += [errors.NotAuthenticated, errors.NotAllowed, errors.Unavailable, errors.StorageUnavailable]
    if path:
        causes += [errors.NotFound]
    if body:
        causes += [errors.MalformedRequest, TOO_LARGE, NOT_JSON]
    if body or query:
        causes += [errors.InvalidRequest]
    if keyed:
        causes += [
            errors.MalformedRequest,
            errors.IdempotencyKeyMissing,
            errors.IdempotencyKeyReused,
            errors.Expunged,
            errors.Overloaded,
            errors.StorageFull,
            errors.OutcomeUnknown,
            errors.LogRefused,
        ]
    found = {cause if isinstance(cause, Kind) else kind_of(cause) for cause in causes}
    gathered: dict[int, Sequence[Kind]] = {}
    for kind in sorted(found, key=lambda kind: (kind.status, kind.code)):
        gathered[kind.status] = [*gathered.get(kind.status, ()), kind]
    return gathered


def name(status: int, of_status: Sequence[Kind]) -> str:
    """Name the component that describes these problems together."""
    return "-".join([str(status), *(kind.code for kind in of_status)])


def description(of_status: Sequence[Kind]) -> dict[str, Any]:
    """Describe the problems of one status as an OpenAPI response."""
    response: dict[str, Any] = {
        "description": " · ".join(f"{kind.title} (`{kind.code}`)" for kind in of_status),
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": f"#/components/schemas/{SCHEMA_NAME}"},
                "examples": {kind.code: {"value": _example(kind)} for kind in of_status},
            }
        },
    }
    headers = sorted({header for kind in of_status for header in kind.headers})
    if headers:
        response["headers"] = {
            header: {"description": HEADER_WORDS[header], "schema": {"type": "string"}} for header in headers
        }
    return response


def _example(kind: Kind) -> dict[str, Any]:
    example: dict[str, Any] = {"type": TYPES + kind.code, "title": kind.title, "status": kind.status}
    example["detail"] = DETAILS.get(kind.code, f"{kind.title}: try again later.")
    if kind.code == errors.InvalidRequest.code:
        example["errors"] = [{"pointer": "/agent/role", "detail": example["detail"]}]
    if kind == INTERNAL:
        example["instance"] = "urn:uuid:01932a5c-7c00-7a3e-9d2f-0c5a1e6b7f80"
    return example
