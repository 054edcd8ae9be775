"""Make the Flask app: its resources, its limits, and the headers that every answer carries."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from flask import Flask, request
from flask.json.provider import DefaultJSONProvider

from verify_service.errors import NotFound
from verify_service.web import (
    access_events,
    api,
    checklists,
    docs,
    exports,
    expunge_orders,
    health,
    holds,
    home,
    incidents,
    op_codes,
    problems,
    public_log,
    registry,
    requester,
    requester_codes,
    roster_holds,
    verifications,
)
from verify_service.web.backend import EXTENSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from verify_service.web.api import Routes
    from verify_service.web.backend import Backend

SHELL: tuple[Routes, ...] = (home.routes, docs.routes, health.routes)
RESOURCES: tuple[Routes, ...] = (
    *SHELL,
    verifications.routes,
    incidents.routes,
    op_codes.routes,
    expunge_orders.routes,
    holds.routes,
    exports.routes,
    access_events.routes,
    registry.routes,
    roster_holds.routes,
    checklists.routes,
    public_log.routes,
    requester.routes,
    requester_codes.routes,
)

STATIC_MAX_AGE = 3600
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# An answer of the API is never a page: whatever is in it, a browser must not run, frame or embed it.
API_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
HEADERS = tuple(
    {
        "Content-Security-Policy": API_POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        # For browsers that know no frame-ancestors.
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        # What one officer saw must not stay in a shared browser or proxy.
        "Cache-Control": "no-store",
    }.items()
)


class _Json(DefaultJSONProvider):
    # Names stand in the order in which the reference gives them.
    sort_keys = False
    compact = True


class _App(Flask):
    def log_exception(self, *_: Any) -> None:
        """Leave it to ``problems``: Flask would write the error's message and the address, which may be secret."""


def create_app(backend: Backend, resources: Sequence[Routes] = RESOURCES) -> Flask:
    """Make an app that serves the resources; raise LookupError where one has no rule in the access policy."""
    app = _routed(resources)
    app.extensions[EXTENSION] = backend
    return app


def api_description() -> dict[str, Any]:
    """Return the OpenAPI description of everything served; it needs no backend."""
    return api.description(_routed(RESOURCES))


def _routed(resources: Sequence[Routes]) -> Flask:
    app = _App(__name__)
    app.json = _Json(app)
    app.config["MAX_CONTENT_LENGTH"] = problems.LARGEST_BODY
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = STATIC_MAX_AGE
    app.before_request(_refuse_unprintable_path)
    app.wsgi_app = _with_headers(app.wsgi_app)  # type: ignore[method-assign, assignment]
    problems.install(app)
    api.install(app, resources)
    return app


def _refuse_unprintable_path() -> None:
    """Keep control characters, such as a NUL that PostgreSQL refuses, out of every look-up by address."""
    if UNPRINTABLE.search(request.path):
        raise NotFound(problems.HTTP_WORDS[404])


def _with_headers(application: WSGIApplication) -> WSGIApplication:
    """Add the headers that an answer has not set itself; here they cost a tenth of what Flask's own way does."""

    def wrapped(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *exception: Any) -> Any:
            own = {name.lower() for name, _ in headers}
            return start_response(status, [*headers, *(h for h in HEADERS if h[0].lower() not in own)], *exception)

        return application(environ, start)

    return wrapped
