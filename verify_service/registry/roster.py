"""Read and write the header of an agency's roster, and write rosters whole (``roster/v1``)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verify_service.clock import parse_rfc3339, rfc3339
from verify_service.errors import RegistryRefused
from verify_service.registry.agency import is_agency_code
from verify_service.registry.identifier import CANON, KINDS
from verify_service.signing import canonical_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from verify_service.registry.blinding import BlindingKey
    from verify_service.registry.identifier import Identifier

VERSION = "roster/v1"
LONGEST_LINE = 1024
LARGEST_ROSTER = 64 * 1024 * 1024
COMPLETE, PARTIAL = "complete", "partial"
STATUSES = ("active", "suspended", "separated", "lost")
RID_BYTES = 8
TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3}Z"

# RFC 8785 writes larger integers in a form that readers round.
_LARGEST_INTEGER = 2**53 - 1
_FIELDS = {
    "v",
    "agency",
    "seq",
    "epoch",
    "key_id",
    "canon",
    "count",
    "prev_sha256",
    "coverage",
    "issued_at",
    "synthetic",
}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEY_ID = re.compile(r"[0-9a-f]{16}")
_TIME = re.compile(TIME)


@dataclass(frozen=True)
class RosterHeader:
    """The first line of a roster: whose it is, its place among the agency's rosters, and what it covers.

    ``coverage`` says per kind whether everyone is listed (``complete``) or not (``partial``); a kind that is not in
    it cannot be looked up. ``issued_at`` is the time that the roster's content is of.
    """

    agency: str
    seq: int
    epoch: int
    key_id: str
    count: int
    prev_sha256: str | None
    coverage: Mapping[str, str]
    issued_at: datetime
    synthetic: bool

    @classmethod
    def parse(cls, line: bytes) -> RosterHeader:
        """Read the first line, line feed included; raise RegistryRefused where it is not exactly ``roster/v1``."""
        if len(line) > LONGEST_LINE or not line.endswith(b"\n"):
            raise RegistryRefused(f"The roster's first line is not a header of at most {LONGEST_LINE} bytes.")
        try:
            document = json.loads(line)
            canonical = canonical_bytes(document)
        except (ValueError, RecursionError) as error:
            raise RegistryRefused("The roster's header is not JSON.") from error
        if canonical + b"\n" != line:
            raise RegistryRefused("The roster's header is not in canonical form (RFC 8785).")
        if not isinstance(document, dict) or document.get("v") != VERSION or document.keys() != _FIELDS:
            raise RegistryRefused(f"The roster's header does not have exactly the fields of {VERSION}.")
        _check(document)
        fields = {name: document[name] for name in _FIELDS - {"v", "canon", "issued_at"}}
        return cls(issued_at=parse_rfc3339(document["issued_at"]), **fields)

    def require_agency(self, agency: str) -> None:
        """Raise RegistryRefused where an agency's role signs for another one's roster, which TUF would accept."""
        if self.agency != agency:
            raise RegistryRefused(f"The roster of {agency} says that it is of {self.agency}.")

    def line(self) -> bytes:
        """Write the first line, line feed included."""
        fields = {**vars(self), "coverage": dict(self.coverage), "issued_at": rfc3339(self.issued_at)}
        return canonical_bytes({"v": VERSION, "canon": CANON, **fields}) + b"\n"


@dataclass(frozen=True)
class RosterEntry:
    """An identifier in clear with its standing, before it is blinded."""

    identifier: Identifier
    status: str
    not_before: datetime | None
    expires: datetime | None


def blinded_lines(
    key: BlindingKey, entries: Iterable[RosterEntry], random_bytes: Callable[[int], bytes]
) -> list[bytes]:
    """Blind an agency's entries and write their lines in order; raise RegistryRefused where two are one identifier.

    Each line gets a random ``rid`` by which publisher and department can speak of it without the identifier.
    """
    tagged = sorted(((key.tag(entry.identifier), entry) for entry in entries), key=lambda pair: pair[0])
    if len({tag for tag, _ in tagged}) != len(tagged):
        raise RegistryRefused(f"{key.agency} lists an identifier twice: keep one line of the two.")
    return [
        roster_line(
            tag,
            entry.identifier.kind,
            entry.status,
            _text(entry.not_before),
            _text(entry.expires),
            random_bytes(RID_BYTES),
        )
        for tag, entry in tagged
    ]


def roster_line(tag: bytes, kind: str, status: str, not_before: str | None, expires: str | None, rid: bytes) -> bytes:
    """Write the one canonical form of a line, line feed included; times are RFC 3339 UTC texts with milliseconds."""
    # By hand in the order of RFC 8785, which costs a tenth of the general writer; a test compares the two.
    begins = "null" if not_before is None else f'"{not_before}"'
    ends = "null" if expires is None else f'"{expires}"'
    return (
        f'{{"exp":{ends},"nbf":{begins},"rid":"{rid.hex()}","st":"{status}","t":"{kind}","tag":"{tag.hex()}","v":1}}\n'
    ).encode("ascii")


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)


def _check(document: dict[str, Any]) -> None:
    coverage, prev = document["coverage"], document["prev_sha256"]
    sound = {
        "agency": is_agency_code(document["agency"]),
        "seq": _is_integer(document["seq"], 1),
        "epoch": _is_integer(document["epoch"], 1),
        "key_id": _matches(_KEY_ID, document["key_id"]),
        "canon": document["canon"] == CANON,
        "count": _is_integer(document["count"], 0),
        # Only the first roster has none before it.
        "prev_sha256": (prev is None) == (document["seq"] == 1) and (prev is None or is_sha256(prev)),
        "coverage": isinstance(coverage, dict)
        and len(coverage) > 0
        and all(kind in KINDS and part in (COMPLETE, PARTIAL) for kind, part in coverage.items()),
        "issued_at": is_time(document["issued_at"]),
        "synthetic": type(document["synthetic"]) is bool,
    }
    for name, holds in sound.items():
        if not holds:
            raise RegistryRefused(f"The roster's header has no sound `{name}`.")


def is_sha256(value: object) -> bool:
    """Tell whether this is a SHA-256 in lower-case hexadecimal."""
    return _matches(_SHA256, value)


def is_time(value: object) -> bool:
    """Tell whether this is an RFC 3339 UTC time with milliseconds of a day that exists."""
    if not _matches(_TIME, value):
        return False
    try:
        parse_rfc3339(str(value))
    except ValueError:
        return False
    return True


def _is_integer(value: object, least: int) -> bool:
    return type(value) is int and least <= value <= _LARGEST_INTEGER


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None
