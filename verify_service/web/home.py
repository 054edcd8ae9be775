"""Show a visitor what this is and where to go on."""

from __future__ import annotations

from flask import render_template

from verify_service import __version__
from verify_service.web.api import Routes
from verify_service.web.backend import current_backend

routes = Routes("home", "The front page.")


@routes.page("home", "/")
def home() -> str:
    """Show the front page."""
    return render_template("home.html", synthetic=current_backend().synthetic(), version=__version__)
