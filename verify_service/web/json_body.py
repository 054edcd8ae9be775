"""Read a JSON body that may be hostile: whatever is wrong with it is refused in words and never breaks the service."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from verify_service.errors import InvalidRequest, MalformedRequest
from verify_service.web.json_pointer import pointer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Request

    Path = tuple[str | int, ...]

MEDIA_TYPE = "application/json"
DEEPEST = 32
# RFC 8785 writes numbers as IEEE 754 doubles, which hold whole numbers exactly no further than this.
LARGEST = 2**53 - 1
# Tab, line feed and carriage return are left to the fields; PostgreSQL takes no NUL, UTF-8 no lone surrogate.
UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


class NotJson(UnsupportedMediaType):
    """The body says that it is something else; ``Accept`` tells what is taken (RFC 9110 §15.5.16)."""

    def get_headers(self, *args: Any, **kwargs: Any) -> list[tuple[str, str]]:
        """Add what would be accepted."""
        return [*super().get_headers(*args, **kwargs), ("Accept", MEDIA_TYPE), ("Accept-Encoding", "identity")]


def read(request: Request) -> Any:
    """Return the JSON document that a request carries.

    Raises NotJson for another media type, encoding or charset, RequestEntityTooLarge for more than the app takes,
    and what ``parse`` raises.
    """
    if request.mimetype != MEDIA_TYPE:
        raise NotJson(f"Send the body as JSON, with the header Content-Type: {MEDIA_TYPE}.")
    if request.mimetype_params.get("charset", "utf-8").lower() != "utf-8":
        raise NotJson("Send the body in UTF-8.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise NotJson("Send the body without Content-Encoding.")
    body = request.get_data()
    # Werkzeug 3.1 cuts a chunked body off at the limit without a word, and the rest could read as another document.
    if len(body) >= (request.max_content_length or math.inf) and len(body) > (request.content_length or 0):
        raise RequestEntityTooLarge
    return parse(body)


def parse(body: bytes) -> Any:
    """Parse a JSON document (RFC 8259) more strictly than Python does.

    Raises MalformedRequest where the bytes are no document or one that two parsers could read differently, and
    InvalidRequest where a text in it cannot be stored.
    """
    if not body.strip():
        raise MalformedRequest("The body is empty: send a JSON object.")
    if body.startswith(b"\xef\xbb\xbf"):
        raise MalformedRequest("The body starts with a byte order mark: send UTF-8 without one.")
    try:
        document = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_object,
            parse_int=_whole_number,
            parse_float=_number,
            parse_constant=_no_constant,
        )
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"Byte {error.start} of the body is not UTF-8.") from error
    except json.JSONDecodeError as error:
        raise MalformedRequest(
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from error
    except RecursionError as error:
        raise _too_deep() from error
    unclean = dict(_unclean(document))
    if unclean:
        raise InvalidRequest(unclean)
    return document


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise MalformedRequest("An object in the body gives the same name twice: give each once.")
    return members


def _whole_number(text: str) -> int:
    # The length comes first: Python refuses to convert thousands of digits.
    if len(text) > len(str(-LARGEST)) or abs(number := int(text)) > LARGEST:
        raise MalformedRequest("A whole number in the body lies beyond 2^53 - 1, past which JSON is not exact.")
    return number


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise MalformedRequest("A number in the body is too large.")
    return number


def _no_constant(_: str) -> float:
    raise MalformedRequest("The body has NaN or Infinity, which are not JSON.")


def _unclean(document: Any) -> Iterator[tuple[str, list[str]]]:
    """Yield every place whose name or text has a character that cannot be kept."""
    waiting: list[tuple[Path, Any]] = [((), document)]
    while waiting:
        path, value = waiting.pop()
        if len(path) > DEEPEST:
            raise _too_deep()
        if isinstance(value, str):
            if UNPRINTABLE.search(value):
                yield pointer(path), ["Leave out control characters and lone surrogates."]
        elif isinstance(value, list):
            waiting.extend(((*path, index), inner) for index, inner in enumerate(value))
        elif isinstance(value, dict):
            if any(UNPRINTABLE.search(name) for name in value):
                yield pointer(path), ["Leave out control characters and lone surrogates in the names of fields."]
            else:
                waiting.extend(((*path, name), inner) for name, inner in value.items())


def _too_deep() -> MalformedRequest:
    return MalformedRequest(f"The body is nested deeper than {DEEPEST} levels.")
