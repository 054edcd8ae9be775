"""Speak a witness's protocol over HTTP as a small WSGI application (C2SP tlog-witness v1)."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any

from verify_service.errors import (
    LogInconsistent,
    LogNotTrusted,
    NotFound,
    ReceiptMalformed,
    ServiceError,
    SignatureInvalid,
    Unavailable,
)
from verify_service.witness.witness import SizeConflict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from wsgiref.types import StartResponse, WSGIEnvironment

    from verify_service.witness.witness import Witness

logger = logging.getLogger(__name__)

ADD_CHECKPOINT = "/add-checkpoint"
MONITORED = re.compile(r"/([0-9a-f]{64})/checkpoint")
# A proof of 63 hashes and a checkpoint with several signatures, some of them ML-DSA-44, take a third of this.
LARGEST_BODY = 64 * 1024
PLAIN, SIZE = "text/plain; charset=utf-8", "text/x.tlog.size"
STATUSES: Mapping[type[ServiceError], str] = {
    ReceiptMalformed: "400 Bad Request",
    SignatureInvalid: "403 Forbidden",
    LogNotTrusted: "404 Not Found",
    NotFound: "404 Not Found",
    SizeConflict: "409 Conflict",
    LogInconsistent: "422 Unprocessable Entity",
}
UNAVAILABLE = "503 Service Unavailable"


class WitnessApp:
    """The WSGI application; ``monitored`` serves the newest checkpoints to whoever asks.

    It is off unless asked for, since the heads of a log that is not published yet tell when somebody was checked.
    """

    def __init__(self, witness: Witness, *, monitored: bool) -> None:
        self._witness = witness
        self._monitored = monitored

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        """Answer one request."""
        status, content_type, text = self._answer(environ)
        body = text.encode()
        start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(body)))])
        return [body]

    def _answer(self, environ: WSGIEnvironment) -> tuple[str, str, str]:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        found = MONITORED.fullmatch(path) if self._monitored else None
        if path == ADD_CHECKPOINT and method == "POST":
            return _told(lambda: self._witness.add_checkpoint(_body(environ)))
        if found is not None and method == "GET":
            return _told(lambda: self._witness.newest(found[1]))
        if path == ADD_CHECKPOINT or found is not None:
            return "405 Method Not Allowed", PLAIN, "This address takes another method.\n"
        return "404 Not Found", PLAIN, "There is nothing at this address.\n"


def _told(ask: Callable[[], str]) -> tuple[str, str, str]:
    try:
        return "200 OK", PLAIN, ask()
    except SizeConflict as conflict:
        return STATUSES[SizeConflict], SIZE, f"{conflict.size}\n"
    except Unavailable as error:
        logger.warning("%s", error.diagnosis)
        return UNAVAILABLE, PLAIN, f"{error.detail}\n"
    except ServiceError as refusal:
        if isinstance(refusal, LogInconsistent):
            logger.warning("A log that is watched does not go on from what was cosigned: %s", refusal.detail)
        return STATUSES[type(refusal)], PLAIN, f"{refusal.detail}\n"


def _body(environ: WSGIEnvironment) -> bytes:
    stream: Any = environ["wsgi.input"]
    content: bytes = stream.read(LARGEST_BODY + 1)
    if len(content) > LARGEST_BODY:
        raise ReceiptMalformed(f"A request has at most {LARGEST_BODY} bytes.")
    return content
