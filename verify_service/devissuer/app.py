"""Serve the documents from which a resource server learns the development issuer's key, and tokens to partners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, Response, json, request

from verify_service.devissuer.token_desk import Refused

if TYPE_CHECKING:
    from verify_service.devissuer.issuer import DevelopmentIssuer
    from verify_service.devissuer.token_desk import TokenDesk


def create_app(issuer: DevelopmentIssuer, desk: TokenDesk | None = None) -> Flask:
    """Make the issuer's app; over HTTP it signs for partners' registered keys alone, so reaching it signs nobody in."""
    app = Flask(__name__, static_folder=None)

    @app.get("/.well-known/openid-configuration")
    def configuration() -> dict[str, Any]:
        return issuer.configuration()

    @app.get("/jwks")
    def keys() -> dict[str, Any]:
        return issuer.key_set()

    if desk is not None:
        app.add_url_rule("/token", "token", lambda: _token(desk), methods=["POST"])
    return app


def _token(desk: TokenDesk) -> Response:
    try:
        answer, status = desk.token(request.form, request.headers.get("DPoP")), 200
    except Refused as refused:
        answer, status = {"error": refused.error, "error_description": str(refused)}, 400
    headers = {"Cache-Control": "no-store"}
    return Response(json.dumps(answer), status, headers, content_type="application/json")
