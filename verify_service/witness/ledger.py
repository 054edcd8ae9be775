"""Remember the logs that a witness watches and the newest checkpoint that it cosigned of each, in a file of its own."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.errors import ConfigurationError, StorageUnavailable
from verify_service.record_log.merkle import EMPTY_ROOT
from verify_service.signing import NoteKey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_NAME = "witness.db"
TABLES = """
CREATE TABLE IF NOT EXISTS witness (name TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS log (origin TEXT NOT NULL, vkey TEXT NOT NULL, PRIMARY KEY (origin, vkey));
CREATE TABLE IF NOT EXISTS cosigned (
    origin TEXT NOT NULL PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL,
    seconds INTEGER NOT NULL
);
"""
WAIT_SECONDS = 5.0


@dataclass(frozen=True)
class Cosigned:
    """The newest checkpoint of a log that was cosigned; size 0 and an empty note before the first."""

    size: int = 0
    root: bytes = EMPTY_ROOT
    note: str = ""
    seconds: int = 0


class Ledger:
    """A witness's SQLite file."""

    def __init__(self, home: Path) -> None:
        self._path = home / FILE_NAME

    def create(self, name: str) -> None:
        """Make the file where there is none, for a witness of this name; raise ConfigurationError for another name."""
        with self._connected(create=True) as connection:
            connection.executescript(TABLES)
            with _transaction(connection):
                known = connection.execute("SELECT name FROM witness").fetchone()
                if known is None:
                    connection.execute("INSERT INTO witness VALUES (?)", (name,))
                elif known[0] != name:
                    raise ConfigurationError(
                        f"{self._path} belongs to the witness {known[0]}: give that name, or another folder."
                    )

    def name(self) -> str:
        """Return the witness's name; raise ConfigurationError where it has no ledger."""
        with self._connected() as connection:
            return str(connection.execute("SELECT name FROM witness").fetchone()[0])

    def add_log(self, key: NoteKey) -> None:
        """Watch a log from now on, or accept one more key of its origin."""
        with self._connected() as connection, _transaction(connection):
            connection.execute("INSERT OR IGNORE INTO log VALUES (?, ?)", (key.name, key.vkey))

    def retire_key(self, key: NoteKey) -> None:
        """Accept a key of a log no longer; raise ConfigurationError for one that is unknown or the log's only one."""
        with self._connected() as connection, _transaction(connection):
            known = {vkey for (vkey,) in connection.execute("SELECT vkey FROM log WHERE origin = ?", (key.name,))}
            if key.vkey not in known:
                raise ConfigurationError(f"This witness does not accept {key.vkey}: see `witnessctl status`.")
            if known == {key.vkey}:
                raise ConfigurationError(
                    f"It is the only key of {key.name}: add the newer one first, with `witnessctl add-log`."
                )
            connection.execute("DELETE FROM log WHERE origin = ? AND vkey = ?", (key.name, key.vkey))

    def logs(self) -> dict[str, Cosigned]:
        """Return the watched logs by origin, each with what was cosigned last."""
        with self._connected() as connection, _transaction(connection):
            origins = connection.execute("SELECT DISTINCT origin FROM log ORDER BY origin").fetchall()
            return {origin: Page(connection, origin).cosigned for (origin,) in origins}

    def keys(self, origin: str) -> list[NoteKey]:
        """Return the keys that may sign for an origin, none where the log is not watched."""
        with self._connected() as connection:
            rows = connection.execute("SELECT vkey FROM log WHERE origin = ?", (origin,))
            return [NoteKey.parse(vkey) for (vkey,) in rows]

    @contextmanager
    def hold(self, origin: str) -> Iterator[Page]:
        """Yield a log's page, held alone among all threads and processes; it is durable once this ends normally."""
        with self._connected() as connection, _transaction(connection):
            yield Page(connection, origin)

    @contextmanager
    def _connected(self, *, create: bool = False) -> Iterator[sqlite3.Connection]:
        if not create and not self._path.exists():
            raise ConfigurationError(f"{self._path} is missing: run `witnessctl add-log`, or name another folder.")
        try:
            # Transactions are begun here, and each takes the file for writing before it reads.
            connected = sqlite3.connect(self._path, timeout=WAIT_SECONDS, isolation_level=None)
            with closing(connected) as connection:
                connection.execute("PRAGMA synchronous = EXTRA")
                yield connection
        except sqlite3.Error as error:
            raise StorageUnavailable(
                "The witness cannot read or write its file now.", f"{self._path}: {error}"
            ) from error


class Page:
    """What the ledger has of one log, while it is held."""

    def __init__(self, connection: sqlite3.Connection, origin: str) -> None:
        self._connection = connection
        self._origin = origin
        row = connection.execute(
            "SELECT size, root, note, seconds FROM cosigned WHERE origin = ?", (origin,)
        ).fetchone()
        self.cosigned = Cosigned() if row is None else Cosigned(*row)

    def latest_seconds(self) -> int:
        """Return the time of the newest cosignature of any log."""
        return int(self._connection.execute("SELECT COALESCE(MAX(seconds), 0) FROM cosigned").fetchone()[0])

    def write(self, cosigned: Cosigned) -> None:
        """Turn to a new checkpoint."""
        self._connection.execute(
            "INSERT OR REPLACE INTO cosigned VALUES (?, ?, ?, ?, ?)",
            (self._origin, cosigned.size, cosigned.root, cosigned.note, cosigned.seconds),
        )


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
