"""Read what the trust authority says of an agency: its name, level, entry kinds, formats and held number."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from verify_service.errors import RegistryRefused
from verify_service.registry.agency import is_agency_code
from verify_service.registry.identifier import KINDS
from verify_service.registry.value_format import FormatMalformed, ValueFormat
from verify_service.signing import canonical_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = "profile/v1"
LARGEST_PROFILE = 16_384
LONGEST_TEXT = 200

UNKNOWN, PUBLIC_NUMBER, CALLBACK_AGREEMENT, OP_CODES, ROSTER = range(5)

_FIELDS = {"v", "agency", "name", "level", "kinds", "formats", "callback", "synthetic"}
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class Callback:
    """The number that the trust authority holds for an agency (ITU E.164), and how far it can be relied on."""

    number: str
    source: str
    tested_on: str


@dataclass(frozen=True)
class Profile:
    """An agency as the trust authority describes it; ``level`` is its enrolment level, 0 to 4."""

    agency: str
    name: str
    level: int
    kinds: tuple[str, ...]
    formats: Mapping[str, str]
    callback: Callback | None
    synthetic: bool

    @classmethod
    def parse(cls, content: bytes) -> Profile:
        """Read a profile's signed bytes; raise RegistryRefused where they are not exactly ``profile/v1``."""
        try:
            document = json.loads(content)
            canonical = canonical_bytes(document)
        except (ValueError, RecursionError) as error:
            raise RegistryRefused("A profile is not JSON.") from error
        # Equal bytes also exclude what JSON readers disagree on: a key given twice, another order, a byte order mark.
        if canonical != content or len(content) > LARGEST_PROFILE:
            raise RegistryRefused(f"A profile is not in canonical form (RFC 8785) of at most {LARGEST_PROFILE} bytes.")
        if not isinstance(document, dict) or document.get("v") != VERSION or document.keys() != _FIELDS:
            raise RegistryRefused(f"A profile does not have exactly the fields of {VERSION}.")
        try:
            return _profile(document)
        except ValueError as error:
            raise RegistryRefused(f"The profile is not a sound {VERSION}: {error}.") from error

    @property
    def held_number(self) -> str | None:
        """The number to call, None at level 0."""
        return None if self.callback is None else self.callback.number

    def value_format(self, kind: str) -> ValueFormat | None:
        """Return what the agency's values of a kind look like, None where that is not known."""
        pattern = self.formats.get(kind)
        return None if pattern is None else ValueFormat.parse(pattern)

    def document(self) -> dict[str, Any]:
        """Return the JSON document whose canonical bytes are signed."""
        return {
            "v": VERSION,
            "agency": self.agency,
            "name": self.name,
            "level": self.level,
            "kinds": list(self.kinds),
            "formats": dict(self.formats),
            "callback": None if self.callback is None else dict(vars(self.callback)),
            "synthetic": self.synthetic,
        }

    def content(self) -> bytes:
        """Write the bytes to be signed."""
        return canonical_bytes(self.document())


def profile_of(agency: str, content: bytes) -> Profile:
    """Read an agency's profile; raise RegistryRefused where it is malformed or another agency's."""
    profile = Profile.parse(content)
    if profile.agency != agency:
        raise RegistryRefused(f"The profile of {agency} says that it is of {profile.agency}.")
    return profile


def _profile(document: dict[str, Any]) -> Profile:
    _require(is_agency_code(document["agency"]), "its agency is not a code such as DHS-ICE")
    _require(_is_text(document["name"]), f"its name is not a text of 1 to {LONGEST_TEXT} characters")
    _require(type(document["level"]) is int and 0 <= document["level"] <= ROSTER, "its level is not 0 to 4")
    _require(type(document["synthetic"]) is bool, "it does not say whether it is synthetic")
    kinds = _kinds(document["kinds"])
    callback = _callback(document["callback"])
    # Without a number nobody can be asked, which is what level 0 means.
    _require((callback is None) == (document["level"] == UNKNOWN), "level 0 and no other has no callback number")
    return Profile(
        agency=document["agency"],
        name=document["name"],
        level=document["level"],
        kinds=kinds,
        formats=_formats(document["formats"], kinds),
        callback=callback,
        synthetic=document["synthetic"],
    )


def _kinds(value: Any) -> tuple[str, ...]:
    _require(
        isinstance(value, list) and all(kind in KINDS for kind in value), f"its kinds are not of {', '.join(KINDS)}"
    )
    _require(len(set(value)) == len(value), "it names a kind twice")
    return tuple(value)


def _formats(value: Any, kinds: tuple[str, ...]) -> dict[str, str]:
    _require(isinstance(value, dict) and value.keys() <= set(kinds), "it has a format for a kind that it does not name")
    for pattern in value.values():
        _require(isinstance(pattern, str), "a format is not a text")
        try:
            ValueFormat.parse(pattern)
        except FormatMalformed as error:
            raise ValueError(f"a format is malformed: {error}") from error
    return dict(value)


def _callback(value: Any) -> Callback | None:
    if value is None:
        return None
    _require(
        isinstance(value, dict) and value.keys() == {"number", "source", "tested_on"}, "its callback has other fields"
    )
    number, source, tested_on = value["number"], value["source"], value["tested_on"]
    _require(isinstance(number, str) and _NUMBER.fullmatch(number) is not None, "its callback number is not E.164")
    _require(_is_text(source), "its callback does not say where the number is from")
    _require(
        isinstance(tested_on, str) and _DATE.fullmatch(tested_on) is not None, "its callback has no date of a test"
    )
    date.fromisoformat(tested_on)
    return Callback(number, source, tested_on)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and value.isprintable()


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)
