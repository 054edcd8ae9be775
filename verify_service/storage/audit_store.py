"""Hold one moment of the database for an audit: implements ``evidence.audit.AuditSource``."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, tuple_

from verify_service.evidence.audit import ReadModel
from verify_service.record_log.audit import LogSnapshot
from verify_service.record_log.cosignature_audit import KeptCosignature
from verify_service.record_log.log import LogId, StoredCheckpoint
from verify_service.record_log.proposal import record_place
from verify_service.record_log.record import NONCE_BYTES, parse_record
from verify_service.storage.log_store import read_head, read_records, read_stored_tile
from verify_service.storage.tables import (
    access_trail,
    event,
    incident,
    log_checkpoint,
    log_cosignature,
    log_entry,
    op_code_activation,
    statement_link,
    verification,
)
from verify_service.vault import SealBroken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy import Column, Connection, Table
    from sqlalchemy.sql.elements import ColumnElement

    from verify_service.record_log.record import Logged
    from verify_service.record_log.trust import TrustPolicy
    from verify_service.storage.case_store import CaseStore
    from verify_service.storage.database import Database
    from verify_service.storage.registry_store import RegistryStore
    from verify_service.vault import Vault
    from verify_service.verification.case import Case
    from verify_service.verification.incident import Incident

FETCHED_AT_ONCE = 2000


class AuditTables:
    """The database as an audit reads it; ``policies`` gives the keys of each log."""

    def __init__(
        self,
        database: Database,
        cases: CaseStore,
        registry: RegistryStore,
        vault: Vault,
        policies: Mapping[LogId, TrustPolicy],
    ) -> None:
        self._database = database
        self._cases = cases
        self._registry = registry
        self._vault = vault
        self._policies = policies

    @contextmanager
    def moment(self) -> Iterator[HeldMoment]:
        """Hold one moment of the database."""
        with self._database.snapshot() as connection:
            yield HeldMoment(connection, self._cases, self._registry, self._vault, self._policies)


class HeldMoment:
    """Everything an audit asks, answered from one snapshot."""

    def __init__(
        self,
        connection: Connection,
        cases: CaseStore,
        registry: RegistryStore,
        vault: Vault,
        policies: Mapping[LogId, TrustPolicy],
    ) -> None:
        self._connection = connection
        self._cases = cases
        self._registry = registry
        self._vault = vault
        self._policies = policies

    def logs(self) -> Sequence[tuple[LogSnapshot, TrustPolicy]]:
        """Return every log with the keys to check it by."""
        return [(self._log(log), policy) for log, policy in self._policies.items()]

    def earlier(self, department: str, subject: str, seq: int) -> list[Logged]:
        """Return a subject's records before ``seq`` that can be opened."""
        found = self._connection.execute(
            select(log_entry.c.log, log_entry.c.idx)
            .where(log_entry.c.department == department, log_entry.c.subject == subject, log_entry.c.seq < seq)
            .order_by(log_entry.c.seq)
        )
        records = []
        for name, index in found.all():
            log = LogId(department, name)
            for row in read_records(self._connection, log, index, 1):
                if row.sealed is not None:
                    content, _ = self._vault.open(department, record_place(log, row.entry), row.sealed)
                    records.append(parse_record(content[NONCE_BYTES:]))
        return records

    def read_models(self, department: str) -> Iterator[ReadModel]:
        """Yield every verification, incident and statement link."""
        for row in self._pages(verification, verification.c.id, department):
            yield self._read_model(self._cases.case, department, "verification", row)
        for row in self._pages(incident, incident.c.id, department):
            yield self._read_model(self._cases.incident, department, "incident", row)
        for row in self._pages(statement_link, statement_link.c.verification, department):
            yield ReadModel(f"statement:{row.receipt_number}", row.seq, None, columns_agree=True)

    def events(self, department: str, log: str) -> Iterator[tuple[int, str, str]]:
        """Yield (index, kind, received_at) of the event read model by index."""
        for row in self._pages(event, event.c.idx, department, event.c.log == log):
            yield row.idx, row.kind, row.received_at

    def trail(self, department: str, log: str) -> Iterator[tuple[bytes, int, int]]:
        """Yield (about, cursor, index) of every row by which events of an access log are found."""
        table = access_trail
        key = tuple_(table.c.about, table.c.cursor)
        mine = select(table).where(table.c.department == department, table.c.log == log)
        page = mine
        while rows := self._connection.execute(page.order_by(*key.clauses).limit(FETCHED_AT_ONCE)).all():
            yield from ((bytes(row.about), row.cursor, row.idx) for row in rows)
            page = mine.where(key > tuple_(rows[-1].about, rows[-1].cursor))

    def activations(self, department: str) -> Iterator[tuple[bytes, str]]:
        """Yield (code, until) of every operation code that is or was active."""
        for row in self._pages(op_code_activation, op_code_activation.c.code, department):
            yield bytes(row.code), row.until

    def registry_digests(self, department: str) -> set[str]:
        """Return the digests of every registry file and roster that is kept."""
        return self._registry.digests(self._connection, department)

    def registry_faults(self, department: str) -> Iterator[str]:
        """Yield a sentence for each kept registry file or roster that is not what its digest says."""
        yield from self._registry.faults(self._connection, department)

    def _read_model(
        self, open_state: Callable[[str, Any], Case | Incident], department: str, form: str, row: Any
    ) -> ReadModel:
        ref = f"{form}:{row.id}"
        try:
            state = open_state(department, row)
            agree = self._cases.agrees(department, row, state)
        except (SealBroken, LookupError, TypeError, ValueError):
            return ReadModel(ref, row.seq, None, columns_agree=False)
        return ReadModel(ref, row.seq, state, agree)

    def _log(self, log: LogId) -> LogSnapshot:
        connection = self._connection
        return LogSnapshot(
            log=log,
            head=read_head(connection, log),
            checkpoints=self._checkpoints(log),
            rows=lambda start, count: read_records(connection, log, start, count),
            stored_tile=lambda level, index: read_stored_tile(connection, log, level, index) or b"",
            cosignatures=self._cosignatures(log),
        )

    def _checkpoints(self, log: LogId) -> Iterator[StoredCheckpoint]:
        table = log_checkpoint
        for row in self._pages(table, table.c.size, log.department, table.c.log == log.name):
            yield StoredCheckpoint(row.size, row.note, row.published_at, row.witnessed)

    def _cosignatures(self, log: LogId) -> Iterator[KeptCosignature]:
        table = log_cosignature.c
        mine = select(log_cosignature).where(table.department == log.department, table.log == log.name)
        page = mine = mine.order_by(table.size, table.vkey).limit(FETCHED_AT_ONCE)
        while rows := self._connection.execute(page).all():
            yield from (KeptCosignature(row.size, row.vkey, row.line) for row in rows)
            page = mine.where(tuple_(table.size, table.vkey) > (rows[-1].size, rows[-1].vkey))

    def _pages(
        self, table: Table, key: Column[Any], department: str, *conditions: ColumnElement[bool]
    ) -> Iterator[Any]:
        """Yield a table's rows by key, a page at a time: the whole of it would not fit in memory."""
        statement = select(table).where(table.c.department == department, *conditions).order_by(key)
        last = None
        while True:
            page = statement if last is None else statement.where(key > last)
            rows = self._connection.execute(page.limit(FETCHED_AT_ONCE)).all()
            yield from rows
            if len(rows) < FETCHED_AT_ONCE:
                return
            last = getattr(rows[-1], key.name)
