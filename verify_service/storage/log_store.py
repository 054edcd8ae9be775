"""Keep the logs: implements ``record_log.log.LogStore`` on SQLite and PostgreSQL."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, insert, select, update

from verify_service.errors import ConfigurationError
from verify_service.record_log.log import (
    Head,
    LogId,
    StoredCheckpoint,
    StoredRecord,
    StoredReply,
)
from verify_service.record_log.merkle import Peaks
from verify_service.record_log.tiles import TILE_WIDTH, level_zero, split_tile
from verify_service.storage.rows import insert_rows, sealed_of, sealed_row
from verify_service.storage.tables import (
    idempotency,
    log_checkpoint,
    log_entry,
    log_head,
    log_tile,
    record,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection, Table
    from sqlalchemy.sql.elements import ColumnElement

    from verify_service.record_log.log import Batch, Subject
    from verify_service.storage.case_store import CaseStore
    from verify_service.storage.database import Database


class LogTables:
    """The logs of one database."""

    def __init__(self, database: Database, cases: CaseStore) -> None:
        self._database = database
        self._cases = cases

    @contextmanager
    def hold_tail(self, log: LogId) -> Iterator[HeldTail]:
        """Yield the end of the log; see the port."""
        with self._database.write() as connection:
            # The head row is the lock on PostgreSQL; SQLite has one writer as a whole.
            row = connection.execute(_HEAD_FOR_UPDATE, _named(log)).one_or_none()
            if row is None:
                raise ConfigurationError(f"There is no log {log}: run `verify-service db upgrade`.")
            yield HeldTail(connection, log, _head(row), self._cases)

    def create(self, log: LogId, origin: str, checkpoint: StoredCheckpoint) -> None:
        """Create an empty log with its size-0 checkpoint."""
        named = {"department": log.department, "log": log.name}
        with self._database.write() as connection:
            connection.execute(insert(log_head), {**named, "origin": origin, "size": 0, "peaks": b"", "published": 0})
            connection.execute(insert(log_checkpoint), {**named, **_checkpoint_row(checkpoint)})

    def head(self, log: LogId) -> Head | None:
        """Return the end of the log, None where it does not exist."""
        with self._database.read() as connection:
            row = connection.execute(_HEAD, _named(log)).one_or_none()
        return None if row is None else _head(row)

    def entries(self, log: LogId, start: int, count: int) -> list[bytes]:
        """Return up to ``count`` entries from ``start``."""
        with self._database.read() as connection:
            return _entries(connection, log, start, count)

    def tile(self, log: LogId, level: int, index: int) -> bytes:
        """Return a tile's bytes as far as it has grown."""
        with self._database.read() as connection:
            return _tile(connection, log, level, index)

    def locate(self, department: str, subject: str, seq: int) -> tuple[LogId, int] | None:
        """Return the log and index of a subject's event."""
        with self._database.read() as connection:
            found = {"department_is": department, "subject_is": subject, "seq_is": seq}
            row = connection.execute(_LOCATE, found).one_or_none()
        return None if row is None else (LogId(department, row.log), row.idx)

    def records(self, log: LogId, start: int, count: int) -> list[StoredRecord]:
        """Return up to ``count`` rows from ``start``, in order."""
        with self._database.read() as connection:
            return read_records(connection, log, start, count)

    def checkpoint_covering(self, log: LogId, size: int, *, published: bool) -> StoredCheckpoint | None:
        """Return the first (published) checkpoint of at least ``size`` entries."""
        statement = _PUBLISHED_COVERING if published else _COVERING
        with self._database.read() as connection:
            row = connection.execute(statement, {**_named(log), "size_is": size}).one_or_none()
        return None if row is None else StoredCheckpoint(row.size, row.note, row.published_at)

    def checkpoints(self, log: LogId, *, published: bool) -> Iterator[StoredCheckpoint]:
        """Yield (published) checkpoints by size."""
        with self._database.snapshot() as connection:
            for row in connection.execute(_PUBLISHED_CHECKPOINTS if published else _CHECKPOINTS, _named(log)):
                yield StoredCheckpoint(row.size, row.note, row.published_at)


class HeldTail:
    """The end of one log while its transaction is open."""

    def __init__(self, connection: Connection, log: LogId, head: Head, cases: CaseStore) -> None:
        self._connection = connection
        self._log = log
        self._cases = cases
        self.head = head

    def replies(self, requests: Iterable[bytes]) -> dict[bytes, StoredReply]:
        """Return the kept replies among these request indexes."""
        found = {"department_is": self._log.department, "requests": list(requests)}
        return {
            row.request: StoredReply(row.fingerprint, sealed_of(row, "reply"), row.replied_at)
            for row in self._connection.execute(_REPLIES, found)
        }

    def subjects(self, refs: Iterable[str]) -> dict[str, Subject]:
        """Return every asked subject as it stands."""
        return self._cases.subjects(self._connection, self._log.department, refs)

    def entries(self, start: int, count: int) -> list[bytes]:
        """Return up to ``count`` entries from ``start``."""
        return _entries(self._connection, self._log, start, count)

    def tile(self, level: int, index: int) -> bytes:
        """Return a tile's bytes as far as it has grown."""
        return _tile(self._connection, self._log, level, index)

    def write(self, batch: Batch) -> None:
        """Write a batch in the open transaction."""
        named = {"department": self._log.department, "log": self._log.name}
        entries = [
            {**named, "idx": r.index, "entry": r.entry, "subject": r.logged.subject, "seq": r.logged.seq}
            for r in batch.rows
        ]
        insert_rows(self._connection, log_entry, entries)
        records = [{**named, "idx": r.index, **sealed_row(r.sealed, "sealed", "fields")} for r in batch.rows]
        insert_rows(self._connection, record, records)
        self._connection.execute(
            _ADVANCE,
            {
                **_named(self._log),
                "new_size": batch.head.size,
                "new_peaks": batch.head.peaks.pack(),
                "new_published": batch.head.published,
            },
        )
        self._write_checkpoint(named, batch.checkpoint)
        for level, index, content in batch.tiles:
            self._write_tile(named, level, index, content)
        replies = [
            {
                "department": self._log.department,
                "request": request,
                "fingerprint": reply.fingerprint,
                "replied_at": reply.replied_at,
                **sealed_row(reply.sealed, "reply"),
            }
            for request, reply in batch.replies
        ]
        insert_rows(self._connection, idempotency, replies)
        self._cases.project(self._connection, self._log, batch)

    def _write_checkpoint(self, named: dict[str, str], checkpoint: StoredCheckpoint) -> None:
        # A publication may need no cover entries; its size was signed before, with the same bytes.
        if checkpoint.published_at is not None:
            published = update(log_checkpoint).values(published_at=checkpoint.published_at)
            at = (*_of(log_checkpoint), log_checkpoint.c.size == checkpoint.size)
            if self._connection.execute(published.where(*at), _named(self._log)).rowcount:
                return
        self._connection.execute(insert(log_checkpoint), {**named, **_checkpoint_row(checkpoint)})

    def _write_tile(self, named: dict[str, str], level: int, index: int, content: bytes) -> None:
        at = (log_tile.c.level == level, log_tile.c.n == index)
        grown = self._connection.execute(
            update(log_tile).where(*_of(log_tile), *at).values(content=content), _named(self._log)
        )
        if grown.rowcount == 0:
            self._connection.execute(insert(log_tile), {**named, "level": level, "n": index, "content": content})


def read_records(connection: Connection, log: LogId, start: int, count: int) -> list[StoredRecord]:
    """Return up to ``count`` rows of a log from ``start``, on a connection of the caller's."""
    found = connection.execute(_RECORDS, {**_named(log), "start": start, "end": start + count})
    return [
        StoredRecord(
            row.idx,
            row.entry,
            row.subject,
            row.seq,
            None if row.sealed is None else sealed_of(row, "sealed", "fields"),
        )
        for row in found
    ]


def _entries(connection: Connection, log: LogId, start: int, count: int) -> list[bytes]:
    found = connection.execute(_ENTRIES, {**_named(log), "start": start, "end": start + count})
    return [bytes(row.entry) for row in found]


def read_stored_tile(connection: Connection, log: LogId, level: int, index: int) -> bytes | None:
    """Return a tile as stored, None where none is, on a connection of the caller's."""
    row = connection.execute(_TILE, {**_named(log), "level_is": level, "n_is": index}).one_or_none()
    return None if row is None else bytes(row.content)


def read_head(connection: Connection, log: LogId) -> Head:
    """Return the end of a log as it is stored, on a connection of the caller's, its peaks unjudged.

    Raises ConfigurationError where the log does not exist.
    """
    row = connection.execute(_HEAD, _named(log)).one_or_none()
    if row is None:
        raise ConfigurationError(f"There is no log {log}: run `verify-service db upgrade`.")
    return Head(row.origin, Peaks(row.size, tuple(split_tile(bytes(row.peaks)))), row.published)


def _tile(connection: Connection, log: LogId, level: int, index: int) -> bytes:
    stored = read_stored_tile(connection, log, level, index)
    if stored is not None:
        return stored
    if level:
        return b""
    return level_zero(_entries(connection, log, index * TILE_WIDTH, TILE_WIDTH))


def _head(row: Any) -> Head:
    return Head(row.origin, Peaks.unpack(row.size, row.peaks), row.published)


def _checkpoint_row(checkpoint: StoredCheckpoint) -> dict[str, Any]:
    return {"size": checkpoint.size, "note": checkpoint.note, "published_at": checkpoint.published_at}


def _named(log: LogId) -> dict[str, Any]:
    return {"department_is": log.department, "log_is": log.name}


def _of(table: Table) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.c.department == bindparam("department_is"), table.c.log == bindparam("log_is")


def _between(table: Table) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.c.idx >= bindparam("start"), table.c.idx < bindparam("end")


# Statements are made once: SQLAlchemy then finds their compiled form by identity.
_HEAD = select(log_head).where(*_of(log_head))
_HEAD_FOR_UPDATE = _HEAD.with_for_update()
_ADVANCE = (
    update(log_head)
    .where(*_of(log_head))
    .values(size=bindparam("new_size"), peaks=bindparam("new_peaks"), published=bindparam("new_published"))
)
_ENTRIES = select(log_entry.c.entry).where(*_of(log_entry), *_between(log_entry)).order_by(log_entry.c.idx)
_TILE = select(log_tile.c.content).where(
    *_of(log_tile), log_tile.c.level == bindparam("level_is"), log_tile.c.n == bindparam("n_is")
)
_LOCATE = select(log_entry.c.log, log_entry.c.idx).where(
    log_entry.c.department == bindparam("department_is"),
    log_entry.c.subject == bindparam("subject_is"),
    log_entry.c.seq == bindparam("seq_is"),
)
_RECORDS = (
    select(
        log_entry.c.idx,
        log_entry.c.entry,
        log_entry.c.subject,
        log_entry.c.seq,
        record.c.key_id,
        record.c.wrapped_key,
        record.c.sealed,
        record.c.fields,
    )
    .select_from(
        log_entry.outerjoin(
            record,
            and_(
                record.c.department == log_entry.c.department,
                record.c.log == log_entry.c.log,
                record.c.idx == log_entry.c.idx,
            ),
        )
    )
    .where(*_of(log_entry), *_between(log_entry))
    .order_by(log_entry.c.idx)
)
_CHECKPOINTS = select(log_checkpoint).where(*_of(log_checkpoint)).order_by(log_checkpoint.c.size)
_PUBLISHED_CHECKPOINTS = _CHECKPOINTS.where(log_checkpoint.c.published_at.is_not(None))
_COVERING = _CHECKPOINTS.where(log_checkpoint.c.size >= bindparam("size_is")).limit(1)
_PUBLISHED_COVERING = _PUBLISHED_CHECKPOINTS.where(log_checkpoint.c.size >= bindparam("size_is")).limit(1)
_REPLIES = select(idempotency).where(
    idempotency.c.department == bindparam("department_is"),
    idempotency.c.request.in_(bindparam("requests", expanding=True)),
)
