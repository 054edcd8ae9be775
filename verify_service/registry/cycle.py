"""Describe what one ingest cycle leaves in its row: what it fetched, whose signatures counted, what it did not take."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from verify_service.clock import rfc3339

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from verify_service.registry.hold import Hold


@dataclass(frozen=True)
class Fetched:
    """How many files were fetched in a cycle, and how many bytes they had."""

    files: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class SignedBy:
    """The version of a role that was verified, and the ids of those of its keys whose signatures counted."""

    version: int
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Refusal:
    """What a cycle did not accept, of which agency (None: all of it), and why."""

    agency: str | None
    reason: str


@dataclass(frozen=True)
class Notice:
    """What a cycle took and a thief would change too: an agency's held number or, of no ``agency``, the pinned root.

    ``was`` and ``now`` are the numbers (None: none), or the SHA-256 of the roots.
    """

    agency: str | None
    at: datetime
    was: str | None
    now: str | None

    @property
    def subject(self) -> str:
        """What changed, in words."""
        return "the registry's pinned root" if self.agency is None else f"the held number of {self.agency}"

    @property
    def sentence(self) -> str:
        """What changed from what to what, and what to do."""
        ask = (
            "Ask whoever set VERIFY_REGISTRY_ROOT, and compare the SHA-256 with what the trust authority says."
            if self.agency is None
            else "Call the number of before, and ask the trust authority where the new one is from."
        )
        return f"From {self.was or 'none'} to {self.now or 'none'}. {ask}"

    def document(self) -> dict[str, Any]:
        """Return it as a JSON document."""
        return {**vars(self), "at": rfc3339(self.at)}


@dataclass(frozen=True)
class CycleEnd:
    """How a cycle ended; ``signed`` is by role name, and has no role that was not reached."""

    ended_at: datetime
    fetched: Fetched
    signed: Mapping[str, SignedBy] = field(default_factory=dict)
    refusals: Sequence[Refusal] = ()
    holds: Sequence[Hold] = ()
    notices: Sequence[Notice] = ()


@dataclass(frozen=True)
class CycleRow:
    """A cycle as it is kept; ``ended_at`` is None while it runs or where it was killed.

    ``edition`` is None where nothing was accepted; then ``refusals`` says why.
    """

    number: int
    started_at: datetime
    ended_at: datetime | None
    edition: int | None
    refusals: Sequence[Refusal]

    def document(self) -> dict[str, Any]:
        """Return when it was and whether it accepted anything, which any caller may read, as a JSON document."""
        return {
            "number": self.number,
            "started_at": rfc3339(self.started_at),
            "ended_at": None if self.ended_at is None else rfc3339(self.ended_at),
            "edition": self.edition,
        }


@dataclass(frozen=True)
class Setback:
    """The last time that something of an agency was not taken, and whether it was ``held`` for a person to decide."""

    agency: str
    cycle: int
    at: datetime
    held: bool
    reason: str

    def document(self) -> dict[str, Any]:
        """Return when and what it was, which any caller may read, as a JSON document."""
        return {"cycle": self.cycle, "at": rfc3339(self.at), "held": self.held}
