"""Run the hottest statements on the driver itself, compiled once; SQLAlchemy's own way costs several times as much."""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam
from sqlalchemy.dialects import postgresql, sqlite

from verify_service.storage.database import driver_of
from verify_service.storage.departments import check_departments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Column, Connection, Table
    from sqlalchemy.sql.elements import ColumnElement


class Prepared:
    """A statement made and compiled once for each dialect; ``make`` is given the dialect's name.

    One that reads or changes rows of more than one department is refused with LookupError, unless ``across`` says that
    it is meant so.
    Rows come back as named tuples of what the driver gives: on SQLite a Boolean is 0 or 1. The driver's errors are
    its own, which ``Database`` puts into the service's words.
    """

    def __init__(self, make: Callable[[str], Any], *, across: bool = False) -> None:
        self._make = make
        self._across = across
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

    def run(self, connection: Connection, values: Mapping[str, Any]) -> None:
        """Execute a statement that returns nothing."""
        compiled = self._for(connection)
        driver_of(connection).execute(compiled.sql, compiled.arguments(values))

    def _for(self, connection: Connection) -> _Compiled:
        compiled = self._compiled.get(connection.dialect.name)
        if compiled is None:
            compiled = self._compiled[connection.dialect.name] = _Compiled(self._made(connection), connection)
        return compiled

    def _made(self, connection: Connection) -> Any:
        statement = self._make(connection.dialect.name)
        if not self._across:
            check_departments(statement)
        return statement


class _Compiled:
    """One statement's text for one dialect."""

    def __init__(self, statement: Any, connection: Connection) -> None:
        compiled = statement.compile(dialect=connection.dialect)
        self.sql = str(compiled)
        # SQLite numbers its parameters, psycopg names them.
        self._positions: list[str] | None = compiled.positiontup
        # What stands in the statement itself, such as a limit.
        self._own = {name: value for name, value in compiled.params.items() if value is not None}
        columns = [column.key for column in statement.exported_columns]
        make_row: Any = namedtuple  # noqa: PYI024 - Its names are the statement's.
        self.row = make_row("Row", columns)._make

    def arguments(self, values: Mapping[str, Any]) -> Any:
        whole = {**self._own, **values} if self._own else values
        return whole if self._positions is None else [whole[name] for name in self._positions]


def selected(statement: Any, *, across: bool = False) -> Prepared:
    """Prepare a statement that is the same on every dialect."""
    return Prepared(lambda _: statement, across=across)


class Insertion:
    """The insertion of whole rows, made and compiled once for each dialect and number of rows.

    Of a row whose key is there already, the ``changing`` columns are set; with ``missing`` alone, it is passed over.
    """

    def __init__(self, table: Table, *changing: str, missing: bool = False) -> None:
        self._table = table
        self._names = [column.name for column in table.c]
        self._changing = changing
        self._missing = missing
        self._statements: dict[int, Prepared] = {}

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows in as few statements as their number has binary digits; nothing where there are none.

        The driver lets other threads run at every statement, and the rows are mostly written while the tail is held.
        """
        start = 0
        while start < len(rows):
            count = 1 << (len(rows) - start).bit_length() - 1
            values = {
                f"{name}{place}": row[name]
                for place, row in enumerate(rows[start : start + count])
                for name in self._names
            }
            self._of(count).run(connection, values)
            start += count

    def _of(self, count: int) -> Prepared:
        if count not in self._statements:
            self._statements[count] = Prepared(lambda dialect: self._make(dialect, count))
        return self._statements[count]

    def _make(self, dialect: str, count: int) -> Any:
        rows = [
            {column.name: bindparam(f"{column.name}{place}", type_=column.type) for column in self._table.c}
            for place in range(count)
        ]
        statement = (sqlite if dialect == "sqlite" else postgresql).insert(self._table).values(rows)
        if self._missing:
            return statement.on_conflict_do_nothing()
        if self._changing:
            setting = {name: statement.excluded[name] for name in self._changing}
            return statement.on_conflict_do_update(index_elements=list(self._table.primary_key), set_=setting)
        return statement


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
