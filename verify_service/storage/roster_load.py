"""Load a roster while it is read, the driver's bulk way, and remove one that is unfinished."""

from __future__ import annotations

from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import bindparam, delete, func, insert, select, update

from verify_service.errors import StorageUnavailable
from verify_service.registry.edition import RosterRef
from verify_service.storage.registry_tables import roster, roster_entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from verify_service.registry.roster import RosterHeader
    from verify_service.registry.roster_lines import Row
    from verify_service.storage.database import Database

# As many rows as SQLite removes in a few milliseconds.
SWEPT_AT_ONCE = 4000

# SQLite takes sixteen rows in one statement in two thirds of the time that it takes for them one by one.
ROWS_A_STATEMENT = 16

_COLUMNS = "department, roster, tag, kind, status, not_before, expires, rid"
# Built once: constructing them costs more than running them.
_HIGHEST = select(func.coalesce(func.max(roster.c.number), 0)).where(roster.c.department == bindparam("department"))
_INSERT = insert(roster)
_WHOLE = (
    update(roster)
    .where(roster.c.department == bindparam("of"), roster.c.number == bindparam("the"))
    .values(loaded=True)
)
_POSTGRESQL_ENTRIES = f"COPY roster_entry ({_COLUMNS}) FROM STDIN"
_COPY_NULL = "\\N"
_COPY_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class RosterLoad:
    """One roster on its way in."""

    def __init__(self, database: Database, department: str, header: RosterHeader, sha256: str) -> None:
        self._database = database
        self._department = department
        self._header = header
        self._sha256 = sha256

    def run(self, blocks: Iterable[Sequence[Row]]) -> RosterRef:
        """Store the whole roster or nothing; not lasting, since nothing stands on it before a swap that is."""
        number = self._piecewise(blocks) if self._database.is_sqlite else self._streaming(blocks)
        return RosterRef.of(number, self._sha256, self._header)

    def _streaming(self, blocks: Iterable[Sequence[Row]]) -> int:
        """Store in one transaction, which on PostgreSQL keeps nobody waiting: the server stores while we read on."""
        name = self._department.translate(_COPY_ESCAPES)
        with self._database.write(lasting=False) as connection:
            number = self._begin(connection, loaded=True)
            driver: Any = connection.connection.driver_connection
            try:
                with driver.cursor() as cursor, cursor.copy(_POSTGRESQL_ENTRIES) as copy:
                    for rows in blocks:
                        copy.write(_copied(name, number, rows))
            except psycopg.Error as error:
                # The driver's own errors do not pass through SQLAlchemy, which would have them put into our words.
                raise StorageUnavailable("The database broke off while a roster was loaded: ingest again.") from error
        return number

    def _piecewise(self, blocks: Iterable[Sequence[Row]]) -> int:
        """Store each block in a short transaction, the last one together with the note that the roster is whole.

        Each is stored when the next one was read, so a roster of one block is stored at once or not at all.
        """
        number, held = None, None
        try:
            for rows in blocks:
                if held is not None:
                    number = self._store(number, held, last=False)
                held = rows
            return self._store(number, held or [], last=True)
        except Exception:
            if number is not None:
                sweep(self._database, self._department, number)
            raise

    def _store(self, number: int | None, rows: Sequence[Row], *, last: bool) -> int:
        with self._database.write(lasting=False) as connection:
            if number is None:
                number = self._begin(connection, loaded=last)
            elif last:
                connection.execute(_WHOLE, {"of": self._department, "the": number})
            _insert(connection, self._department, number, rows)
        return number

    def _begin(self, connection: Connection, *, loaded: bool) -> int:
        number: int = connection.execute(_HIGHEST, {"department": self._department}).scalar_one() + 1
        values = {
            "department": self._department,
            "number": number,
            "agency": self._header.agency,
            "sha256": self._sha256,
            "header": self._header.line().decode(),
            "loaded": loaded,
        }
        connection.execute(_INSERT, values)
        return number


def _insert(connection: Connection, department: str, number: int, rows: Sequence[Row]) -> None:
    whole = len(rows) - len(rows) % ROWS_A_STATEMENT
    for size, start, stop in ((ROWS_A_STATEMENT, 0, whole), (1, whole, len(rows))):
        values = [
            (department, number, *chain.from_iterable(rows[place : place + size])) for place in range(start, stop, size)
        ]
        if values:
            connection.exec_driver_sql(_sqlite_insert(size), values)


@cache
def _sqlite_insert(rows: int) -> str:
    """Return a statement for some rows; ``?1`` and ``?2`` are the department and the roster of them all."""
    width = 6
    first = range(3, 3 + rows * width, width)
    values = ", ".join(f"(?1, ?2, {', '.join(f'?{place + column}' for column in range(width))})" for place in first)
    return f"INSERT INTO roster_entry ({_COLUMNS}) VALUES {values}"  # noqa: S608 - Only names of ours.  # nosec B608


def _copied(department: str, number: int, rows: Sequence[Row]) -> str:
    """Write rows in COPY's text form: only the department's name could hold a character that means something in it."""
    return "".join(
        f"{department}\t{number}\t\\\\x{tag.hex()}\t{kind}\t{status}\t{first or _COPY_NULL}\t{end or _COPY_NULL}"
        f"\t\\\\x{rid.hex()}\n"
        for tag, kind, status, first, end, rid in rows
    )


def sweep(database: Database, department: str, number: int) -> None:
    """Remove a roster that is not whole, a few rows at a time, its own row last so that a sweep can be resumed."""
    mine = (roster_entry.c.department == department, roster_entry.c.roster == number)
    tags = select(roster_entry.c.tag).where(*mine).order_by(roster_entry.c.tag).limit(SWEPT_AT_ONCE).subquery()
    while True:
        with database.write() as connection:
            last = connection.execute(select(tags.c.tag).order_by(tags.c.tag.desc()).limit(1)).scalar()
            if last is None:
                connection.execute(delete(roster).where(roster.c.department == department, roster.c.number == number))
                return
            connection.execute(delete(roster_entry).where(*mine, roster_entry.c.tag <= last))
