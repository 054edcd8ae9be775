"""Describe what the log needs of storage: the port and the shapes that pass it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from verify_service.record_log.merkle import Peaks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from verify_service.record_log.append import Link, SpentProof
    from verify_service.record_log.record import Logged
    from verify_service.vault import Sealed

RECORDS = "records"
ACCESS = "access"


@dataclass(frozen=True)
class LogId:
    """Which log: a department's ``records`` or ``access``, or a successor such as ``records-2``."""

    department: str
    name: str

    @property
    def series(self) -> str:
        """The name that the log shares with those before and after it: ``records`` of ``records-2``."""
        return self.name.partition("-")[0]

    @property
    def successor(self) -> LogId:
        """The log that follows it: ``records-2`` follows ``records``, ``records-3`` that."""
        _, _, number = self.name.partition("-")
        return LogId(self.department, f"{self.series}-{int(number or 1) + 1}")

    def __str__(self) -> str:
        return f"{self.department}/{self.name}"


@dataclass(frozen=True)
class Head:
    """The end of a log: its origin line, its tree, and the size last published.

    ``before`` is the number of entries of the logs before it, so that places can be ordered across them; ``successor``
    is the name of the log that goes on for it, None while it is the newest. ``key_ids`` are those of the keys that sign
    from here on, the oldest first, and empty until the log's first key gets a second beside it.
    """

    origin: str
    peaks: Peaks = field(default=Peaks())
    published: int = 0
    before: int = 0
    successor: str | None = None
    key_ids: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """The number of entries."""
        return self.peaks.size


@dataclass(frozen=True)
class Subject:
    """A verification, incident or statement at the log's tail: its next ``seq``, its ``prev`` and its state.

    ``state`` is what the projection makes of its events so far, None before the first.
    """

    ref: str
    seq: int = 0
    prev: str | None = None
    state: Any = None


@dataclass(frozen=True)
class Row:
    """One entry as it is stored: its record sealed as (nonce and bytes, sealed fields)."""

    index: int
    entry: bytes
    logged: Logged
    sealed: Sealed


@dataclass(frozen=True)
class StoredReply:
    """A kept reply: the body's fingerprint, the sealed reply, when it was given and whose contents are in it.

    ``sealed`` is None where it was destroyed with them.
    """

    fingerprint: bytes
    sealed: Sealed | None
    replied_at: str
    subject: str | None = None


@dataclass(frozen=True)
class StoredRecord:
    """A row read back; ``sealed`` is None where the record was expunged."""

    index: int
    entry: bytes
    subject: str | None
    seq: int | None
    sealed: Sealed | None


@dataclass(frozen=True)
class StoredCheckpoint:
    """A signed checkpoint and, where it was published, when.

    ``witnessed`` is the note with the cosignatures that made it witnessed, None before that.
    """

    size: int
    note: str
    published_at: str | None
    witnessed: str | None = None


@dataclass(frozen=True)
class Batch:
    """Everything one commit writes."""

    head: Head
    checkpoint: StoredCheckpoint
    rows: Sequence[Row]
    tiles: Sequence[tuple[int, int, bytes]]
    subjects: Sequence[Subject]
    links: Sequence[Link]
    replies: Sequence[tuple[bytes, StoredReply]]


class Tail(Protocol):
    """The end of one log while it is held."""

    head: Head

    def replies(self, requests: Iterable[bytes]) -> dict[bytes, StoredReply]:
        """Return the kept replies among these request indexes."""

    def spend(self, proofs: Iterable[SpentProof]) -> set[bytes]:
        """Spend proofs, at least one, with what is written; return the marks of those that were not spent before."""

    def subjects(self, refs: Iterable[str]) -> dict[str, Subject]:
        """Return every asked subject; one without events has ``seq`` 0, ``prev`` None and no state."""

    def entries(self, start: int, count: int) -> list[bytes]:
        """Return up to ``count`` entries from ``start``."""

    def tile(self, level: int, index: int) -> bytes:
        """Return a tile's bytes as far as it has grown; level 0 from the entries, empty where none are."""

    def sign_with(self, key_ids: Sequence[str]) -> None:
        """Name the keys that sign from here on; it is durable once the holder of the tail ends normally."""

    def write(self, batch: Batch) -> None:
        """Write a batch; it is durable once the holder of the tail ends normally."""


class LogStore(Protocol):
    """Where logs are kept.

    Reads need no tail and see whole batches only.
    """

    def hold_tail(self, log: LogId) -> AbstractContextManager[Tail]:
        """Yield the end of the log; commit on normal exit, undo everything on error.

        At most one holder a log at a time, across threads, processes and hosts. Raises StorageUnavailable
        before anything was written, OutcomeUnknown where a commit was not acknowledged.
        """

    def create(self, log: LogId, origin: str, checkpoint: StoredCheckpoint) -> None:
        """Create an empty log with its size-0 checkpoint, served until the first publication."""

    def succeed(self, old: LogId, origin: str, checkpoint: StoredCheckpoint) -> AbstractContextManager[Tail]:
        """Close a log for good and yield the tail of its new, empty successor; commit both on normal exit.

        Raises LogRefused where the log has a successor already.
        """

    def names(self, department: str) -> list[str]:
        """Return the names of a department's logs, each after that of the log that it goes on for."""

    def head(self, log: LogId) -> Head | None:
        """Return the end of the log, None where it does not exist."""

    def entries(self, log: LogId, start: int, count: int) -> list[bytes]:
        """Return up to ``count`` entries from ``start``."""

    def tile(self, log: LogId, level: int, index: int) -> bytes:
        """Return a tile's bytes as far as it has grown; level 0 from the entries, empty where none are."""

    def subjects(self, log: LogId, refs: Iterable[str]) -> dict[str, Subject]:
        """Return subjects as ``Tail.subjects`` does, as of some moment; they may have moved on by the time of use."""

    def locate(self, department: str, subject: str, seq: int) -> tuple[LogId, int] | None:
        """Return the log and index of a subject's event."""

    def records(self, log: LogId, start: int, count: int) -> list[StoredRecord]:
        """Return up to ``count`` rows from ``start``, in order."""

    def checkpoint_covering(self, log: LogId, size: int, *, published: bool) -> StoredCheckpoint | None:
        """Return the first (published) checkpoint of at least ``size`` entries."""

    def witnessed_covering(self, log: LogId, size: int) -> StoredCheckpoint | None:
        """Return the first witnessed checkpoint of at least ``size`` entries."""

    def checkpoints(self, log: LogId, *, published: bool) -> Iterator[StoredCheckpoint]:
        """Yield (published) checkpoints by size."""


class Projection(Protocol):
    """What the log's records mean to the room above: how a subject's state follows from its records."""

    def fold(self, state: Any, logged: Logged) -> Any:
        """Return the subject's state after one more record."""
