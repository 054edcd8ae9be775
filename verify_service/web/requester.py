"""Show the person who asked what was found: fixed words, and nothing kept about the reader."""

from __future__ import annotations

from flask import Response, render_template

from verify_service.errors import NotFound
from verify_service.record_log.record import parse_record
from verify_service.verification.statement import code_sha256
from verify_service.verification.words import texts
from verify_service.web.api import Routes
from verify_service.web.backend import current_backend

routes = Routes("requester", "What the person who asked may hold.")


@routes.page("getRequesterPage", "/r/<string:code>")
def requester_page(code: str) -> str | Response:
    """Show the newest statement that a code opens, or that a supervisor is checking."""
    backend = current_backend()
    found = backend.case_reader.statement(code_sha256(code))
    if found is None:
        raise NotFound("This link opens nothing. Ask the officer or the station for a new one.")
    department, link, seq = found
    told = None
    if seq and not link.pending:
        log, index = backend.logs.locate(department, link.ref, seq - 1)
        told = parse_record(log.record(index)[0])
    return render_template("requester.html", link=link, told=told, texts=texts(), synthetic=backend.synthetic())
