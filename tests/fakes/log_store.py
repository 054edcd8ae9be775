"""A log store in memory that asserts the port's contract as it is used."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import replace

from verify_service.errors import LogRefused
from verify_service.record_log.log import Head, LogId, StoredRecord, Subject
from verify_service.record_log.tiles import TILE_WIDTH, level_zero
from verify_service.verification.activation import Activation


class MemoryLog:
    def __init__(self, origin):
        self.head = Head(origin)
        self.rows = []
        self.tiles = {}
        self.checkpoints = {}
        self.lines = {}


class MemoryLogs:
    """Every log of a process, lost with it."""

    def __init__(self):
        self._logs = {}
        self._turn = threading.Lock()
        self.stood = {}
        self.aliases = {}
        self.kept = {}
        self.spent = set()
        self.active = {}

    @contextmanager
    def hold_tail(self, log):
        with self._turn:
            if self._logs[log].head.successor is not None:
                raise LogRefused(f"The log {log} is closed.")
            tail = MemoryTail(self, log)
            yield tail
            self.spent |= tail.spending
            if tail.batch is not None:
                self._take(log, tail.batch)
            if tail.key_ids is not None:
                self._logs[log].head = replace(self._logs[log].head, key_ids=tuple(tail.key_ids))

    def create(self, log, origin, checkpoint):
        assert log not in self._logs
        assert checkpoint.size == 0
        self._logs[log] = MemoryLog(origin)
        self._logs[log].checkpoints[0] = checkpoint

    @contextmanager
    def succeed(self, old, origin, checkpoint):
        closed = self._logs[old].head
        if closed.successor is not None:
            raise LogRefused(f"The log {old} is closed.")
        with self._turn:
            self.create(old.successor, origin, checkpoint)
            self._logs[old.successor].head = Head(origin, before=closed.before + closed.size)
            self._logs[old].head = replace(closed, successor=old.successor.name)
            tail = MemoryTail(self, old.successor)
            try:
                yield tail
            except BaseException:
                del self._logs[old.successor]
                self._logs[old].head = closed
                raise
            if tail.batch is not None:
                self._take(old.successor, tail.batch)

    def names(self, department):
        return [log.name for log in self._logs if log.department == department]

    def head(self, log):
        return self._logs[log].head if log in self._logs else None

    def entries(self, log, start, count):
        return [row.entry for row in self._logs[log].rows[start : start + count]]

    def tile(self, log, level, index):
        stored = self._logs[log].tiles.get((level, index))
        if stored is not None or level:
            return stored or b""
        return level_zero(self.entries(log, index * TILE_WIDTH, TILE_WIDTH))

    def subjects(self, log, refs):
        return {ref: self.stood.get(self.aliases.get(ref, ref), Subject(ref)) for ref in refs}

    def locate(self, department, subject, seq):
        for log, kept in self._logs.items():
            for row in kept.rows:
                if log.department == department and (row.logged.subject, row.logged.seq) == (subject, seq):
                    return log, row.index
        return None

    def records(self, log, start, count):
        rows = self._logs[log].rows[start : start + count]
        return [StoredRecord(r.index, r.entry, r.logged.subject, r.logged.seq, r.sealed) for r in rows]

    def checkpoint_covering(self, log, size, *, published):
        covering = (c for c in self.checkpoints(log, published=published) if c.size >= size)
        return next(covering, None)

    def witnessed_covering(self, log, size):
        covering = (c for c in self.checkpoints(log, published=False) if c.size >= size and c.witnessed)
        return next(covering, None)

    def latest(self, log):
        lines = self._logs[log].lines
        return {vkey: max(size for size, by in lines if by == vkey) for _, vkey in lines}

    def keep(self, log, size, vkey, line, enough):
        kept = self._logs[log]
        assert size in kept.checkpoints
        kept.lines.setdefault((size, vkey), line)
        found = kept.checkpoints[size]
        note = found.note + "".join(line for (at, _), line in sorted(kept.lines.items()) if at == size)
        if all(c.size < size or not c.witnessed for c in kept.checkpoints.values()) and enough(note):
            kept.checkpoints[size] = replace(found, witnessed=note)

    def checkpoints(self, log, *, published):
        for _, checkpoint in sorted(self._logs[log].checkpoints.items()):
            if checkpoint.published_at is not None or not published:
                yield checkpoint

    def active_until(self, department, code):
        return self.active.get((department, code))

    def _take(self, log, batch):
        kept = self._logs[log]
        assert [row.index for row in batch.rows] == list(range(kept.head.size, batch.head.size))
        kept.rows.extend(batch.rows)
        kept.head = batch.head
        assert batch.checkpoint.size not in kept.checkpoints, "a size is signed once"
        kept.checkpoints[batch.checkpoint.size] = batch.checkpoint
        kept.tiles.update({(level, index): content for level, index, content in batch.tiles})
        self.kept.update({(log.department, request): reply for request, reply in batch.replies})
        activations = [link for link in batch.links if isinstance(link, Activation)]
        self.active.update({(log.department, link.code): link.until for link in activations})
        for subject in batch.subjects:
            self.stood[subject.ref] = subject
            if getattr(subject.state, "alias", None) is not None:
                self.aliases[subject.state.alias] = subject.ref
            if getattr(subject.state, "number", None) is not None:
                self.aliases[f"incident-number:{subject.state.number}"] = subject.ref


class MemoryTail:
    def __init__(self, logs, log):
        self._logs = logs
        self._log = log
        self.head = logs.head(log)
        self.batch = None
        self.key_ids = None
        self.spending = set()

    def replies(self, requests):
        kept = ((request, self._logs.kept.get((self._log.department, request))) for request in requests)
        return {request: reply for request, reply in kept if reply is not None}

    def spend(self, proofs):
        unspent = {proof.mark for proof in proofs} - self._logs.spent
        self.spending |= unspent
        return unspent

    def subjects(self, refs):
        return self._logs.subjects(self._log, refs)

    def entries(self, start, count):
        return self._logs.entries(self._log, start, count)

    def tile(self, level, index):
        return self._logs.tile(self._log, level, index)

    def sign_with(self, key_ids):
        self.key_ids = key_ids

    def write(self, batch):
        assert self.batch is None, "one batch a turn"
        self.batch = batch


def log_id(name="records"):
    return LogId("LAPD", name)
