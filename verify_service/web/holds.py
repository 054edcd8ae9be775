"""Serve the legal holds in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verify_service.access.legal_holds import OPERATION
from verify_service.errors import Unavailable
from verify_service.web import described, replies
from verify_service.web.api import Reply, Routes
from verify_service.web.backend import current_backend
from verify_service.web.client_address import client_address
from verify_service.web.fields import Document, QueryWhole
from verify_service.web.verification_fields import MOST_LISTED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Response

    from verify_service.access.legal_holds import HeldCase
    from verify_service.caller import Caller

routes = Routes("holds", "What must be kept, whatever its age: holds that supervisors placed, and those of the facts.")


class HoldsQuery(Document):
    """Which page of the holds."""

    after = QueryWhole(0, 2**53, load_default=None)
    limit = QueryWhole(1, MOST_LISTED, load_default=25)


@routes.operation(
    OPERATION, "GET", "/v1/holds", query=HoldsQuery(), reply=Reply(200, described.HOLDS), refusals=(Unavailable,)
)
def list_holds(caller: Caller, query: Mapping[str, Any]) -> Response:
    """List holds.

    The verifications that are held, of those that the caller may see, newest first, each with the ground and reference
    of every hold in force. A page may be short, or empty, and still have a `next`: send it as `after` until it is null.
    """
    held, after = current_backend().held_cases.page(caller, query["after"], query["limit"], client_address())
    return replies.plain({"verifications": [_document(each) for each in held], "next": after})


def _document(held: HeldCase) -> dict[str, Any]:
    return {
        "id": held.case.id,
        "incident": {"id": held.incident.id, "number": held.incident.number},
        "outcome": held.case.outcome,
        "opened_at": held.case.opened_at,
        "holds": [vars(hold) for hold in held.holds],
    }
