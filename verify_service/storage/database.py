"""Open the database: one engine, short reads, locked writes, and errors in the service's own words."""

from __future__ import annotations

import fcntl
import sqlite3
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from verify_service.errors import ConfigurationError, OutcomeUnknown, StorageFull, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Engine


SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    # NORMAL may lose an acknowledged commit when power fails.
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=10000",
)
POSTGRESQL_CONNECT = {
    "connect_timeout": 3,
    "tcp_user_timeout": 10_000,
    "target_session_attrs": "read-write",
    "options": "-c lock_timeout=10s -c idle_in_transaction_session_timeout=60s",
}
DRIVER_ERRORS = (sqlite3.Error, psycopg.Error)
EVERY_ERROR = (DBAPIError, PoolTimeoutError, *DRIVER_ERRORS)
NOTHING_RECORDED = "Nothing was recorded; send the same request with the same Idempotency-Key again"


class Database:
    """One database by URL: ``sqlite:///file`` or ``postgresql://…``.

    ``pool`` is the number of connections kept, one for each thread that may ask at once.
    """

    def __init__(self, url: str, pool: int = 10) -> None:
        self.engine = _engine(url, pool)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        # Readers of single statements have connections of their own, which never are in a transaction.
        self._readers = _engine(url, pool, isolation_level="AUTOCOMMIT")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection for single statements, each seeing whole commits only."""
        try:
            connection = self._readers.connect()
            try:
                yield connection
            except DRIVER_ERRORS as error:
                if _is_lost(error):
                    connection.invalidate()
                raise
            finally:
                connection.close()
        except EVERY_ERROR as error:
            _raise_in_own_words(error)
            raise

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a connection whose statements all see the same moment."""
        with _in_own_words(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ")  # noqa: PLW2901
            with connection.begin():
                yield connection

    @contextmanager
    def write(self, *, lasting: bool = True) -> Iterator[Connection]:
        """Yield a connection in a transaction that commits on normal exit and undoes everything on error.

        With ``lasting=False`` it may be lost when power fails, until a later lasting one has committed, since both
        engines' journals hold commits in order. That is for work that stands for nothing until then.
        On SQLite writers queue at a lock file before they begin, since its own busy handler starves some of them.
        Raises OutcomeUnknown where the commit was not acknowledged.
        """
        with (
            self._gate(),
            _in_own_words(),
            self.engine.connect() as connection,
            _noticing_loss(connection),
            self._lasting(connection, lasting),
        ):
            transaction = connection.execution_options(writes=True).begin()
            try:
                if not (lasting or self.is_sqlite):
                    connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")
                yield connection
            except BaseException:
                transaction.rollback()
                raise
            _commit(transaction)

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()
        self._readers.dispose()

    @contextmanager
    def _lasting(self, connection: Connection, lasting: bool) -> Iterator[None]:
        """Let SQLite not wait for the disk meanwhile, where a commit need not last."""
        if lasting or not self.is_sqlite:
            yield
            return
        driver: Any = connection.connection.driver_connection
        driver.execute("PRAGMA synchronous=NORMAL")
        try:
            yield
        finally:
            driver.execute("PRAGMA synchronous=FULL")

    def _gate(self) -> AbstractContextManager[Any]:
        return _file_lock(Path(f"{self.engine.url.database}.lock")) if self.is_sqlite else nullcontext()


def _engine(url: str, pool: int, **options: Any) -> Engine:
    try:
        parsed = make_url(url)
    except Exception as error:
        raise ConfigurationError("VERIFY_DATABASE_URL is not a database URL such as sqlite:///file.db.") from error
    if parsed.get_backend_name() == "sqlite" and parsed.database not in {None, "", ":memory:"}:
        engine = create_engine(parsed, **_pool(pool), **options)
        event.listen(engine, "connect", _set_up_sqlite)
        if not options:
            event.listen(engine, "begin", _begin_sqlite)
        return engine
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(parsed, **_pool(pool), connect_args=dict(POSTGRESQL_CONNECT), **options)
    raise ConfigurationError("VERIFY_DATABASE_URL must be sqlite:///… with a file, or postgresql://…")


def _pool(size: int) -> dict[str, Any]:
    # Whoever takes a connection ends its transaction, so that giving it back needs no further statement.
    return {"pool_size": size, "max_overflow": 0, "pool_reset_on_return": None}


def _set_up_sqlite(connection: Any, _: Any) -> None:
    # The driver must not begin transactions itself: it would use BEGIN DEFERRED,
    # and two writers could read the same tail.
    connection.isolation_level = None
    for pragma in SQLITE_PRAGMAS:
        connection.execute(pragma)


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    try:
        lock = path.open("a")
    except OSError as error:
        raise StorageUnavailable(f"The lock file {path} cannot be opened: {error.strerror}.") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _in_own_words() -> Iterator[None]:
    try:
        yield
    except EVERY_ERROR as error:
        _raise_in_own_words(error)
        raise


@contextmanager
def _noticing_loss(connection: Connection) -> Iterator[None]:
    """Throw a connection away that was lost while a statement ran on the driver itself."""
    try:
        yield
    except DRIVER_ERRORS as error:
        if _is_lost(error):
            connection.invalidate()
        raise


def _commit(transaction: Any) -> None:
    try:
        transaction.commit()
    except DBAPIError as error:
        if error.connection_invalidated or _is_lost(error.orig):
            raise OutcomeUnknown(
                "The database did not acknowledge the commit, so the record may stand or not. Send the same request "
                "with the same Idempotency-Key again: it is recorded once, and you get its answer."
            ) from error
        raise


def _raise_in_own_words(error: Exception) -> None:
    """Raise the service's error for what SQLAlchemy or the driver says; return where it is a bug."""
    cause: BaseException | None = error
    lost = False
    if isinstance(error, PoolTimeoutError):
        raise StorageUnavailable(f"Every database connection is in use. {NOTHING_RECORDED}.") from error
    if isinstance(error, DBAPIError):
        cause, lost = error.orig, error.connection_invalidated
    text, state = str(cause), getattr(cause, "sqlstate", None)
    if "disk is full" in text or state == "53100":
        raise StorageFull(
            f"The database has no room left. {NOTHING_RECORDED} once an operator has made room."
        ) from error
    if lost or _is_lost(cause) or "unable to open" in text or "locked" in text:
        raise StorageUnavailable(f"The database does not answer. {NOTHING_RECORDED}.") from error


def _is_lost(cause: BaseException | None) -> bool:
    """Tell whether PostgreSQL's connection failed or was ended, or a lock was not had in time."""
    if not isinstance(cause, psycopg.Error):
        return False
    state = cause.sqlstate
    return state is None or state[:2] in {"08", "57"} or state in {"55P03", "40001", "40P01"}
