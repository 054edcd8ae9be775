"""Open the database: one engine, short reads, locked writes, and errors in the service's own words."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import psycopg
from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from verify_service.errors import ConfigurationError, OutcomeUnknown, StorageFull, StorageUnavailable
from verify_service.storage.postgresql_session import CONNECT, has_ended, warnings_of
from verify_service.storage.sqlite_file import NOTHING_RECORDED, SqliteFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Engine, Table


SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    # NORMAL may lose an acknowledged commit when power fails.
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=10000",
    # What is deleted is overwritten: an order to expunge means that nothing is left of it.
    "PRAGMA secure_delete=ON",
)
NOT_ACKNOWLEDGED = (
    "The database did not acknowledge the commit, so the record may stand or not. Send the same request with the same "
    "Idempotency-Key again: it is recorded once, and you get its answer."
)
DRIVER_ERRORS = (sqlite3.Error, psycopg.Error)
EVERY_ERROR = (DBAPIError, *DRIVER_ERRORS)


class Database:
    """One database by URL: ``sqlite:///file`` or ``postgresql://…``.

    Connections that nothing uses are kept for whichever thread asks next. None is kept in a thread: what a thread holds
    is closed while it ends, and Python code that runs then can bring the process down (CPython 3.11).
    """

    def __init__(self, url: str) -> None:
        self.engine = _engine(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._file = SqliteFile(Path(str(self.engine.url.database))) if self.is_sqlite else None
        # Those that nothing uses, each with the losses there had been when it was last used. Append and pop are atomic.
        self._idle: list[tuple[int, Connection]] = []
        self._opened: WeakSet[Connection] = WeakSet()
        self._losses = 0

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection for single statements, each seeing whole commits only."""
        with _in_own_words(), self._connection() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a connection whose statements all see the same moment."""
        begin = "BEGIN" if self.is_sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ"
        with _in_own_words(), self._connection() as connection, _transaction(connection, begin):
            yield connection

    @contextmanager
    def write(self, *, lasting: bool = True) -> Iterator[Connection]:
        """Yield a connection in a transaction that commits on normal exit and undoes everything on error.

        With ``lasting=False`` it may be lost when power fails, until a later lasting one has committed, since both
        engines' journals hold commits in order. That is for work that stands for nothing until then.
        On SQLite writers queue at a lock file before they begin, since its own busy handler starves some of them.
        Raises OutcomeUnknown where the commit was not acknowledged.
        """
        begin = "BEGIN IMMEDIATE" if self.is_sqlite else "BEGIN"
        with (
            self._gate(),
            _in_own_words(),
            self._connection() as connection,
            self._lasting(connection, lasting),
            _transaction(connection, begin),
        ):
            if not (lasting or self.is_sqlite):
                driver_of(connection).execute("SET LOCAL synchronous_commit TO off")
            yield connection

    def forget(self, *tables: Table) -> None:
        """Overwrite what was deleted from tables: on SQLite in its journal too, on PostgreSQL in the tables' files."""
        with self.read() as connection:
            if self.is_sqlite:
                driver_of(connection).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            else:
                driver_of(connection).execute(f"VACUUM {', '.join(table.name for table in tables)}")

    def dispose(self) -> None:
        """Close every connection, those of other threads too."""
        for connection in list(self._opened):
            connection.close()
        self._idle = []

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        connection = self._take()
        try:
            yield connection
        except DRIVER_ERRORS as error:
            if _is_lost(error):
                connection.invalidate()
            raise
        finally:
            if connection.invalidated:
                # The others, of other threads too, most likely went the same way.
                self._losses += 1
                connection.close()
            else:
                self._idle.append((self._losses, connection))

    def _take(self) -> Connection:
        while (idle := self._pop_idle()) is not None:
            losses, connection = idle
            if losses == self._losses and (self.is_sqlite or not has_ended(driver_of(connection))):
                return connection
            connection.invalidate()
            connection.close()
        if self._file is not None:
            self._file.create()
        connection = self.engine.connect()
        if self._file is not None:
            self._file.opened()
        self._opened.add(connection)
        return connection

    def _pop_idle(self) -> tuple[int, Connection] | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    @contextmanager
    def _lasting(self, connection: Connection, lasting: bool) -> Iterator[None]:
        """Let SQLite not wait for the disk meanwhile, where a commit need not last."""
        if lasting or not self.is_sqlite:
            yield
            return
        driver_of(connection).execute("PRAGMA synchronous=NORMAL")
        try:
            yield
        finally:
            driver_of(connection).execute("PRAGMA synchronous=FULL")

    def _gate(self) -> AbstractContextManager[Any]:
        return self._file.alone() if self._file is not None else nullcontext()


def together(connection: Connection) -> AbstractContextManager[Any]:
    """Send the statements of a block to PostgreSQL without waiting for each; the first error is raised at its end.

    A statement whose rows are asked for is waited for all the same. SQLite has nobody to wait for.
    """
    return _pipeline(connection) if isinstance(driver_of(connection), psycopg.Connection) else nullcontext()


@contextmanager
def _pipeline(connection: Connection) -> Iterator[None]:
    try:
        with driver_of(connection).pipeline():
            yield
    except BaseException:
        # psycopg 3.3 takes statements that an aborted pipeline passed over for prepared, and would go on naming them.
        connection.invalidate()
        raise


def driver_of(connection: Connection) -> Any:
    """Return the driver's own connection, sqlite3's or psycopg's."""
    return connection.connection.driver_connection


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except Exception as error:
        raise ConfigurationError("VERIFY_DATABASE_URL is not a database URL such as sqlite:///file.db.") from error
    # Transactions are begun and ended on the driver itself, where they are wanted.
    options: dict[str, Any] = {"poolclass": NullPool, "isolation_level": "AUTOCOMMIT"}
    if parsed.get_backend_name() == "sqlite" and parsed.database not in {None, "", ":memory:"}:
        # A connection is used by one thread at a time, but not always by the same.
        engine = create_engine(parsed, connect_args={"check_same_thread": False}, **options)
        event.listen(engine, "connect", _set_up_sqlite)
        return engine
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(parsed, connect_args=dict(CONNECT), **options)
    raise ConfigurationError("VERIFY_DATABASE_URL must be sqlite:///… with a file, or postgresql://…")


def _set_up_sqlite(connection: Any, _: Any) -> None:
    for pragma in SQLITE_PRAGMAS:
        connection.execute(pragma)


@contextmanager
def _transaction(connection: Connection, begin: str) -> Iterator[None]:
    driver = driver_of(connection)
    driver.execute(begin)
    try:
        yield
    except BaseException:
        _roll_back(connection)
        raise
    try:
        with warnings_of(driver) as warnings:
            ended = driver.execute("COMMIT")
    except DRIVER_ERRORS as error:
        # A sync that failed leaves whole frames in SQLite's journal, and a crash may yet find them good.
        if _is_lost(error) or _is_broken(error):
            connection.invalidate()
            raise OutcomeUnknown(NOT_ACKNOWLEDGED) from error
        _roll_back(connection)
        raise
    # PostgreSQL ends a transaction in which a statement failed without an error, by undoing it.
    if getattr(ended, "statusmessage", "COMMIT") != "COMMIT":
        raise StorageUnavailable(f"The database undid the transaction. {NOTHING_RECORDED}.")
    # Somebody cancelled the wait for a standby, so it stands here and maybe on no other disk.
    if warnings:
        raise OutcomeUnknown(NOT_ACKNOWLEDGED)


def _roll_back(connection: Connection) -> None:
    """Undo what was begun; a connection that cannot is thrown away, which undoes it too."""
    if connection.invalidated:
        return
    try:
        driver_of(connection).execute("ROLLBACK")
    except EVERY_ERROR:
        connection.invalidate()


@contextmanager
def _in_own_words() -> Iterator[None]:
    try:
        yield
    except EVERY_ERROR as error:
        _raise_in_own_words(error)
        raise


def _raise_in_own_words(error: Exception) -> None:
    """Raise the service's error for what SQLAlchemy or the driver says; return where it is a bug."""
    cause: BaseException | None = error
    lost = False
    if isinstance(error, DBAPIError):
        cause, lost = error.orig, error.connection_invalidated
    text, state = str(cause), getattr(cause, "sqlstate", None)
    if "disk is full" in text or state == "53100":
        raise StorageFull(
            f"The database has no room left. {NOTHING_RECORDED} once an operator has made room.",
            "The database has no room left: make room where it lies. Nothing was recorded meanwhile.",
        ) from error
    if lost or _is_lost(cause) or _is_broken(cause) or "unable to open" in text or "locked" in text:
        reason = text.partition("\n")[0]
        raise StorageUnavailable(
            f"The database does not answer. {NOTHING_RECORDED}.",
            f"The database does not answer ({reason}): see that it runs, and that VERIFY_DATABASE_URL names it.",
        ) from error


def _is_lost(cause: BaseException | None) -> bool:
    """Tell whether PostgreSQL's connection failed or was ended, or a lock was not had in time."""
    if not isinstance(cause, psycopg.Error):
        return False
    state = cause.sqlstate
    return state is None or state[:2] in {"08", "57"} or state in {"55P03", "40001", "40P01"}


def _is_broken(cause: BaseException | None) -> bool:
    """Tell whether SQLite could not read, write or sync its file."""
    return isinstance(cause, sqlite3.Error) and getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_IOERR
