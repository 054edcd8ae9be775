"""Remember, outside the database, how far each log has gone, so that a database set back is refused."""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.errors import ConfigurationError, LogRefused
from verify_service.record_log.merkle import range_hash

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from verify_service.record_log.merkle import Peaks, Subtree

SLOT_BYTES = 256
SLOTS = 2


@dataclass(frozen=True)
class Mark:
    """A size that was promised to somebody, and the root at that size."""

    size: int
    root: bytes


class HighWater:
    """One log's mark in one locked file of this host.

    The file has two slots written in turn, each with a checksum, so that a torn write spoils the newer one only.
    Its lock is this host's turn at the log: processes of one host never sign side by side.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self, peaks: Peaks) -> None:
        """Write the first mark; raise ConfigurationError where the file is there already."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise ConfigurationError(f"The high-water mark {self.path} is there already.") from error
        try:
            os.pwrite(descriptor, _slot(Mark(peaks.size, peaks.root)).ljust(SLOT_BYTES * SLOTS, b"\n"), 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        directory = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def set_aside(self, peaks: Peaks) -> None:
        """Begin the mark anew at what is left of a log that was closed; the file as it was stays beside it."""
        with self.turn() as turn:
            self.path.rename(self.path.with_name(f"{self.path.name}.was-{turn.mark.size}"))
        self.create(peaks)

    def mark(self) -> Mark | None:
        """Return the mark as it stands, or None where this host has none."""
        if not self.path.exists():
            return None
        with self.turn() as turn:
            return turn.mark

    @property
    def promised(self) -> int:
        """The size that was promised, 0 where this host has no mark."""
        mark = self.mark()
        return 0 if mark is None else mark.size

    @contextmanager
    def turn(self) -> Iterator[Turn]:
        """Hold this host's turn at the log; raise LogRefused where the file is missing."""
        try:
            descriptor = os.open(self.path, os.O_RDWR)
        except FileNotFoundError as error:
            raise LogRefused(
                f"The high-water mark {self.path} is missing. Without it a database that was set back cannot be "
                "told from a whole one. Restore the file; on a new host, or after its loss, run "
                "`verify-service audit` and then `verify-service db accept-high-water`."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield Turn(self.path, descriptor)
        finally:
            os.close(descriptor)


class Turn:
    """The mark while its lock is held."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        content = os.pread(descriptor, SLOT_BYTES * SLOTS, 0)
        marks = [_parse(content[i * SLOT_BYTES : (i + 1) * SLOT_BYTES]) for i in range(SLOTS)]
        found = [(mark.size, slot, mark) for slot, mark in enumerate(marks) if mark is not None]
        if not found:
            raise LogRefused(f"The high-water mark {path} is damaged: restore it from this host's backup.")
        _, self._slot, self.mark = max(found, key=lambda item: item[0])

    def check(self, peaks: Peaks, subtree: Subtree) -> None:
        """Raise LogRefused unless the log in the database goes on from the mark."""
        if peaks.size < self.mark.size:
            raise LogRefused(
                f"The database's log has {peaks.size} entries, but {self.mark.size} were promised ({self._path}). "
                "It was set back: restore the newest backup, and do not continue this one."
            )
        root = peaks.root if peaks.size == self.mark.size else range_hash(0, self.mark.size, subtree)
        if root != self.mark.root:
            raise LogRefused(
                f"The database's log is not the one that was promised at {self.mark.size} entries ({self._path}): "
                "stop, keep both, and run `verify-service audit`."
            )

    def advance(self, peaks: Peaks) -> None:
        """Write the mark forward and wait until the disk has it; raise LogRefused where that fails."""
        if peaks.size <= self.mark.size:
            return
        mark, slot = Mark(peaks.size, peaks.root), 1 - self._slot
        try:
            os.pwrite(self._descriptor, _slot(mark), slot * SLOT_BYTES)
            os.fdatasync(self._descriptor)
        except OSError as error:
            raise LogRefused(
                f"The high-water mark {self._path} cannot be written ({error.strerror}), so what was just recorded "
                "is not answered. Make room there; the same request with the same key then gets its answer."
            ) from error
        self.mark, self._slot = mark, slot


def _slot(mark: Mark) -> bytes:
    content = f"{mark.size} {mark.root.hex()}"
    checksum = hashlib.sha256(content.encode()).hexdigest()
    return f"{content} {checksum}".ljust(SLOT_BYTES - 1).encode() + b"\n"


def _parse(slot: bytes) -> Mark | None:
    words = slot.decode("ascii", "replace").split()
    if len(words) != 3:  # noqa: PLR2004
        return None
    size, root, checksum = words
    if hashlib.sha256(f"{size} {root}".encode()).hexdigest() != checksum:
        return None
    return Mark(int(size), bytes.fromhex(root))
