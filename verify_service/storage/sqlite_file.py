"""Keep SQLite's file: one writer at a time, and always the same file."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from verify_service.errors import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOTHING_RECORDED = "Nothing was recorded; send the same request with the same Idempotency-Key again"


class SqliteFile:
    """A database file, and beside it the lock file at which its writers queue."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._identity: tuple[int, int] | None = None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the file's lock; raise StorageUnavailable where it is not the file that was opened.

        Connections would go on writing to a file that was moved, and what they acknowledge would be lost with it.
        """
        try:
            lock = open(f"{self._path}.lock", "a")  # noqa: PTH123, SIM115 - Path.open takes longer than the lock itself.
        except OSError as error:
            raise StorageUnavailable(
                f"The database does not answer. {NOTHING_RECORDED}.",
                f"The lock file {self._path}.lock cannot be opened: {error.strerror}.",
            ) from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._check()
            yield

    def create(self) -> None:
        """Make the file for this user alone before SQLite does, whose journals take its mode; never open one that is.

        Closing any descriptor of a file drops the locks that this process holds on it (POSIX): SQLite would then be
        taken for gone by others, who delete its journal with what was acknowledged.
        """
        with suppress(OSError):
            # SQLite itself says what is wrong.
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))

    def opened(self) -> None:
        """Remember which file it is, at the first connection."""
        if self._identity is None:
            self._identity = self._found()

    def _check(self) -> None:
        if self._identity is not None and self._found() != self._identity:
            raise StorageUnavailable(
                f"The database was moved or replaced. {NOTHING_RECORDED} once an operator has mended this.",
                f"The database file {self._path} was moved or replaced while the service runs: put it back, or restart "
                "the service on the new one.",
            )

    def _found(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)  # noqa: PTH116
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino
