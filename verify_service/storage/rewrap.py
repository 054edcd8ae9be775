"""Put what is sealed under another envelope key while the service goes on: every table with sealed rows is named here.

Only the data key of a row is wrapped anew (SP 800-57 Part 1, §6.2: key-wrapping keys); what it seals stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, func, select, tuple_, update

from verify_service.record_log.append import RetryKey
from verify_service.record_log.batch import reply_place
from verify_service.record_log.log import LogId
from verify_service.record_log.proposal import record_place
from verify_service.registry.keyring import blinding_key_place
from verify_service.storage.expunge_store import expunge_order_place
from verify_service.storage.registry_tables import blinding_key
from verify_service.storage.tables import expunge_order, idempotency, incident, log_entry, record, verification
from verify_service.vault import Sealed

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, RowMapping, Select, Table

    from verify_service.storage.database import Database
    from verify_service.vault import Vault

ROWS_AT_ONCE = 500


@dataclass(frozen=True)
class SealedTable:
    """A table whose rows are sealed, and how the vault is told which row one is."""

    table: Table
    place: Callable[[RowMapping], str]

    @property
    def key(self) -> list[Any]:
        """The primary key, without the department."""
        return [column for column in self.table.primary_key if column.name != "department"]

    def rows(self, department: str, in_use: str) -> Select[Any]:
        """Select the rows that are sealed under another key than the one in use."""
        table, given = self.table, select(self.table)
        if table is record:
            same = (log_entry.c[column.name] == column for column in record.primary_key)
            given = select(record, log_entry.c.entry).join(log_entry, and_(*same))
        # What an order destroyed has no data key any more.
        sealed = table.c.key_id.not_in((in_use, ""))
        return given.where(table.c.department == department, sealed).order_by(*self.key)


SEALED_TABLES = (
    SealedTable(record, lambda row: record_place(LogId(row["department"], row["log"]), row["entry"])),
    SealedTable(idempotency, lambda row: reply_place(RetryKey(row["request"], row["fingerprint"]))),
    SealedTable(verification, lambda row: f"verification/{row['id']}"),
    SealedTable(incident, lambda row: f"incident/{row['id']}"),
    SealedTable(expunge_order, lambda row: expunge_order_place(row["id"])),
    SealedTable(blinding_key, lambda row: blinding_key_place(row["agency"], row["epoch"])),
)


class Rewrapping:
    """The sealed rows of one department."""

    def __init__(self, database: Database, vault: Vault, department: str) -> None:
        self._database = database
        self._vault = vault
        self._department = department

    def count(self) -> dict[str, int]:
        """Return how many rows are sealed under each envelope key."""
        counted: dict[str, int] = {}
        with self._database.snapshot() as connection:
            for table in (sealed.table for sealed in SEALED_TABLES):
                mine = table.c.department == self._department, table.c.key_id != ""
                each = select(table.c.key_id, func.count()).where(*mine).group_by(table.c.key_id)
                for key_id, rows in connection.execute(each):
                    counted[key_id] = counted.get(key_id, 0) + rows
        return counted

    def run(self, progress: Callable[[int, int], None] = lambda *_: None) -> int:
        """Wrap every row's data key under the envelope key in use, and return the number of rows.

        A row that is just being written is left for another run. Raises SealBroken where a row does not open.
        """
        in_use = self._vault.active(self._department)
        whole = sum(rows for key_id, rows in self.count().items() if key_id != in_use)
        done = 0
        for sealed in SEALED_TABLES:
            last: tuple[Any, ...] | None = None
            while True:
                # Short, since on SQLite nothing else is written meanwhile.
                with self._database.write() as connection:
                    rows = self._some(connection, sealed, in_use, last)
                if not rows:
                    break
                last = tuple(rows[-1][column.name] for column in sealed.key)
                done += len(rows)
                progress(done, whole)
        return done

    def _some(
        self, connection: Connection, sealed: SealedTable, in_use: str, after: tuple[Any, ...] | None
    ) -> list[RowMapping]:
        asked = sealed.rows(self._department, in_use).limit(ROWS_AT_ONCE)
        if after is not None:
            asked = asked.where(tuple_(*sealed.key) > tuple_(*after))
        # Waiting for a row that a request holds, while holding one that it waits for, would end one of the two.
        rows = list(connection.execute(asked.with_for_update(skip_locked=True, of=sealed.table)).mappings())
        if rows:
            mine = (column == bindparam(f"of_{column.name}") for column in sealed.table.primary_key)
            changed: dict[str, Any] = {"key_id": bindparam("key_id_is"), "wrapped_key": bindparam("wrapped_key_is")}
            changing = update(sealed.table).where(*mine).values(changed)
            connection.execute(changing, [self._rewrapped(sealed, row) for row in rows])
        return rows

    def _rewrapped(self, sealed: SealedTable, row: RowMapping) -> dict[str, Any]:
        old = Sealed(row["key_id"], row["wrapped_key"], ())
        new = self._vault.rewrap(self._department, sealed.place(row), old)
        key = {f"of_{column.name}": row[column.name] for column in sealed.table.primary_key}
        return {**key, "key_id_is": new.key_id, "wrapped_key_is": new.wrapped_key}
