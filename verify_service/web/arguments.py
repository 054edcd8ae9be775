"""Hand the body and the query of a request to their schemas, and name every fault in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from flask import g
from webargs.flaskparser import FlaskParser

from verify_service.errors import InvalidRequest
from verify_service.web import json_body
from verify_service.web.json_pointer import faults

if TYPE_CHECKING:
    import marshmallow
    from flask import Request

BODY = "json"
QUERY = "query"


class ArgumentsParser(FlaskParser):
    """Reads bodies strictly, refuses unknown query parameters, and speaks this service's words."""

    # A misspelt filter that is passed over would show more than was asked for.
    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, QUERY: "raise"}  # noqa: RUF012

    def load_json(self, req: Request, schema: marshmallow.Schema) -> Any:  # noqa: ARG002
        """Read the body of the request."""
        return document(req)

    def handle_error(self, error: marshmallow.ValidationError, *_: Any, **__: Any) -> NoReturn:
        """Raise InvalidRequest; a query has no pointers, so its parameters are marked with a question mark."""
        raise InvalidRequest(
            {
                f"?{place[1:]}" if location == QUERY else place: sentences
                for location, messages in error.messages_dict.items()
                for place, sentences in faults(messages).items()
            }
        ) from error


def document(request: Request) -> Any:
    """Return the body of this request, parsed once however often it is asked for."""
    if "document" not in g:
        g.document = json_body.read(request)
    return g.document
