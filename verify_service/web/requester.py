"""Show the person who asked what was found: fixed words in two languages, and nothing kept about the reader."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import TYPE_CHECKING

import segno
from flask import Response, render_template

from verify_service.clock import parse_rfc3339
from verify_service.errors import Expunged, NotFound
from verify_service.record_log.record import Statement, parse_record
from verify_service.verification.statement import code_sha256
from verify_service.verification.words import NOT_PROOF
from verify_service.web.api import Routes
from verify_service.web.backend import Backend, current_backend

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verify_service.record_log.record_log import RecordLog

routes = Routes("requester", "What the person who asked may hold.")
LANGUAGES = ("en", "es")
NOT_YET = "There is no statement to check yet. Come back later."


@dataclass(frozen=True)
class Told:
    """The newest statement that a code opens, its exact bytes, and where it stands; None while it waits."""

    department: str
    statement: Statement
    content: bytes
    log: RecordLog
    index: int

    @property
    def is_published(self) -> bool:
        """Whether a published checkpoint covers it."""
        published = self.log.last_published()
        return published is not None and published.size > self.index


@routes.page("getRequesterPage", "/r/<string:code>")
def requester_page(code: str) -> str:
    """Show the newest statement that a code opens, or that a supervisor is checking."""
    backend = current_backend()
    shown: dict[str, object] = {"texts": texts(), "languages": LANGUAGES, "synthetic": backend.synthetic()}
    shown["not_proof"] = NOT_PROOF
    try:
        told = _told(backend, code)
    except Expunged:
        return render_template("requester.html", withdrawn=True, **shown)
    if told is not None:
        time = parse_rfc3339(told.statement.time).astimezone(backend.zone)
        shown |= {"time": f"{time:%Y-%m-%d %H:%M %Z}", "published": told.is_published, "department": told.department}
        shown |= {"statement": told.statement, "code": code}
    hour = f"{backend.publish_at:%H:%M}"
    return render_template("requester.html", told=told, hour=hour, contact=backend.contact, **shown)


@routes.page("getRequesterStatement", "/r/<string:code>/statement")
def statement(code: str) -> Response:
    """Give the exact bytes of the newest statement that a code opens."""
    told = _standing(code)
    name = f"{told.statement.receipt_number}.json"
    return Response(told.content, headers=_named(name), content_type="application/json")


@routes.page("getRequesterProof", "/r/<string:code>/proof")
def proof(code: str) -> Response:
    """Give the statement's receipt against the first published checkpoint that covers it."""
    told = _standing(code)
    receipt = told.log.receipt(told.index, published=True)
    name = f"{told.statement.receipt_number}.tlog-proof"
    return Response(receipt, headers=_named(name), content_type="text/plain; charset=utf-8")


@routes.page("getRequesterQr", "/r/<string:code>/qr")
def qr(code: str) -> Response:
    """Give the page's address as a QR code for the officer's screen, which tells nothing that the address does not."""
    backend = current_backend()
    if backend.case_reader.statement(code_sha256(code)) is None:
        raise NotFound("This link opens nothing. Ask the officer or the station for a new one.")
    image = BytesIO()
    segno.make(f"{backend.public_url}/r/{code}", micro=False).save(image, kind="svg", scale=6, border=4)
    return Response(image.getvalue(), content_type="image/svg+xml")


@cache
def texts() -> Mapping[str, Mapping[str, str]]:
    """Read the page's sentences by language."""
    content = files(__package__).joinpath("texts", "requester.json").read_bytes()
    sentences: dict[str, dict[str, str]] = json.loads(content)
    return sentences


def _standing(code: str) -> Told:
    try:
        told = _told(current_backend(), code)
    except Expunged as gone:
        raise NotFound(gone.detail) from gone
    if told is None:
        raise NotFound(NOT_YET)
    return told


def _told(backend: Backend, code: str) -> Told | None:
    """Return the statement to show, None while a supervisor is checking.

    Raises NotFound for an unknown code, Expunged where an order named the statement.
    """
    found = backend.case_reader.statement(code_sha256(code))
    if found is None:
        raise NotFound("This link opens nothing. Ask the officer or the station for a new one.")
    department, link, seq = found
    if link.pending:
        return None
    if seq == 0:
        raise Expunged("This statement was withdrawn by order.")
    log, index = backend.logs.locate(department, link.ref, seq - 1)
    content = log.record(index)[0]
    stated = parse_record(content)
    if not isinstance(stated, Statement):
        raise NotFound("This receipt cannot be shown. Ask the station.")
    return Told(department, stated, content, log, index)


def _named(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
