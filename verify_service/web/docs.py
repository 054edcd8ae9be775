"""Serve the API description, and a reference in which every operation can be tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app, jsonify, render_template

from verify_service.web.api import Routes, description
from verify_service.web.backend import current_backend

if TYPE_CHECKING:
    from flask import Response

routes = Routes("docs", "The API reference.")


@routes.page("apiDescription", "/openapi.json")
def openapi() -> Response:
    """Return the OpenAPI description of this service."""
    return jsonify(description(current_app))


@routes.page("apiReference", "/docs")
def reference() -> str:
    """Show the API reference."""
    return render_template("docs.html", synthetic=current_backend().synthetic())
