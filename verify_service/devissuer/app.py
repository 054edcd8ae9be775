"""Serve the two documents from which a resource server learns the development issuer's key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask

if TYPE_CHECKING:
    from verify_service.devissuer.issuer import DevelopmentIssuer


def create_app(issuer: DevelopmentIssuer) -> Flask:
    """Make the issuer's app; it signs nothing over HTTP, so reaching it signs nobody in."""
    app = Flask(__name__, static_folder=None)

    @app.get("/.well-known/openid-configuration")
    def configuration() -> dict[str, Any]:
        return issuer.configuration()

    @app.get("/jwks")
    def keys() -> dict[str, Any]:
        return issuer.key_set()

    return app
