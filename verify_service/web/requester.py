"""Show the person who asked what was found: fixed words, and nothing kept about the reader."""

from __future__ import annotations

from flask import render_template

from verify_service.clock import parse_rfc3339
from verify_service.errors import Expunged, NotFound
from verify_service.record_log.record import Statement, parse_record
from verify_service.verification.statement import code_sha256
from verify_service.verification.texts import texts
from verify_service.web.api import Routes
from verify_service.web.backend import Backend, current_backend

routes = Routes("requester", "What the person who asked may hold.")


@routes.page("getRequesterPage", "/r/<string:code>")
def requester_page(code: str) -> str:
    """Show the newest statement that a code opens, or that a supervisor is checking."""
    backend = current_backend()
    try:
        told = _told(backend, code)
    except Expunged:
        return render_template("requester.html", withdrawn=True, synthetic=backend.synthetic())
    shown = {}
    if told is not None:
        time = parse_rfc3339(told.time).astimezone(backend.zone)
        shown = {"outcome": texts()[f"outcome_{told.outcome}"], "time": f"{time:%Y-%m-%d %H:%M %Z}"}
    return render_template("requester.html", told=told, texts=texts(), synthetic=backend.synthetic(), **shown)


def _told(backend: Backend, code: str) -> Statement | None:
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
    statement = parse_record(log.record(index)[0])
    if not isinstance(statement, Statement):
        raise NotFound("This receipt cannot be shown. Ask the station.")
    return statement
