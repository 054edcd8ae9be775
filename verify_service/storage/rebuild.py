"""Make the read models anew from the records: what a subject stands at, its events, what it is found by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from verify_service.errors import EvidenceFault
from verify_service.record_log.log import Subject
from verify_service.record_log.proposal import record_place
from verify_service.record_log.record import NONCE_BYTES, Record, parse_record, unpack_fields
from verify_service.storage.access_rows import put_trail
from verify_service.storage.case_store import ADD_EVENTS, ADD_SEARCH_KEYS, PUT_ACTIVATIONS
from verify_service.storage.log_store import read_records
from verify_service.storage.tables import (
    access_trail,
    event,
    incident,
    incident_officer,
    log_entry,
    log_head,
    op_code_activation,
    search_key,
    verification,
)
from verify_service.verification.activation import OP_CODE_ACTIVATED, activation_of
from verify_service.verification.desk import IDENTIFIER_INDEX
from verify_service.verification.event import said
from verify_service.verification.projection import CaseProjection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Select

    from verify_service.record_log.log import LogId
    from verify_service.record_log.record import SealedField
    from verify_service.storage.case_store import CaseStore
    from verify_service.storage.database import Database
    from verify_service.vault import Vault

READ_MODELS = (verification, incident, incident_officer, event, search_key, op_code_activation, access_trail)
RECORDS_AT_ONCE = 1000
SUBJECTS_AT_ONCE = 500
FORMS = ("verification:%", "incident:%")


class Rebuild:
    """The read models of one department's records."""

    def __init__(self, database: Database, cases: CaseStore, vault: Vault) -> None:
        self._database = database
        self._cases = cases
        self._vault = vault
        self._projection = CaseProjection()
        self._before: dict[str, int] = {}

    def run(self, log: LogId, progress: Callable[[int, int], None] = lambda *_: None) -> int:
        """Delete the read models and write them anew, in one transaction; return the number of subjects.

        The link of a verification to its statements is no read model: no record holds it, so it is left as it is.
        Raises SealBroken, ValueError or EvidenceFault where a record does not open: run an audit then.
        """
        with self._database.write() as connection:
            for table in READ_MODELS:
                connection.execute(delete(table).where(table.c.department == log.department))
            self._before = {row.log: row.before for row in connection.execute(_heads(log.department))}
            whole = self._subjects(connection, log)
            for done, ref in enumerate(whole):
                progress(done, len(whole))
                self._write(connection, log, ref)
            for own in (type(log)(log.department, name) for name in self._before):
                if own.series == log.series:
                    self._activate(connection, own)
                else:
                    self._trail(connection, own)
            progress(len(whole), len(whole))
        return len(whole)

    def _activate(self, connection: Connection, log: LogId) -> None:
        """Write until when operation codes are active, which records without a subject say."""
        start = 0
        while rows := read_records(connection, log, start, RECORDS_AT_ONCE):
            start = rows[-1].index + 1
            for row in rows:
                if row.subject is not None or row.sealed is None:
                    continue
                content, fields = self._vault.open(log.department, record_place(log, row.entry), row.sealed)
                record = parse_record(content[NONCE_BYTES:])
                if isinstance(record, Record) and record.kind == OP_CODE_ACTIVATED:
                    made = activation_of(record, unpack_fields(fields), self._vault)
                    if made is not None:
                        values = {"department": log.department, "code": made.code, "until": made.until}
                        PUT_ACTIVATIONS.run(connection, [values])

    def _trail(self, connection: Connection, log: LogId) -> None:
        """Write by what access events are found."""
        start = 0
        while rows := read_records(connection, log, start, RECORDS_AT_ONCE):
            start = rows[-1].index + 1
            opened = [
                (row.index, self._vault.open(log.department, record_place(log, row.entry), row.sealed)[0])
                for row in rows
                if row.sealed is not None
            ]
            events = [(place, parse_record(content[NONCE_BYTES:])) for place, content in opened]
            put_trail(connection, self._vault, log, self._before[log.name], events)

    def _subjects(self, connection: Connection, log: LogId) -> list[str]:
        first = select(log_entry.c.subject).where(log_entry.c.department == log.department, log_entry.c.seq == 0)
        named = first.where(log_entry.c.subject.like(FORMS[0]) | log_entry.c.subject.like(FORMS[1]))
        return list(connection.scalars(named.order_by(log_entry.c.log, log_entry.c.idx)))

    def _write(self, connection: Connection, log: LogId, ref: str) -> None:
        subject, first, rows, identifiers = Subject(ref), 0, [], []
        for own, index, entry, record, fields in self._records(connection, log, ref):
            first = self._before[own.name] + index if subject.seq == 0 else first
            state = None if record is None else self._projection.fold(subject.state, record)
            subject = Subject(ref, subject.seq + 1, entry[1:].hex(), state)
            if record is not None:
                rows.append(_event(own, index, record))
                identifiers += self._identifiers(log.department, ref, record, fields)
        ADD_EVENTS.run(connection, rows)
        if subject.state is not None:
            self._cases.put(connection, log.department, [subject], {ref: first})
            ADD_SEARCH_KEYS.run(connection, identifiers)

    def _records(
        self, connection: Connection, log: LogId, ref: str
    ) -> Iterator[tuple[LogId, int, bytes, Record | None, dict[str, SealedField]]]:
        """Yield log, index, entry, record and fields of a subject's events in order; no record where it is gone."""
        places = select(log_entry.c.log, log_entry.c.idx).where(
            log_entry.c.department == log.department, log_entry.c.subject == ref
        )
        for name, index in connection.execute(places.order_by(log_entry.c.seq)).all():
            own = type(log)(log.department, name)
            (row,) = read_records(connection, own, index, 1)
            if row.sealed is None:
                yield own, index, row.entry, None, {}
                continue
            content, fields = self._vault.open(log.department, record_place(own, row.entry), row.sealed)
            record = parse_record(content[NONCE_BYTES:])
            if not isinstance(record, Record):
                raise EvidenceFault(f"The record at {index} is no event of {ref}: run an audit.")
            yield own, index, row.entry, record, unpack_fields(fields)

    def _identifiers(
        self, department: str, ref: str, record: Record, fields: dict[str, SealedField]
    ) -> list[dict[str, object]]:
        content = record.facts["facts"] if record.kind == "corrected" else record.facts
        given = said(content, "told_by_agent").get("identifier")
        field = None if given is None else fields.get(given["canonical"])
        if field is None:
            return []
        index = self._vault.index(department, IDENTIFIER_INDEX, str(field.value))
        return [{"department": department, "verification": ref.partition(":")[2], "identifier": index}]


def _heads(department: str) -> Select[tuple[str, int]]:
    return (
        select(log_head.c.log, log_head.c.before).where(log_head.c.department == department).order_by(log_head.c.before)
    )


def _event(log: LogId, index: int, record: Record) -> dict[str, object]:
    return {
        "department": log.department,
        "log": log.name,
        "idx": index,
        "kind": record.kind,
        "received_at": record.received_at,
    }
