"""Open the database: one engine, short reads, locked writes, and errors in the service's own words."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from verify_service.errors import ConfigurationError, OutcomeUnknown, StorageFull, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Engine

    from verify_service.errors import ServiceError

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
NOTHING_RECORDED = "Nothing was recorded; send the same request with the same Idempotency-Key again"


class Database:
    """One database by URL: ``sqlite:///file`` or ``postgresql://…``.

    ``pool`` is the number of connections kept, one for each thread that may ask at once.
    """

    def __init__(self, url: str, pool: int = 10) -> None:
        self.engine = _engine(url, pool)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        # Readers of one statement need no transaction of their own.
        self._autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection for single statements, each seeing whole commits only."""
        with _in_own_words(), self._autocommit.connect() as connection:
            yield connection

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
        with self._gate(), _in_own_words():
            connection = self.engine.connect()
            try:
                transaction = connection.execution_options(writes="FULL" if lasting else "NORMAL").begin()
                if not (lasting or self.is_sqlite):
                    connection.exec_driver_sql("SET LOCAL synchronous_commit TO off")
                try:
                    yield connection
                except BaseException:
                    transaction.rollback()
                    raise
                _commit(transaction)
            finally:
                connection.close()

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def _gate(self) -> AbstractContextManager[Any]:
        return _file_lock(Path(f"{self.engine.url.database}.lock")) if self.is_sqlite else nullcontext()


def _engine(url: str, pool: int) -> Engine:
    try:
        parsed = make_url(url)
    except Exception as error:
        raise ConfigurationError("VERIFY_DATABASE_URL is not a database URL such as sqlite:///file.db.") from error
    if parsed.get_backend_name() == "sqlite" and parsed.database not in {None, "", ":memory:"}:
        engine = create_engine(parsed, pool_size=pool, max_overflow=0)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(
            parsed, pool_size=pool, max_overflow=0, pool_pre_ping=False, connect_args=dict(POSTGRESQL_CONNECT)
        )
    raise ConfigurationError("VERIFY_DATABASE_URL must be sqlite:///… with a file, or postgresql://…")


def _set_up_sqlite(connection: Any, _: Any) -> None:
    # The driver must not begin transactions itself: it would use BEGIN DEFERRED,
    # and two writers could read the same tail.
    connection.isolation_level = None
    for pragma in SQLITE_PRAGMAS:
        connection.execute(pragma)


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("writes"):
        # Each write says it, since the last one on this connection may have said otherwise.
        connection.exec_driver_sql(f"PRAGMA synchronous={options['writes']}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif options.get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql("BEGIN")


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
    except IntegrityError:
        raise
    except PoolTimeoutError as error:
        raise StorageUnavailable(f"Every database connection is in use. {NOTHING_RECORDED}.") from error
    except DBAPIError as error:
        raise _translated(error) from error


def _commit(transaction: Any) -> None:
    try:
        transaction.commit()
    except DBAPIError as error:
        if error.connection_invalidated or _is_lost(error):
            raise OutcomeUnknown(
                "The database did not acknowledge the commit, so the record may stand or not. Send the same request "
                "with the same Idempotency-Key again: it is recorded once, and you get its answer."
            ) from error
        raise


def _translated(error: DBAPIError) -> ServiceError | DBAPIError:
    text, state = str(error.orig), getattr(error.orig, "sqlstate", None)
    if "disk is full" in text or state == "53100":
        return StorageFull(f"The database has no room left. {NOTHING_RECORDED} once an operator has made room.")
    if error.connection_invalidated or _is_lost(error) or "unable to open" in text or "locked" in text:
        return StorageUnavailable(f"The database does not answer. {NOTHING_RECORDED}.")
    return error


def _is_lost(error: DBAPIError) -> bool:
    """Tell whether PostgreSQL's connection failed or was ended, or a lock was not had in time."""
    state = getattr(error.orig, "sqlstate", None)
    module = type(error.orig).__module__
    return module.startswith("psycopg") and (
        state is None or state[:2] in {"08", "57"} or state in {"55P03", "40001", "40P01"}
    )
