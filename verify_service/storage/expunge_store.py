"""Keep orders to expunge, and destroy what they name: implements ``ExpungeOrders`` and ``Graves``."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import and_, delete, select, update

from verify_service.record_log.tombstones import Buried
from verify_service.storage.prepared import Insertion
from verify_service.storage.rows import sealed_of, sealed_row
from verify_service.storage.tables import (
    event,
    expunge_order,
    idempotency,
    incident,
    incident_officer,
    log_entry,
    log_head,
    record,
    search_key,
    statement_link,
    verification,
)
from verify_service.verification.destruction import Standing
from verify_service.verification.expunge import ExpungeOrder

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

    from verify_service.storage.database import Database
    from verify_service.vault import Vault
    from verify_service.verification.destruction import Destruction, Place

PUT_ORDER = Insertion(expunge_order, "key_id", "wrapped_key", "content")
ASKED_AT_ONCE = 500
READ_MODELS = {"verification": verification, "incident": incident}
# Every row by which a subject is found or read but its events.
FOUND_BY = (
    (verification, verification.c.id),
    (search_key, search_key.c.verification),
    (incident, incident.c.id),
    (incident_officer, incident_officer.c.incident),
)
# Every entry with its log's origin, and its record where that is there.
ENTRIES = select(log_head.c.origin, log_entry.c.idx, log_entry.c.entry).select_from(
    log_entry.join(
        log_head, and_(log_head.c.department == log_entry.c.department, log_head.c.log == log_entry.c.log)
    ).outerjoin(
        record,
        and_(
            record.c.department == log_entry.c.department,
            record.c.log == log_entry.c.log,
            record.c.idx == log_entry.c.idx,
        ),
    )
)
# What an emptied reply has in place of its key and content.
NOTHING = {"key_id": "", "wrapped_key": b"", "reply": b""}


class ExpungeTables:
    """The orders of one database."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    def put(self, department: str, order: ExpungeOrder) -> None:
        """Keep an order as it now stands."""
        content = self._vault.seal(department, expunge_order_place(order.id), (orjson.dumps(vars(order)),))
        with self._database.write() as connection:
            row = {"department": department, "id": order.id, **sealed_row(content, "content")}
            PUT_ORDER.run(connection, [row])

    def get(self, department: str, order: str) -> ExpungeOrder | None:
        """Return an order, None where there is none."""
        asked = select(expunge_order).where(expunge_order.c.department == department, expunge_order.c.id == order)
        with self._database.read() as connection:
            row = connection.execute(asked).one_or_none()
        if row is None:
            return None
        document = orjson.loads(self._vault.open(department, expunge_order_place(order), sealed_of(row, "content"))[0])
        lists = {name: tuple(document[name]) for name in ("verifications", "incidents")}
        return ExpungeOrder(**{**document, **lists})

    def standing(self, department: str, ref: str) -> Standing:
        """Return where a verification or incident stands; its events are empty where it is unknown or gone."""
        form, _, name = ref.partition(":")
        table = READ_MODELS[form]
        known = select(table.c.id).where(table.c.department == department, table.c.id == name)
        link = statement_link.c.department == department, statement_link.c.verification == name
        with self._database.snapshot() as connection:
            if connection.execute(known).one_or_none() is None:
                return Standing(())
            number = connection.scalar(select(statement_link.c.receipt_number).where(*link))
            statements = () if number is None else _places(connection, department, f"statement:{number}")
            return Standing(_places(connection, department, ref), statements)

    def buried(self, department: str, ref: str) -> tuple[Buried, ...]:
        """Return the entries of a subject, and of a verification its statements', whose records are gone."""
        link = statement_link.c.department == department, statement_link.c.verification == ref.partition(":")[2]
        with self._database.snapshot() as connection:
            number = connection.scalar(select(statement_link.c.receipt_number).where(*link))
            subjects = log_entry.c.subject.in_([ref, f"statement:{number}"])
            mine = ENTRIES.where(log_entry.c.department == department, subjects, record.c.idx.is_(None))
            return tuple(_buried(row) for row in connection.execute(mine.order_by(log_entry.c.log, log_entry.c.idx)))

    def held(self, department: str, entries: Collection[Buried]) -> set[Buried]:
        """Return those of the entries whose records this database holds."""
        named: dict[str, list[int]] = defaultdict(list)
        for entry in entries:
            named[entry.origin].append(entry.index)
        there = ENTRIES.where(log_entry.c.department == department, record.c.idx.is_not(None))
        found: set[Buried] = set()
        with self._database.read() as connection:
            for origin, indexes in named.items():
                for start in range(0, len(indexes), ASKED_AT_ONCE):
                    some = log_entry.c.idx.in_(indexes[start : start + ASKED_AT_ONCE])
                    rows = connection.execute(there.where(log_head.c.origin == origin, some))
                    found.update(_buried(row) for row in rows)
        return found & set(entries)

    def remaining(self, department: str, incident_id: str) -> list[str]:
        """Return the verifications of an incident that are still there."""
        mine = verification.c.department == department, verification.c.incident == incident_id
        with self._database.read() as connection:
            return list(connection.scalars(select(verification.c.id).where(*mine)))

    def forget(self) -> None:
        """Let the database overwrite what was deleted, in its journal too."""
        self._database.forget(record, event, idempotency, *(table for table, _ in FOUND_BY))


def destroy(connection: Connection, department: str, gone: Destruction) -> None:
    """Delete what an order names, in the transaction that records it; what is left says that it was there."""
    for log in {log for log, _ in gone.places}:
        indexes = [index for place, index in gone.places if place == log]
        for table in (record, event):
            gone_here = table.c.department == department, table.c.log == log, table.c.idx.in_(indexes)
            connection.execute(delete(table).where(*gone_here))
    connection.execute(
        update(idempotency)
        .where(idempotency.c.department == department, idempotency.c.subject == gone.subject)
        .values(NOTHING)
    )
    name = gone.subject.partition(":")[2]
    # An id is a UUID, so none is another subject's.
    for table, column in FOUND_BY:
        connection.execute(delete(table).where(table.c.department == department, column == name))
    if gone.statements:
        # The code still opens a page, which says that the statement was withdrawn.
        mine = statement_link.c.department == department, statement_link.c.verification == name
        connection.execute(update(statement_link).where(*mine).values(seq=0, pending=False))


def _places(connection: Connection, department: str, subject: str) -> tuple[Place, ...]:
    mine = log_entry.c.department == department, log_entry.c.subject == subject
    found = connection.execute(select(log_entry.c.log, log_entry.c.idx).where(*mine).order_by(log_entry.c.seq))
    return tuple((row.log, row.idx) for row in found)


def _buried(row: Any) -> Buried:
    return Buried(row.origin, row.idx, bytes(row.entry)[1:].hex())


def expunge_order_place(order: str) -> str:
    """Name an order's row to the vault."""
    return f"expunge_order/{order}"
