"""Gather what one commit writes: each request composed on the tail as the requests before it left it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from verify_service.clock import rfc3339
from verify_service.errors import IdempotencyKeyReused
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.log import Appended, Batch, Placed, Row, StoredCheckpoint, StoredReply, Subject
from verify_service.record_log.merkle import leaf_hash
from verify_service.record_log.record import NONCE_BYTES, commitment, entry_of, pack_fields
from verify_service.record_log.tiles import grown_tiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from verify_service.record_log.log import Append, Draft, Link, LogId, Projection, RetryKey, Tail
    from verify_service.signing import NoteSigner
    from verify_service.vault import Vault


class OpenBatch:
    """One commit in the making, on top of a held tail."""

    def __init__(
        self,
        log: LogId,
        tail: Tail,
        vault: Vault,
        projection: Projection,
        random_bytes: Callable[[int], bytes],
        now: datetime,
    ) -> None:
        self._log = log
        self._now = now
        self._tail = tail
        self._vault = vault
        self._projection = projection
        self._random_bytes = random_bytes
        self._peaks = tail.head.peaks
        self._rows: list[Row] = []
        self._links: list[Link] = []
        self._kept: dict[bytes, StoredReply] = {}
        self._new_replies: dict[bytes, StoredReply] = {}
        self._subjects: dict[str, Subject] = {}
        self._names: dict[str, str] = {}
        self._changed: set[str] = set()

    @property
    def size(self) -> int:
        """The number of entries the log will have."""
        return self._peaks.size

    def __len__(self) -> int:
        return len(self._rows)

    def load(self, appends: Iterable[Append]) -> None:
        """Read at once what all the requests need: kept replies and subjects."""
        appends = list(appends)
        keys = {append.key.request for append in appends if append.key is not None}
        if keys:
            self._kept = self._tail.replies(keys)
        needs = frozenset[str]().union(*(append.needs for append in appends))
        for name, subject in (self._tail.subjects(needs) if needs else {}).items():
            self._names[name] = subject.ref
            self._subjects[subject.ref] = subject

    def admit(self, append: Append) -> Appended:
        """Compose one request and place its records; where it is refused, leave the batch as it was."""
        if append.key is not None:
            kept = self._new_replies.get(append.key.request) or self._kept.get(append.key.request)
            if kept is not None:
                return Appended(self._replay(append.key, kept), replayed=True)
        before = (
            self._peaks,
            len(self._rows),
            len(self._links),
            dict(self._subjects),
            dict(self._names),
            set(self._changed),
        )
        try:
            return self._compose(append)
        except BaseException:
            self._peaks, rows, links, self._subjects, self._names, self._changed = before
            del self._rows[rows:], self._links[links:]
            raise

    def place(self, draft: Draft) -> Placed:
        """Give a record its place in the log and among its subject's events."""
        name = draft.logged.subject
        subject = self._subjects.get(name, Subject(name)) if name is not None else None
        logged = draft.logged if subject is None else draft.logged.at(subject.seq, subject.prev)
        content, nonce = logged.encode(), self._random_bytes(NONCE_BYTES)
        entry, placed = entry_of(nonce, content), Placed(self._peaks.size, logged)
        fields = pack_fields({field.digest: field for field in draft.fields})
        sealed = self._vault.seal(
            self._log.department, record_place(self._log, placed.index), (nonce + content, fields)
        )
        self._rows.append(Row(placed.index, entry, logged, sealed))
        self._peaks = self._peaks.append(leaf_hash(entry))
        if subject is not None:
            state = self._projection.fold(subject.state, placed)
            self._subjects[subject.ref] = Subject(subject.ref, subject.seq + 1, commitment(nonce, content).hex(), state)
            self._changed.add(subject.ref)
        if draft.alias is not None and subject is not None:
            self._names[draft.alias] = subject.ref
        return placed

    def close(self, signer: NoteSigner, *, publish: bool = False) -> Batch:
        """Sign the new end of the log and return all that has to be written."""
        head = replace(self._tail.head, peaks=self._peaks)
        if publish:
            head = replace(head, published=head.size)
        note = Checkpoint(head.origin, head.size, self._peaks.root).sign(signer)
        return Batch(
            head=head,
            checkpoint=StoredCheckpoint(head.size, note, rfc3339(self._now) if publish else None),
            rows=self._rows,
            tiles=grown_tiles(self._tail.head.size, [row.entry for row in self._rows], self._tail.tile),
            subjects=[self._subjects[ref] for ref in sorted(self._changed)],
            links=self._links,
            replies=list(self._new_replies.items()),
        )

    def _compose(self, append: Append) -> Appended:
        subjects = {name: self._subject(name) for name in append.needs}
        composition = append.compose(subjects)
        placed = tuple(self.place(draft) for draft in composition.drafts)
        for link in composition.links:
            self._link(link)
        after = {
            draft.logged.subject: self._subject(draft.logged.subject)
            for draft in composition.drafts
            if draft.logged.subject
        }
        reply = composition.reply(placed, subjects | after)
        if append.key is not None:
            sealed = self._vault.seal(self._log.department, reply_place(append.key), (reply,))
            self._new_replies[append.key.request] = StoredReply(append.key.fingerprint, sealed, rfc3339(self._now))
        return Appended(reply, placed)

    def _link(self, link: Link) -> None:
        if link.ref is None:
            self._links.append(link)
            return
        self._subjects[link.ref] = replace(self._subject(link.ref), state=link)
        self._changed.add(link.ref)
        if link.alias is not None:
            self._names[link.alias] = link.ref

    def _subject(self, name: str) -> Subject:
        ref = self._names.get(name, name)
        return self._subjects.get(ref, Subject(ref))

    def _replay(self, key: RetryKey, kept: StoredReply) -> bytes:
        if kept.fingerprint != key.fingerprint:
            raise IdempotencyKeyReused(
                "This Idempotency-Key came before with another body. Send a new key for a new request; to retry, "
                "send the first body again."
            )
        return self._vault.open(self._log.department, reply_place(key), kept.sealed)[0]


def record_place(log: LogId, index: int) -> str:
    """Name a record's row to the vault."""
    return f"record/{log.name}/{index}"


def reply_place(key: RetryKey) -> str:
    """Name a kept reply's row to the vault."""
    return f"reply/{key.request.hex()}"
