"""Turn every error into a problem document (RFC 9457); the only place where an error meets an HTTP status."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, json, request
from werkzeug.exceptions import HTTPException, InternalServerError

from verify_service import errors
from verify_service.clock import uuid7
from verify_service.vault import SealBroken
from verify_service.web.backend import current_backend
from verify_service.web.dpop import ALGORITHMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
# A name, not an address: it stays the same in every deployment, so that a client can compare it.
TYPES = "https://verify-service.example/problems/"
REALM = 'realm="verify-service"'
MOST_FAULTS = 20
LARGEST_BODY = 64 * 1024
INTERNAL_DETAIL = "Something went wrong inside. Nothing more is said here; give the operator the id in instance."


@dataclass(frozen=True)
class Kind:
    """One sort of refusal: its stable code, title and status, and the headers that always come with it."""

    code: str
    title: str
    status: int
    headers: tuple[str, ...] = ()


STATUSES: Mapping[type[errors.ServiceError], int] = {
    errors.MalformedRequest: 400,
    errors.IdempotencyKeyMissing: 400,
    errors.NotAuthenticated: 401,
    errors.NotAllowed: 403,
    errors.NotFound: 404,
    errors.Expunged: 410,
    errors.PreconditionFailed: 412,
    errors.InvalidRequest: 422,
    errors.IdempotencyKeyReused: 422,
    errors.Unavailable: 503,
    errors.Overloaded: 503,
    errors.StorageUnavailable: 503,
    errors.StorageFull: 503,
    errors.OutcomeUnknown: 503,
    errors.LogRefused: 503,
    SealBroken: 500,
}
# Seconds after which the same request is worth sending again.
RETRY_AFTER: Mapping[type[errors.ServiceError], int] = {
    errors.Overloaded: 1,
    errors.OutcomeUnknown: 1,
    errors.StorageFull: 60,
    errors.LogRefused: 60,
}
DEFAULT_RETRY_AFTER = 5
HEADERS = {401: ("WWW-Authenticate",), 405: ("Allow",), 415: ("Accept",), 429: ("Retry-After",), 503: ("Retry-After",)}

INTERNAL = Kind("internal_error", "Something went wrong inside", 500)
TOO_LARGE = Kind("content_too_large", "The body is too large", 413)
NOT_JSON = Kind("unsupported_media_type", "The body is not sent as JSON", 415, HEADERS[415])
HTTP_KINDS: Mapping[int, Kind] = {
    400: Kind(errors.MalformedRequest.code, errors.MalformedRequest.title, 400),
    404: Kind(errors.NotFound.code, errors.NotFound.title, 404),
    405: Kind("method_not_allowed", "This address does not take that method", 405, HEADERS[405]),
    413: TOO_LARGE,
    415: NOT_JSON,
    429: Kind("too_many_requests", "Too many requests", 429, HEADERS[429]),
}
# Werkzeug's own words speak of browsers and spelling.
HTTP_WORDS = {
    404: "There is nothing at this address; /docs lists what there is.",
    405: "Use one of the methods that the Allow header names.",
    413: f"Send at most {LARGEST_BODY} bytes.",
}


def kind_of(error: type[errors.ServiceError]) -> Kind:
    """Return how an error is served; one that the table does not name is a fault of ours, not the caller's."""
    status = STATUSES.get(error)
    return INTERNAL if status is None else Kind(error.code, error.title, status, HEADERS.get(status, ()))


def install(app: Flask) -> None:
    """Answer every error of an app with a problem document."""
    app.register_error_handler(errors.ServiceError, _of_service_error)
    app.register_error_handler(HTTPException, _of_http_exception)
    app.register_error_handler(Exception, _of_accident)


@dataclass(frozen=True)
class Problem:
    """A refusal as it is sent; ``members`` extend the document (RFC 9457 §3.2)."""

    kind: Kind
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    members: Mapping[str, Any] = field(default_factory=dict)

    def response(self) -> Response:
        """Write the problem document."""
        document = {"type": TYPES + self.kind.code, "title": self.kind.title, "status": self.kind.status}
        body = json.dumps(document | {"detail": self.detail} | dict(self.members))
        return Response(body, self.kind.status, dict(self.headers), content_type=MEDIA_TYPE)


def _of_service_error(error: errors.ServiceError) -> Response:
    """Answer an error of the service's own tree."""
    kind = kind_of(type(error))
    if kind.status == INTERNAL.status:
        return _of_accident(error, kind)
    if isinstance(error, errors.InvalidRequest):
        return _of_faults(kind, error)
    headers = {}
    if isinstance(error, errors.NotAuthenticated):
        headers["WWW-Authenticate"] = _challenges(error)
        if "nonce" in error.challenge:
            headers["DPoP-Nonce"] = error.challenge["nonce"]
    if isinstance(error, errors.Unavailable):
        logger.warning("%s was answered %s: %s", _operation(), kind.code, error.diagnosis)
        headers["Retry-After"] = str(RETRY_AFTER.get(type(error), DEFAULT_RETRY_AFTER))
    return Problem(kind, error.detail, headers).response()


def _of_faults(kind: Kind, error: errors.InvalidRequest) -> Response:
    """Name every fault to its place: a JSON Pointer into the body, or the name of a query parameter."""
    named = [
        {"parameter": place[1:], "detail": sentence}
        if place.startswith("?")
        else {"pointer": place, "detail": sentence}
        for place, sentences in error.faults.items()
        for sentence in sentences
    ]
    detail = error.detail if len(named) == 1 else f"{len(named)} places cannot be accepted; errors names "
    if len(named) > 1:
        detail += "each." if len(named) <= MOST_FAULTS else f"the first {MOST_FAULTS}."
    return Problem(kind, detail, members={"errors": named[:MOST_FAULTS]}).response()


def _challenges(error: errors.NotAuthenticated) -> str:
    """Write the challenge of RFC 9449 §7.1, and that of RFC 6750 §3 where it serves too; the scheme used comes first.

    A description takes neither quotes nor other alphabets.
    """
    schemes = {"DPoP": f'DPoP {REALM}, algs="{" ".join(ALGORITHMS)}"'}
    if current_backend().authenticator.bearer:
        schemes["Bearer"] = f"Bearer {REALM}"
    used = "Bearer" if "Bearer" in schemes and _scheme() == "bearer" else "DPoP"
    first = schemes.pop(used)
    if error.error is not None:
        plain = "".join(c for c in error.detail if " " <= c <= "~" and c not in '"\\')
        first += f', error="{error.error}", error_description="{plain}"'
        # RFC 9470 §3. A nonce goes into a header of its own (RFC 9449 §8).
        first += "".join(f', {name}="{value}"' for name, value in error.challenge.items() if name != "nonce")
    return ", ".join([first, *schemes.values()])


def _scheme() -> str:
    return request.headers.get("Authorization", "").partition(" ")[0].lower()


def _of_http_exception(error: HTTPException) -> Response:
    if isinstance(error, InternalServerError):
        # Flask wraps so what an error handler or an after_request function raised.
        return _of_accident(error.original_exception or error)
    status = error.code or INTERNAL.status
    kind = HTTP_KINDS.get(status, Kind(f"http_{status}", error.name, status))
    detail = HTTP_WORDS.get(status, error.description or error.name)
    # An error may say more than its status: what is allowed (405), accepted (415), or when to come back (429).
    headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    return Problem(kind, detail, headers).response()


def _of_accident(error: BaseException, kind: Kind = INTERNAL) -> Response:
    """Answer a fault of ours: the id in ``instance`` leads to the diagnostics, and nothing else is told."""
    backend = current_backend()
    instance = f"urn:uuid:{uuid7(backend.clock.now(), backend.random_bytes)}"
    logger.error("%s failed, %s\n%s", _operation(), instance, "\n".join(_where(error)))
    return Problem(kind, INTERNAL_DETAIL, members={"instance": instance}).response()


def _operation() -> str:
    # The address itself may hold a requester's code, so its pattern stands in the diagnostics.
    return f"{request.method} {request.url_rule.rule if request.url_rule else 'an unknown address'}"


def _where(error: BaseException) -> Iterator[str]:
    """Yield the kinds of errors and where each was raised, but no message: it may quote a body, token or badge."""
    chain: BaseException | None = error
    while chain is not None:
        yield f"{type(chain).__module__}.{type(chain).__qualname__}"
        yield from _frames(traceback.extract_tb(chain.__traceback__))
        chain = chain.__cause__ or chain.__context__


def _frames(stack: Iterable[traceback.FrameSummary]) -> Iterator[str]:
    for frame in stack:
        yield f"  {frame.filename}:{frame.lineno} in {frame.name}"
