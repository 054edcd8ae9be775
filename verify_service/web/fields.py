"""Describe what the wire carries: strict fields that convert nothing silently and say how to mend what they refuse."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from marshmallow import RAISE, Schema, ValidationError, fields

from verify_service.clock import parse_rfc3339, rfc3339
from verify_service.errors import ServiceError
from verify_service.verification.claim import NOTE_LENGTH
from verify_service.verification.screening import screened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# Controls, line and paragraph separators, and the marks that make text read in another order than it is written.
FORBIDDEN = r"\u0000-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069"
FORBIDDEN_IN_LINES = FORBIDDEN.replace(r"\u001F", r"\u0009\u000B-\u001F")
SURROGATES = r"\uD800-\uDFFF"
# RFC 3339 §5.6; Python alone would take every form of ISO 8601.
RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)

NEVER_HERE = (
    "Free text. Never anybody's name or status: what looks like an immigration status, an A-number, a social security "
    "number, a telephone number, an e-mail or a street address is refused, and nothing of it is kept."
)

WORDS: dict[str, Any] = {
    "required": "Add this field.",
    "null": "Give a value here; null is not taken.",
    "validator_failed": "This value is not taken.",
}


class Document(Schema):
    """An object on the wire; a field that it does not name is refused.

    It takes the fields of this module alone, since marshmallow's own read "yes" as true and 1.9 as 1. A reply that
    needs others is a plain Schema. Raises TypeError where it is made with another field.
    """

    class Meta:
        """A field that nobody reads would mislead its sender."""

        unknown = RAISE

    error_messages = {  # noqa: RUF012 - marshmallow names the attribute.
        "type": "Send a JSON object here.",
        "unknown": "This field is not known here: leave it out.",
    }

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Refuse a field that is not strict."""
        _check_strict(field_name, field_obj)


class Text(fields.String):
    """Printable text of ``shortest`` to ``longest`` characters; line feeds only where ``lines`` is true.

    ``pattern`` must match it all, and ``expects`` says in words what that is. ``parse`` is the domain's own
    reading of it, which raises ValueError or ServiceError with a sentence.
    """

    default_error_messages = WORDS | {"invalid": "Write text here, in quotation marks."}

    def __init__(
        self,
        longest: int,
        *,
        shortest: int = 1,
        lines: bool = False,
        pattern: str | None = None,
        expects: str = "what the reference describes",
        parse: Callable[[str], Any] | None = None,
        **options: Any,
    ) -> None:
        forbidden = FORBIDDEN_IN_LINES if lines else FORBIDDEN
        documented = f"^[^{forbidden}]*$" if pattern is None else f"^(?:{pattern})$"
        _document(options, minLength=shortest, maxLength=longest, pattern=documented)
        super().__init__(**options)
        self._shortest = shortest
        self._longest = longest
        self._unclean = re.compile(f"[{forbidden}{SURROGATES}]")
        self._pattern = None if pattern is None else re.compile(pattern)
        self._expects = expects
        self._parse = parse

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if not self._shortest <= len(value) <= self._longest:
            raise ValidationError(f"Write {self._shortest} to {self._longest} characters here.")
        if self._unclean.search(value):
            raise ValidationError("Leave out control characters and marks that reorder text.")
        if self._pattern is not None and not self._pattern.fullmatch(value):
            raise ValidationError(f"Write {self._expects} here.")
        return value if self._parse is None else _in_the_words_of_the_domain(self._parse, value)


class Note(Text):
    """Free text, in lines where ``lines`` is true; what is never kept is refused (``verification.screening``)."""

    def __init__(self, longest: int = NOTE_LENGTH, **options: Any) -> None:
        _document(options, description=NEVER_HERE)
        super().__init__(longest, parse=screened, **options)


class Code(fields.String):
    """One of a closed list of codes, kept as text."""

    default_error_messages = WORDS | {"invalid": "Choose one of: {choices}."}

    def __init__(self, choices: Iterable[str], **options: Any) -> None:
        self.choices = tuple(choices)
        super().__init__(**options)
        _document(options, enum=[*self.choices, *([None] if self.allow_none else [])])
        self.metadata = options["metadata"]

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if not isinstance(value, str) or value not in self.choices:
            raise self.make_error("invalid", choices=", ".join(self.choices))
        return value


class Flag(fields.Boolean):
    """``true`` or ``false``, and no word or number that means one of them."""

    default_error_messages = WORDS | {"invalid": "Write true or false here, without quotation marks."}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class Whole(fields.Integer):
    """A whole number from ``least`` to ``most``.

    JSON has one kind of numbers, and JSON Schema's integer takes 80.0, so that is 80 here; 1.9 is refused.
    """

    default_error_messages = WORDS | {"invalid": "Write a whole number from {least} to {most} here."}

    def __init__(self, least: int, most: int, **options: Any) -> None:
        _document(options, minimum=least, maximum=most)
        super().__init__(strict=True, **options)
        self.least = least
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        # In Python a bool is an int.
        if not isinstance(value, int) or isinstance(value, bool) or not self.least <= value <= self.most:
            raise self.make_error("invalid", least=self.least, most=self.most)
        return value


class Moment(fields.Field[datetime]):
    """A moment as RFC 3339 writes it with its offset; an aware UTC datetime inside."""

    default_error_messages = WORDS | {
        "invalid": "Write a date and time with its offset from UTC here, such as 2026-11-24T21:04:05-08:00."
    }

    def __init__(self, **options: Any) -> None:
        _document(options, type="string", format="date-time")
        super().__init__(**options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:  # noqa: ARG002
        if not isinstance(value, str) or not RFC3339.fullmatch(value):
            raise self.make_error("invalid")
        try:
            return parse_rfc3339(value.upper())
        except ValueError as error:
            raise self.make_error("invalid") from error

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:  # noqa: ARG002
        return rfc3339(value) if isinstance(value, datetime) else value


class Part(fields.Nested):
    """An object within an object."""

    default_error_messages = WORDS | {"type": "Send a JSON object here."}


class Many(fields.List[Any]):
    """A list of at most ``most`` of one field."""

    default_error_messages = WORDS | {"invalid": "Send a JSON array here."}

    def __init__(self, each: fields.Field[Any], *, most: int, least: int = 0, **options: Any) -> None:
        _document(options, minItems=least, maxItems=most)
        super().__init__(each, **options)
        _check_strict("each", each)
        self._most = most
        self._least = least

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        # The length comes first: reading every item of a long list is work for nothing.
        if isinstance(value, list) and not self._least <= len(value) <= self._most:
            raise ValidationError(f"Send {self._least} to {self._most} items here.")
        return super()._deserialize(value, attr, data, **kwargs)


class QueryWhole(Whole):
    """A whole number in a query string, where everything is text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if isinstance(value, str) and re.fullmatch(r"-?\d{1,16}", value, re.ASCII):
            value = int(value)
        return super()._deserialize(value, attr, data, **kwargs)


class QueryFlag(Flag):
    """A flag in a query string: ``true`` or ``1``, ``false`` or ``0``."""

    default_error_messages = {"invalid": "Write true or false here."}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        known = {"true": True, "1": True, "false": False, "0": False}
        return super()._deserialize(known.get(value, value), attr, data, **kwargs)


STRICT = (Text, Code, Flag, Whole, Moment, Part, Many)


def _check_strict(name: str, candidate: Any) -> None:
    if not isinstance(candidate, STRICT):
        raise TypeError(f"{name} is a {type(candidate).__name__}: a Document takes the fields of web/fields.py alone.")


def _document(options: dict[str, Any], **properties: Any) -> None:
    """Put a field's own bounds into the API description, which would not know them otherwise."""
    options["metadata"] = {**properties, **(options.get("metadata") or {})}


def _in_the_words_of_the_domain(parse: Callable[[str], Any], text: str) -> Any:
    try:
        return parse(text)
    except (ValueError, ServiceError) as error:
        raise ValidationError(str(error)) from error
