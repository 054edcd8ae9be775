"""Keep the read models and links: what subjects stand at, projected from records in the records' own transaction."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import bindparam, delete, select, update

from verify_service.record_log.log import Subject
from verify_service.record_log.record import Record
from verify_service.storage.access_rows import put_trail
from verify_service.storage.expunge_store import destroy
from verify_service.storage.prepared import (
    Insertion,
    Prepared,
    among,
    numbered,
    room_for,
    selected,
)
from verify_service.storage.rows import sealed_of, sealed_row
from verify_service.storage.tables import (
    event,
    incident,
    incident_officer,
    op_code_activation,
    requester_code,
    search_key,
    statement_link,
    verification,
)
from verify_service.verification.activation import Activation
from verify_service.verification.case import Case, case_document, case_from_document
from verify_service.verification.destruction import Destruction
from verify_service.verification.incident import Incident, incident_document, incident_from_document
from verify_service.verification.statement import FurtherCode, StatementLink
from verify_service.verification.submission import SearchKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection, Table

    from verify_service.record_log.log import Batch, LogId
    from verify_service.vault import Vault

# Where a subject is found by each form of its name.
NAMES = {
    "verification": (verification, "id"),
    "incident": (incident, "id"),
    "incident-number": (incident, "number"),
    "statement": (statement_link, "receipt_number"),
    "statement-of": (statement_link, "verification"),
}
ADD_EVENTS = Insertion(event)
ADD_VERIFICATIONS = Insertion(verification)
ADD_INCIDENTS = Insertion(incident)
ADD_OFFICERS = Insertion(incident_officer, missing=True)
# A correction may name a number that was named before.
ADD_SEARCH_KEYS = Insertion(search_key, missing=True)
PUT_ACTIVATIONS = Insertion(op_code_activation, "until")
ADD_CODES = Insertion(requester_code)
PUT_LINKS = Insertion(statement_link, "pending", "seq")


def _change(table: Table) -> Prepared:
    """Return the statement that puts a subject where it stands now; only where it began stays as it was."""
    asked = {column.name: bindparam(f"{column.name}_is", type_=column.type) for column in table.c}
    changing = {name: asked[name] for name in asked if name not in {"department", "id", "opened_idx"}}
    at = (table.c.department == asked["department"], table.c.id == asked["id"])
    return selected(update(table).where(*at).values(changing))


CHANGE = {table: _change(table) for table in (verification, incident)}


class CaseStore:
    """The verifications, incidents and statement links of one database."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def subjects(self, connection: Connection, department: str, refs: Iterable[str]) -> dict[str, Subject]:
        """Return every asked subject, one without events with ``seq`` 0 and no state."""
        names: dict[str, list[str]] = defaultdict(list)
        found = {ref: Subject(ref) for ref in refs}
        for ref in found:
            form, _, name = ref.partition(":")
            names[form].append(name)
        for form, wanted in names.items():
            asked = {"department_is": department, **numbered(wanted)}
            for row in _by_name(form, room_for(len(wanted))).all(connection, asked):
                found[f"{form}:{row.name}"] = self.subject(department, form, row)
        return found

    def case(self, department: str, row: Any) -> Case:
        """Open a verification's state."""
        return case_from_document(self._open(department, f"verification/{row.id}", row))

    def incident(self, department: str, row: Any) -> Incident:
        """Open an incident's state."""
        return incident_from_document(self._open(department, f"incident/{row.id}", row))

    def officer(self, department: str, serial: str) -> bytes:
        """Return the blind index under which an officer's serial stands."""
        return self._vault.index(department, "officer", serial)

    def agrees(self, department: str, row: Any, state: Case | Incident) -> bool:
        """Tell whether what a row is searched by is what its state says."""
        clear = self._clear(department, state)
        return all(getattr(row, name) == value for name, value in clear.items())

    def project(self, connection: Connection, log: LogId, batch: Batch) -> None:
        """Write the read models of a batch: its events, what they are found by, its links, the subjects it changed."""
        first = {row.logged.subject: batch.head.before + row.index for row in batch.rows if row.logged.seq == 0}
        ADD_EVENTS.run(
            connection,
            [
                {
                    "department": log.department,
                    "log": log.name,
                    "idx": row.index,
                    "kind": row.logged.kind,
                    "received_at": row.logged.received_at,
                }
                for row in batch.rows
                if isinstance(row.logged, Record) and row.logged.subject is not None
            ],
        )
        put_trail(connection, self._vault, log, batch.head.before, [(row.index, row.logged) for row in batch.rows])
        self._link(connection, log.department, batch)
        self.put(connection, log.department, batch.subjects, first)

    def put(
        self, connection: Connection, department: str, subjects: Iterable[Subject], first: Mapping[str | None, int]
    ) -> None:
        """Write where subjects stand.

        ``first`` gives the place of the first event of each that is new, counted across the logs of a series.
        """
        new: dict[Table, list[dict[str, Any]]] = {verification: [], incident: []}
        assigned = []
        for subject in subjects:
            if not isinstance(subject.state, Case | Incident):
                continue
            table = verification if isinstance(subject.state, Case) else incident
            row = {"department": department, **self._row(department, subject)}
            if subject.ref not in first:
                CHANGE[table].run(connection, {f"{name}_is": value for name, value in row.items()})
            else:
                new[table].append(row | ({"opened_idx": first[subject.ref]} if table is verification else {}))
            if isinstance(subject.state, Incident):
                named = {"department": department, "incident": subject.state.id}
                assigned += [{**named, "officer": self.officer(department, s)} for s in subject.state.assigned]
        ADD_VERIFICATIONS.run(connection, new[verification])
        ADD_INCIDENTS.run(connection, new[incident])
        ADD_OFFICERS.run(connection, assigned)

    def _row(self, department: str, subject: Subject) -> dict[str, Any]:
        state = subject.state
        if isinstance(state, Case):
            sealed = self._seal(department, f"verification/{state.id}", case_document(state))
        else:
            sealed = self._seal(department, f"incident/{state.id}", incident_document(state))
        return {"seq": subject.seq, "prev": subject.prev} | self._clear(department, state) | sealed

    def _clear(self, department: str, state: Case | Incident) -> dict[str, Any]:
        """Return the columns that a subject is searched by."""
        if isinstance(state, Incident):
            return {"id": state.id, "number": state.number, "command": state.command}
        return {
            "id": state.id,
            "incident": state.incident,
            "opened_at": state.opened_at,
            "officer": self.officer(department, state.opened_by),
            "command": state.command,
            "agency": state.agency,
            "outcome": state.outcome,
            "case_sealed": state.sealed,
        }

    def _link(self, connection: Connection, department: str, batch: Batch) -> None:
        links = [subject for subject in batch.subjects if isinstance(subject.state, StatementLink)]
        rows = [{"department": department, **vars(link.state), "seq": link.seq} for link in links]
        PUT_LINKS.run(connection, rows)
        keys = {(key.verification, key.index) for key in batch.links if isinstance(key, SearchKey)}
        named = [{"department": department, "verification": v, "identifier": i} for v, i in sorted(keys)]
        ADD_SEARCH_KEYS.run(connection, named)
        for link in batch.links:
            if isinstance(link, Destruction):
                destroy(connection, department, link)
            if isinstance(link, FurtherCode):
                _add_code(connection, department, link)
        # In the order of the batch, so that of one code the last activation stands.
        for link in batch.links:
            if isinstance(link, Activation):
                PUT_ACTIVATIONS.run(connection, [{"department": department, "code": link.code, "until": link.until}])

    def subject(self, department: str, form: str, row: Any) -> Subject:
        """Open the subject of a row of the table that ``NAMES`` gives for its form."""
        if form == "verification":
            return Subject(f"verification:{row.id}", row.seq, row.prev, self.case(department, row))
        if form.startswith("incident"):
            return Subject(f"incident:{row.id}", row.seq, row.prev, self.incident(department, row))
        link = StatementLink(row.verification, row.receipt_number, row.code_sha256, bool(row.pending))
        return Subject(link.ref, row.seq, None, link)

    def _seal(self, department: str, place: str, document: dict[str, Any]) -> dict[str, Any]:
        return sealed_row(self._vault.seal(department, place, (orjson.dumps(document),)), "state")

    def _open(self, department: str, place: str, row: Any) -> dict[str, Any]:
        state: dict[str, Any] = orjson.loads(self._vault.open(department, place, sealed_of(row, "state"))[0])
        return state


def _add_code(connection: Connection, department: str, code: FurtherCode) -> None:
    of, link = requester_code.c, statement_link.c
    if not code.ends_earlier:
        row = {"department": department, "code_sha256": code.code_sha256, "verification": code.verification}
        ADD_CODES.run(connection, [row])
        return
    connection.execute(delete(requester_code).where(of.department == department, of.verification == code.verification))
    connection.execute(
        update(statement_link)
        .where(link.department == department, link.verification == code.verification)
        .values(code_sha256=code.code_sha256)
    )


@lru_cache
def _by_name(form: str, count: int) -> Prepared:
    """Return the statement that finds subjects by ``count`` names of a form."""
    table, column = NAMES[form]
    conditions = (table.c.department == bindparam("department_is"), among(table.c[column], count))
    return selected(select(table, table.c[column].label("name")).where(*conditions))
