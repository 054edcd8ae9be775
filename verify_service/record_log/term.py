"""Say which checkpoints a log's key signs: those between two sizes, with the days on which they were reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.clock import parse_rfc3339
from verify_service.errors import PolicyMalformed
from verify_service.record_log.checkpoint import decimal

if TYPE_CHECKING:
    from typing import Self


@dataclass(frozen=True)
class Bound:
    """How many entries a log had at some moment, which is RFC 3339 text."""

    size: int
    moment: str

    @classmethod
    def parse(cls, size: str, moment: str) -> Self:
        """Read a bound; raise PolicyMalformed or ReceiptMalformed where it is none."""
        try:
            parse_rfc3339(moment)
        except ValueError as error:
            raise PolicyMalformed(f"{moment!r} is not an RFC 3339 time with its offset.") from error
        return cls(decimal(size, "The size"), moment)

    def __str__(self) -> str:
        return f"{self.size} {self.moment}"


@dataclass(frozen=True)
class Term:
    """The checkpoints that a key signs: those of more entries than ``after`` has, and of no more than ``until`` has.

    A checkpoint says its size and no time, so sizes decide; the moments are for people. None is no bound.
    """

    after: Bound | None = None
    until: Bound | None = None

    def covers(self, size: int) -> bool:
        """Tell whether a checkpoint of so many entries is in the term."""
        return self.refusal(size) is None

    def refusal(self, size: int) -> str | None:
        """Return a clause that says why a checkpoint of so many entries is not in the term, None where it is."""
        if self.until is not None and size > self.until.size:
            return f"was retired at {self.until.moment}, when the log had {self.until.size} entries"
        if self.after is not None and size <= self.after.size:
            return f"signs since {self.after.moment}, when the log had {self.after.size} entries already"
        return None


ALWAYS = Term()
