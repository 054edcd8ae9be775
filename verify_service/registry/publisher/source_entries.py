"""Make roster entries of an agency's list, saying of each bad line what is wrong and never what stands in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from verify_service.clock import parse_rfc3339
from verify_service.errors import InvalidRequest
from verify_service.registry.identifier import KINDS, Identifier, canonical_value
from verify_service.registry.minted import check_character_fits
from verify_service.registry.publisher.source_file import COLUMNS
from verify_service.registry.roster import STATUSES, RosterEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from verify_service.registry.profile import Profile
    from verify_service.registry.publisher.source_file import SourceRow

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# The last moment that a roster can write of a day.
_LAST_MOMENT = timedelta(days=1) - timedelta(milliseconds=1)


@dataclass(frozen=True)
class BadRow:
    """A line that cannot stand in the roster; ``kind`` is None where not even that could be read."""

    line: int
    reason: str
    kind: str | None


class _Wrong(ValueError):
    """What is wrong with a line, in words that quote nothing of it."""


class SourceEntries:
    """The entries of a list, and the lines that make none; an agency's profile says what may stand in it."""

    def __init__(self, rows: Iterable[SourceRow], profile: Profile, progress: Callable[[int], None]) -> None:
        self._profile = profile
        self._formats = {kind: profile.value_format(kind) for kind in profile.kinds}
        self._lines: dict[Identifier, int] = {}
        self.entries: list[RosterEntry] = []
        self.bad: list[BadRow] = []
        for number, row in enumerate(rows):
            progress(number)
            try:
                entry = self._entry(row.cells)
                self._once(entry.identifier, row.line)
            except _Wrong as wrong:
                kind = row.cells["kind"] if row.cells and row.cells["kind"] in KINDS else None
                self.bad.append(BadRow(row.line, str(wrong), kind))
            else:
                self.entries.append(entry)

    def _entry(self, cells: Mapping[str, str] | None) -> RosterEntry:
        if cells is None:
            raise _Wrong(f"does not have exactly the columns {', '.join(COLUMNS)}")
        identifier = self._identifier(cells["kind"], cells["value"])
        if cells["status"] not in STATUSES:
            raise _Wrong(f"has a status that is none of {', '.join(STATUSES)}")
        begins, ends = _moment(cells["not_before"], "not_before"), _moment(cells["expires"], "expires")
        if identifier.kind == "op_code" and (begins or ends):
            raise _Wrong("gives dates to an op_code, which would be a calendar of operations")
        if begins and ends and begins > ends:
            raise _Wrong("ends before it begins")
        return RosterEntry(identifier, cells["status"], begins, ends)

    def _identifier(self, kind: str, typed: str) -> Identifier:
        if kind not in KINDS:
            raise _Wrong(f"has a kind that is none of {', '.join(KINDS)}")
        if kind not in self._profile.kinds:
            raise _Wrong(f"lists a {kind}, which the profile of {self._profile.agency} does not name")
        try:
            value = canonical_value(typed, "")
        except InvalidRequest as error:
            # Its text may quote a character, so it is left out of the chain as well.
            del error
            raise _Wrong("has a value that is empty, too long, or not of letters A to Z and digits alone") from None
        if not check_character_fits(kind, value):
            raise _Wrong("has a value whose check character does not fit")
        form = self._formats[kind]
        if form is not None and not form.matches(value):
            raise _Wrong(f"has a value that is not in the profile's format for {kind}, {form.words()}")
        return Identifier(kind, value)

    def _once(self, identifier: Identifier, line: int) -> None:
        first = self._lines.setdefault(identifier, line)
        if first != line:
            raise _Wrong(f"lists the same identifier as line {first}")


def _moment(text: str, column: str) -> datetime | None:
    """Read an RFC 3339 time, or a day (UTC) that counts from its first or to its last moment."""
    if not text:
        return None
    try:
        if _DATE.fullmatch(text) is None:
            return parse_rfc3339(text)
        day = datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        raise _Wrong(f"has in {column} neither a date such as 2027-01-31 nor an RFC 3339 time") from None
    return day + _LAST_MOMENT if column == "expires" else day
