"""Copy a SQLite database while it serves: one moment of it, whole, checked, and its owner's alone."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from verify_service.errors import ConfigurationError
from verify_service.storage.database import driver_of

if TYPE_CHECKING:
    from pathlib import Path

    from verify_service.storage.database import Database


def back_up(database: Database, path: Path) -> None:
    """Write a copy of the database to a new file and read it whole once; it has its name only when it is sound.

    ``VACUUM INTO`` copies one moment, journal included, and lets writers go on; what was deleted is not copied. Raises
    ConfigurationError on PostgreSQL, where the file is there already, and where the copy is not sound.
    """
    if not database.is_sqlite:
        raise ConfigurationError("This copies SQLite. For PostgreSQL use `pg_dump`, or a base backup and its archive.")
    if path.exists():
        raise ConfigurationError(f"{path} is there already: name a new file, so that no backup is overwritten.")
    half = path.with_name(path.name + ".part")
    half.unlink(missing_ok=True)
    # SQLite writes into an empty file, and leaves its mode as it is.
    os.close(os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with database.read() as connection:
            driver_of(connection).execute("VACUUM INTO ?", (str(half),))
        _check(half)
        _settle(half)
        half.rename(path)
    finally:
        half.unlink(missing_ok=True)
    _settle(path.parent)


def _check(path: Path) -> None:
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as copy:
        (found,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise ConfigurationError(f"The copy is not sound ({found}): look after the disk, then run this again.")


def _settle(path: Path) -> None:
    """Wait until the disk has a file or a folder's names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
