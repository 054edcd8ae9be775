"""Describe what one ingest cycle hands to storage, and what storage owes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from verify_service.registry.edition import EditionStore
from verify_service.registry.hold import HoldStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from verify_service.registry.cycle import CycleEnd
    from verify_service.registry.edition import Edition, RosterRef
    from verify_service.registry.roster import RosterHeader
    from verify_service.registry.roster_change import Pairing, Tally
    from verify_service.registry.roster_lines import Row


@dataclass(frozen=True)
class Mark:
    """The highest version of a role that was ever verified, the SHA-256 of its bytes, and a digest of its keys."""

    version: int
    sha256: str
    keys: str


@dataclass(frozen=True)
class KeptFile:
    """A signed file to be kept for as long as a record may quote it; ``kind`` is a TUF role name or ``profile``."""

    sha256: str
    kind: str
    content: bytes


@dataclass(frozen=True)
class Intake:
    """All that a cycle verified: an edition yet without its number, the bytes it stands on, and new marks."""

    edition: Edition
    files: Sequence[KeptFile]
    marks: Mapping[str, Mark]
    end: CycleEnd


class IngestStore(EditionStore, HoldStore, Protocol):
    """What the one ingest process needs; it never runs twice at a time on one department.

    Whatever moment the process is killed at, ``current`` and ``entries`` go on answering from the old edition.
    """

    def begin_cycle(self, department: str, started_at: datetime) -> int:
        """Note that a cycle began and return its number; sweep out what a killed one left of a roster."""

    def marks(self, department: str, pinned_root: str) -> Mapping[str, Mark]:
        """Return the marks of all roles ever seen under a pinned root, named by its SHA-256 as in an edition."""

    def find_roster(self, department: str, agency: str, sha256: str) -> RosterRef | None:
        """Return an agency's roster if all of it is stored already."""

    def last_roster(self, department: str, agency: str) -> RosterRef | None:
        """Return the roster that the newest edition with one of this agency names, even where it was withdrawn."""

    def roster_at(self, department: str, agency: str, at: datetime) -> RosterRef | None:
        """Return the roster that stood at a moment, or was the last before it; where that was none yet, the first."""

    def tally(self, department: str, number: int) -> Tally:
        """Count a stored roster's entries by kind and status."""

    def pair(self, department: str, before: int, after: int) -> Pairing:
        """Count the entries of the stored roster ``after`` by what they were in ``before``, matched by tag.

        Neither this nor ``tally`` takes memory that grows with the roster.
        """

    def load_roster(
        self, department: str, header: RosterHeader, sha256: str, blocks: Iterable[Sequence[Row]]
    ) -> RosterRef:
        """Store a roster while it is read, so that memory does not grow with it.

        On SQLite no transaction holds the write lock for 50 ms, so that submissions go on. Where ``blocks`` raises,
        everything stored of it is removed and the error goes on. It need not last before an edition names it.
        """

    def swap(self, department: str, cycle: int, intake: Intake) -> Edition:
        """Make the intake current in one transaction, end the cycle, and return the edition with its number.

        The number is the one before where ``contents`` did not change, else the next. The holds of the cycle's end are
        kept with it; one that is met again keeps the time since when it stands.
        """

    def refuse(self, department: str, cycle: int, end: CycleEnd) -> None:
        """End a cycle that changed nothing."""
