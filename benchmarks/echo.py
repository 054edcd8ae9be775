"""The bare comparison: a Flask app that parses a JSON body and sends one of the same size back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask, Response, request

if TYPE_CHECKING:
    from verify_service.web.api import Routes  # noqa: F401


def application() -> Flask:
    """Make the app; ``/echo`` answers as many bytes as the query's ``size`` says."""
    app = Flask(__name__)

    @app.route("/echo", methods=["GET", "POST"])
    def echo() -> Response:
        size = int(request.args["size"])
        if request.method == "POST":
            request.get_json()
        return Response(b'{"' + b"x" * (size - 5) + b'":1}', content_type="application/json")

    return app
