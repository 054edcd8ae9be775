"""Serve what proves an event: its record's exact bytes and its receipt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response

from verify_service.errors import InvalidRequest
from verify_service.web.backend import current_backend
from verify_service.web.client_address import client_address
from verify_service.web.fields import Document, QueryFlag

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verify_service.caller import Caller


class ReceiptQuery(Document):
    """Against which checkpoint a receipt is wanted."""

    published = QueryFlag(load_default=False)
    witnessed = QueryFlag(load_default=False)


def record_of(caller: Caller, operation: str, subject: str, seq: int) -> Response:
    """Return the exact bytes that the log committed to."""
    log, index = current_backend().reading.event_place(caller, operation, subject, seq, client_address())
    content, _ = log.record(index)
    return Response(content, content_type="application/json")


def receipt_of(caller: Caller, operation: str, subject: str, seq: int, query: Mapping[str, bool]) -> Response:
    """Return the receipt of an event as a C2SP tlog-proof; ``query`` is a read ReceiptQuery."""
    if query["published"] and query["witnessed"]:
        raise InvalidRequest.at("?witnessed", "Ask for published or witnessed, not for both.")
    log, index = current_backend().reading.event_place(caller, operation, subject, seq, client_address())
    return Response(
        log.receipt(index, published=query["published"], witnessed=query["witnessed"]),
        content_type="text/plain; charset=utf-8",
    )
