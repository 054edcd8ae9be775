"""Keep the logs: implements ``record_log.log.LogStore`` on SQLite and PostgreSQL."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from verify_service.errors import ConfigurationError, LogRefused
from verify_service.record_log.log import Head, LogId, StoredCheckpoint, StoredRecord, StoredReply
from verify_service.record_log.merkle import Peaks
from verify_service.record_log.tiles import TILE_WIDTH, level_zero, split_tile
from verify_service.storage import log_statements as sql
from verify_service.storage.database import together
from verify_service.storage.prepared import numbered, room_for
from verify_service.storage.proof_store import spend
from verify_service.storage.rows import sealed_of, sealed_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection

    from verify_service.record_log.append import SpentProof
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
            yield HeldTail(connection, log, _newest(connection, log), self._cases)

    def create(self, log: LogId, origin: str, checkpoint: StoredCheckpoint) -> None:
        """Create an empty log with its size-0 checkpoint."""
        with self._database.write() as connection:
            _create(connection, log, Head(origin), checkpoint)

    @contextmanager
    def succeed(self, old: LogId, origin: str, checkpoint: StoredCheckpoint) -> Iterator[HeldTail]:
        """Close a log for good and yield the tail of its new successor; see the port."""
        new = old.successor
        with self._database.write() as connection:
            closed = _newest(connection, old)
            sql.CLOSE.run(connection, {**sql.named(old), "successor_is": new.name})
            head = Head(origin, before=closed.before + closed.size)
            _create(connection, new, head, checkpoint)
            yield HeldTail(connection, new, head, self._cases)

    def names(self, department: str) -> list[str]:
        """Return the names of a department's logs, in order."""
        with self._database.read() as connection:
            return [row.log for row in sql.NAMES.all(connection, {"department_is": department})]

    def head(self, log: LogId) -> Head | None:
        """Return the end of the log, None where it does not exist."""
        with self._database.read() as connection:
            row = sql.HEAD.one(connection, sql.named(log))
        return None if row is None else _head(row)

    def entries(self, log: LogId, start: int, count: int) -> list[bytes]:
        """Return up to ``count`` entries from ``start``."""
        with self._database.read() as connection:
            return _entries(connection, log, start, count)

    def tile(self, log: LogId, level: int, index: int) -> bytes:
        """Return a tile's bytes as far as it has grown."""
        with self._database.read() as connection:
            return _tile(connection, log, level, index)

    def subjects(self, log: LogId, refs: Iterable[str]) -> dict[str, Subject]:
        """Return subjects as they stand at some moment."""
        with self._database.read() as connection:
            return self._cases.subjects(connection, log.department, refs)

    def locate(self, department: str, subject: str, seq: int) -> tuple[LogId, int] | None:
        """Return the log and index of a subject's event."""
        found = {"department_is": department, "subject_is": subject, "seq_is": seq}
        with self._database.read() as connection:
            row = sql.LOCATE.one(connection, found)
        return None if row is None else (LogId(department, row.log), row.idx)

    def records(self, log: LogId, start: int, count: int) -> list[StoredRecord]:
        """Return up to ``count`` rows from ``start``, in order."""
        with self._database.read() as connection:
            return read_records(connection, log, start, count)

    def checkpoint_covering(self, log: LogId, size: int, *, published: bool) -> StoredCheckpoint | None:
        """Return the first (published) checkpoint of at least ``size`` entries."""
        with self._database.read() as connection:
            row = sql.COVERING[published].one(connection, {**sql.named(log), "size_is": size})
        return None if row is None else _checkpoint(row)

    def witnessed_covering(self, log: LogId, size: int) -> StoredCheckpoint | None:
        """Return the first witnessed checkpoint of at least ``size`` entries."""
        with self._database.read() as connection:
            row = sql.WITNESSED.one(connection, {**sql.named(log), "size_is": size})
        return None if row is None else _checkpoint(row)

    def checkpoints(self, log: LogId, *, published: bool) -> Iterator[StoredCheckpoint]:
        """Yield (published) checkpoints by size."""
        with self._database.read() as connection:
            rows = sql.CHECKPOINTS[published].all(connection, sql.named(log))
        yield from map(_checkpoint, rows)


class HeldTail:
    """The end of one log while its transaction is open."""

    def __init__(self, connection: Connection, log: LogId, head: Head, cases: CaseStore) -> None:
        self._connection = connection
        self._log = log
        self._cases = cases
        self.head = head

    def replies(self, requests: Iterable[bytes]) -> dict[bytes, StoredReply]:
        """Return the kept replies among these request indexes."""
        asked = list(requests)
        found = {"department_is": self._log.department, **numbered(asked)}
        return {
            row.request: StoredReply(
                row.fingerprint, sealed_of(row, "reply") if row.wrapped_key else None, row.replied_at, row.subject
            )
            for row in sql.replies(room_for(len(asked))).all(self._connection, found)
        }

    def spend(self, proofs: Iterable[SpentProof]) -> set[bytes]:
        """Spend proofs in the open transaction; return the marks of those that were not spent before."""
        return spend(self._connection, self._log.department, proofs)

    def subjects(self, refs: Iterable[str]) -> dict[str, Subject]:
        """Return every asked subject as it stands."""
        return self._cases.subjects(self._connection, self._log.department, refs)

    def entries(self, start: int, count: int) -> list[bytes]:
        """Return up to ``count`` entries from ``start``."""
        return _entries(self._connection, self._log, start, count)

    def tile(self, level: int, index: int) -> bytes:
        """Return a tile's bytes as far as it has grown."""
        return _tile(self._connection, self._log, level, index)

    def sign_with(self, key_ids: Sequence[str]) -> None:
        """Name the keys that sign from here on, in the open transaction."""
        sql.SIGN_WITH.run(self._connection, {**sql.named(self._log), "key_ids_are": " ".join(key_ids)})

    def write(self, batch: Batch) -> None:
        """Write a batch in the open transaction."""
        with together(self._connection):
            self._write(batch)
            self._cases.project(self._connection, self._log, batch)

    def _write(self, batch: Batch) -> None:
        connection, names = self._connection, _columns(self._log)
        entries = [
            {**names, "idx": r.index, "entry": r.entry, "subject": r.logged.subject, "seq": r.logged.seq}
            for r in batch.rows
        ]
        sql.ADD_ENTRIES.run(connection, entries)
        records = [{**names, "idx": r.index, **sealed_row(r.sealed, "sealed", "fields")} for r in batch.rows]
        sql.ADD_RECORDS.run(connection, records)
        head = {
            "new_size": batch.head.size,
            "new_peaks": batch.head.peaks.pack(),
            "new_published": batch.head.published,
        }
        sql.ADVANCE.run(connection, {**sql.named(self._log), **head})
        sql.ADD_CHECKPOINT.run(connection, [{**names, **vars(batch.checkpoint)}])
        tiles = [{**names, "level": level, "n": n, "content": content} for level, n, content in batch.tiles]
        sql.PUT_TILES.run(connection, tiles)
        replies = [
            {
                "department": self._log.department,
                "request": request,
                "fingerprint": reply.fingerprint,
                "replied_at": reply.replied_at,
                "subject": reply.subject,
                **sealed_row(reply.sealed, "reply"),
            }
            for request, reply in batch.replies
            if reply.sealed is not None
        ]
        sql.ADD_REPLIES.run(connection, replies)


def read_records(connection: Connection, log: LogId, start: int, count: int) -> list[StoredRecord]:
    """Return up to ``count`` rows of a log from ``start``, on a connection of the caller's."""
    asked = {**sql.named(log), "start": start, "end": start + count}
    # The entries come first: what they name is there a moment later too, unless it was expunged meanwhile.
    entries = sql.ENTRIES.all(connection, asked)
    sealed = {row.idx: sealed_of(row, "sealed", "fields") for row in sql.RECORDS.all(connection, asked)}
    return [StoredRecord(row.idx, row.entry, row.subject, row.seq, sealed.get(row.idx)) for row in entries]


def read_stored_tile(connection: Connection, log: LogId, level: int, index: int) -> bytes | None:
    """Return a tile as stored, None where none is, on a connection of the caller's."""
    row = sql.TILE.one(connection, {**sql.named(log), "level_is": level, "n_is": index})
    return None if row is None else bytes(row.content)


def read_head(connection: Connection, log: LogId) -> Head:
    """Return the end of a log as it is stored, on a connection of the caller's, its peaks unjudged.

    Raises ConfigurationError where the log does not exist.
    """
    row = sql.HEAD.one(connection, sql.named(log))
    if row is None:
        raise _no_such(log)
    return _head_of(row, Peaks(row.size, tuple(split_tile(row.peaks))))


def _newest(connection: Connection, log: LogId) -> Head:
    """Return the end of a log that may be appended to, locked until the transaction ends.

    The head row is the lock on PostgreSQL; SQLite has one writer as a whole.
    """
    row = sql.HEAD_FOR_UPDATE.one(connection, sql.named(log))
    if row is None:
        raise _no_such(log)
    if row.successor is not None:
        raise LogRefused(f"The log {log} is closed; {row.successor} goes on for it: restart the service.")
    return _head(row)


def _create(connection: Connection, log: LogId, head: Head, checkpoint: StoredCheckpoint) -> None:
    names = _columns(log)
    sizes = {"size": 0, "peaks": b"", "published": 0, "before": head.before, "successor": None, "key_ids": None}
    sql.ADD_HEAD.run(connection, [{**names, "origin": head.origin, **sizes}])
    sql.ADD_CHECKPOINT.run(connection, [{**names, **vars(checkpoint)}])


def _entries(connection: Connection, log: LogId, start: int, count: int) -> list[bytes]:
    found = sql.ENTRIES.all(connection, {**sql.named(log), "start": start, "end": start + count})
    return [row.entry for row in found]


def _tile(connection: Connection, log: LogId, level: int, index: int) -> bytes:
    stored = read_stored_tile(connection, log, level, index)
    if stored is not None:
        return stored
    return b"" if level else level_zero(_entries(connection, log, index * TILE_WIDTH, TILE_WIDTH))


def _head(row: Any) -> Head:
    return _head_of(row, Peaks.unpack(row.size, row.peaks))


def _head_of(row: Any, peaks: Peaks) -> Head:
    return Head(row.origin, peaks, row.published, row.before, row.successor, tuple((row.key_ids or "").split()))


def _checkpoint(row: Any) -> StoredCheckpoint:
    return StoredCheckpoint(row.size, row.note, row.published_at, row.witnessed)


def _columns(log: LogId) -> dict[str, str]:
    return {"department": log.department, "log": log.name}


def _no_such(log: LogId) -> ConfigurationError:
    return ConfigurationError(f"There is no log {log}: run `verify-service db upgrade`.")
