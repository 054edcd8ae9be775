"""Turn sealed values into columns and back, and insert rows in one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert
from sqlalchemy.dialects import postgresql, sqlite

from verify_service.vault import Sealed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Table


def sealed_row(sealed: Sealed, *parts: str) -> dict[str, Any]:
    """Return the columns of a sealed value; ``parts`` names the column of each part."""
    return {"key_id": sealed.key_id, "wrapped_key": sealed.wrapped_key, **dict(zip(parts, sealed.parts, strict=True))}


def sealed_of(row: Any, *parts: str) -> Sealed:
    """Return the sealed value that stands in a row's columns."""
    return Sealed(row.key_id, bytes(row.wrapped_key), tuple(bytes(getattr(row, part)) for part in parts))


def insert_rows(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows in one statement, where there are any."""
    if rows:
        connection.execute(insert(table), rows)


def insert_missing_rows(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert the rows whose key is not there yet."""
    if rows:
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), rows)


def upsert_rows(connection: Connection, table: Table, rows: Sequence[dict[str, Any]], changing: Sequence[str]) -> None:
    """Insert rows; of one whose key is there, set the ``changing`` columns."""
    if rows:
        statement = _insert(connection, table)
        keys = [column.name for column in table.primary_key]
        setting = {name: statement.excluded[name] for name in changing}
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=setting), rows)


def _insert(connection: Connection, table: Table) -> Any:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table)
