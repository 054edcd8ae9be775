"""Run the hottest statements on the driver itself, compiled once; SQLAlchemy's own way costs several times as much."""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql, sqlite

from verify_service.storage.database import driver_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Column, Connection, Table
    from sqlalchemy.sql.elements import ColumnElement


class Prepared:
    """A statement made and compiled once for each dialect; ``make`` is given the dialect's name.

    Rows come back as named tuples of what the driver gives: on SQLite a Boolean is 0 or 1. The driver's errors are
    its own, which ``Database`` puts into the service's words.
    """

    def __init__(self, make: Callable[[str], Any]) -> None:
        self._make = make
        self._compiled: dict[str, _Compiled] = {}

    def all(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """Return every row."""
        compiled = self._for(connection)
        cursor = driver_of(connection).execute(compiled.sql, compiled.arguments(values))
        return list(map(compiled.row, cursor.fetchall()))

    def one(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """Return the only row, None where there is none."""
        rows = self.all(connection, values)
        return rows[0] if rows else None

    def many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute once for each row, in one round trip where the driver can; nothing where there are none."""
        if rows:
            compiled = self._for(connection)
            driver_of(connection).cursor().executemany(compiled.sql, [compiled.arguments(row) for row in rows])

    def _for(self, connection: Connection) -> _Compiled:
        compiled = self._compiled.get(connection.dialect.name)
        if compiled is None:
            compiled = self._compiled[connection.dialect.name] = _Compiled(self._make, connection)
        return compiled


class _Compiled:
    """One statement's text for one dialect."""

    def __init__(self, make: Callable[[str], Any], connection: Connection) -> None:
        statement = make(connection.dialect.name)
        compiled = statement.compile(dialect=connection.dialect)
        self.sql = str(compiled)
        # SQLite numbers its parameters, psycopg names them.
        self._positions: list[str] | None = compiled.positiontup
        # What stands in the statement itself, such as a limit.
        self._own = {name: value for name, value in compiled.params.items() if value is not None}
        columns = [column.key for column in getattr(statement, "selected_columns", ())]
        make_row: Any = namedtuple  # Its names are the statement's.
        self.row = make_row("Row", columns)._make

    def arguments(self, values: Mapping[str, Any]) -> Any:
        whole = {**self._own, **values} if self._own else values
        return whole if self._positions is None else [whole[name] for name in self._positions]


def selected(statement: Any) -> Prepared:
    """Prepare a statement that is the same on every dialect."""
    return Prepared(lambda _: statement)


def inserted(table: Table) -> Prepared:
    """Prepare the insertion of whole rows."""
    return Prepared(lambda dialect: _insert(dialect, table))


def inserted_where_missing(table: Table) -> Prepared:
    """Prepare the insertion of the rows whose key is not there yet."""
    return Prepared(lambda dialect: _insert(dialect, table).on_conflict_do_nothing())


def upserted(table: Table, *changing: str) -> Prepared:
    """Prepare the insertion of rows; of one whose key is there, the ``changing`` columns are set."""

    def make(dialect: str) -> Any:
        statement = _insert(dialect, table)
        keys = [column.name for column in table.primary_key]
        setting = {name: statement.excluded[name] for name in changing}
        return statement.on_conflict_do_update(index_elements=keys, set_=setting)

    return Prepared(make)


def among(column: Column[Any], count: int) -> ColumnElement[bool]:
    """Return the condition that a column has one of ``count`` values, named as ``numbered`` names them."""
    return column.in_([bindparam(f"value{place}", type_=column.type) for place in range(count)])


def numbered(values: Sequence[Any]) -> dict[str, Any]:
    """Name values for ``among``; the last one is repeated to the next power of two, so that few statements are made."""
    count = room_for(len(values))
    padded = [*values, *[values[-1]] * (count - len(values))]
    return {f"value{place}": value for place, value in enumerate(padded)}


def room_for(count: int) -> int:
    """Return the power of two that ``numbered`` pads ``count`` values to."""
    return 1 << (count - 1).bit_length()


def _insert(dialect: str, table: Table) -> Any:
    values = {column.name: bindparam(column.name, type_=column.type) for column in table.c}
    return (sqlite if dialect == "sqlite" else postgresql).insert(table).values(values)
