"""Serve the published part of each records log as C2SP tlog-tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response

from verify_service.errors import NotFound, Unavailable
from verify_service.record_log.log import LogId
from verify_service.web.api import Reply, Routes
from verify_service.web.backend import current_backend

if TYPE_CHECKING:
    from verify_service.record_log.public_log import PublicLog

routes = Routes(
    "log",
    "The public record log (C2SP tlog-tiles), as far as it was published.",
    {
        "department": "The department's code.",
        "log": "`records`, or a log that goes on for it, such as `records-2`.",
        "past": "`sizes`, or one of the sizes that it lists.",
        "tile": "A tile's name, such as `0/000` or `entries/000`.",
    },
)
IMMUTABLE = {"Cache-Control": "public, max-age=31536000, immutable"}
BRIEF = {"Cache-Control": "public, max-age=5"}


@routes.operation(
    "getLogCheckpoint",
    "GET",
    "/log/<string:department>/<string:log>/checkpoint",
    reply=Reply(200, {"type": "string"}, media_type="text/plain"),
    refusals=(NotFound, Unavailable),
)
def get_checkpoint(department: str, log: str) -> Response:
    """Read the published checkpoint.

    The newest signed size and root that were published; once a day.
    """
    return Response(_log(department, log).checkpoint(), content_type="text/plain; charset=utf-8", headers=BRIEF)


@routes.operation(
    "getPastLogCheckpoint",
    "GET",
    "/log/<string:department>/<string:log>/checkpoints/<string:past>",
    reply=Reply(200, {"type": "string"}, media_type="text/plain"),
    refusals=(NotFound, Unavailable),
)
def get_past_checkpoint(department: str, log: str, past: str) -> Response:
    """Read the history of published checkpoints.

    `sizes` lists every size that was published, one a line; the checkpoint of each stands under its size.
    """
    return Response(_log(department, log).past(past), content_type="text/plain; charset=utf-8", headers=BRIEF)


@routes.operation(
    "getLogTile",
    "GET",
    "/log/<string:department>/<string:log>/tile/<path:tile>",
    reply=Reply(200, {"type": "string", "format": "binary"}, media_type="application/octet-stream"),
    refusals=(NotFound, Unavailable),
)
def get_tile(department: str, log: str, tile: str) -> Response:
    """Read a tile or entry bundle.

    Hashes of the tree, or the entries themselves; they never change.
    """
    return Response(_log(department, log).tile(tile), content_type="application/octet-stream", headers=IMMUTABLE)


def _log(department: str, log: str) -> PublicLog:
    found = current_backend().public_logs.get(LogId(department, log))
    if found is None:
        raise NotFound("There is no such log.")
    return found
