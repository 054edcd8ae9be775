"""Keep orders to expunge, and destroy what they name: implements ``verification.expunge.ExpungeOrders``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from sqlalchemy import delete, select, update

from verify_service.storage.prepared import Insertion
from verify_service.storage.rows import sealed_of, sealed_row
from verify_service.storage.tables import (
    event,
    expunge_order,
    idempotency,
    incident,
    incident_officer,
    log_entry,
    record,
    search_key,
    statement_link,
    verification,
)
from verify_service.verification.expunge import ExpungeOrder, Standing

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from verify_service.storage.database import Database
    from verify_service.vault import Vault
    from verify_service.verification.expunge import Destruction, Place

PUT_ORDER = Insertion(expunge_order, "key_id", "wrapped_key", "content")
READ_MODELS = {"verification": verification, "incident": incident}
# Every row by which a subject is found or read but its events.
FOUND_BY = (
    (verification, verification.c.id),
    (search_key, search_key.c.verification),
    (incident, incident.c.id),
    (incident_officer, incident_officer.c.incident),
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


def expunge_order_place(order: str) -> str:
    """Name an order's row to the vault."""
    return f"expunge_order/{order}"
