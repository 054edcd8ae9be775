"""Gather what one commit writes: each request on the tail as the requests before it left it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from verify_service.clock import rfc3339
from verify_service.errors import Expunged, IdempotencyKeyReused, NotAuthenticated
from verify_service.record_log.append import Appended, Placed
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.log import Batch, Row, StoredCheckpoint, StoredReply, Subject
from verify_service.record_log.merkle import leaf_hash
from verify_service.record_log.tiles import grown_tiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from verify_service.record_log.append import Append, Draft, Link, RetryKey
    from verify_service.record_log.log import LogId, Tail
    from verify_service.record_log.log_signer import LogSigner
    from verify_service.record_log.proposal import Proposal, Scribe, Written
    from verify_service.vault import Vault


class OpenBatch:
    """One commit in the making, on top of a held tail; ``now`` is when its replies are given."""

    def __init__(self, log: LogId, tail: Tail, scribe: Scribe, vault: Vault, now: datetime) -> None:
        self._log = log
        self._tail = tail
        self._scribe = scribe
        self._vault = vault
        self._now = now
        self._peaks = tail.head.peaks
        self._rows: list[Row] = []
        self._links: list[Link] = []
        self._kept: dict[bytes, StoredReply] = {}
        self._new_replies: dict[bytes, StoredReply] = {}
        self._subjects: dict[str, Subject] = {}
        self._names: dict[str, str] = {}
        self._unspent: set[bytes] = set()
        self._changed: set[str] = set()

    @property
    def size(self) -> int:
        """The number of entries the log will have."""
        return self._peaks.size

    def __len__(self) -> int:
        return len(self._rows)

    def load(self, appends: Iterable[Append]) -> None:
        """Read at once what all the requests need, kept replies and subjects, and spend the proofs they came with."""
        appends = list(appends)
        proofs = [append.key.spends for append in appends if append.key is not None and append.key.spends is not None]
        if proofs:
            self._unspent = self._tail.spend(proofs)
        keys = {append.key.request for append in appends if append.key is not None}
        if keys:
            self._kept = self._tail.replies(keys)
        needs = frozenset[str]().union(*(append.needs for append in appends))
        for name, subject in (self._tail.subjects(needs) if needs else {}).items():
            self._names[name] = subject.ref
            self._subjects[subject.ref] = subject

    def admit(self, append: Append, proposal: Proposal | None = None) -> Appended:
        """Place a request's records; raise what its composer raises, the batch then being as it was before.

        A proposal that no longer holds is composed anew, on the subjects as they stand now.
        """
        if append.key is not None:
            self._spend(append.key)
            kept = self._new_replies.get(append.key.request) or self._kept.get(append.key.request)
            if kept is not None:
                return Appended(self._replay(append.key, kept), replayed=True)
        subjects = {name: self._subject(name) for name in append.needs}
        if proposal is None or not proposal.holds(subjects):
            proposal = self._scribe.propose(append, subjects)
        placed = tuple(Placed(self.size + offset, written.logged) for offset, written in enumerate(proposal.written))
        reply = proposal.composition.reply(placed, {**subjects, **proposal.changed})
        self._take(proposal.written)
        self._subjects.update(proposal.changed)
        self._changed.update(proposal.changed)
        self._names.update(proposal.names)
        self._links.extend(link for link in proposal.composition.links if link.ref is None)
        if append.key is not None:
            sealed = self._vault.seal(self._log.department, reply_place(append.key), (reply,))
            self._new_replies[append.key.request] = StoredReply(
                append.key.fingerprint, sealed, rfc3339(self._now), proposal.composition.reply_of
            )
        return Appended(reply, placed)

    def add(self, draft: Draft) -> None:
        """Place one record that belongs to no subject."""
        self._take([self._scribe.write(draft, {})[0]])

    def close(self, signer: LogSigner, *, publish: bool = False) -> Batch:
        """Sign the new end of the log and return all that has to be written."""
        head = replace(self._tail.head, peaks=self._peaks)
        if publish:
            head = replace(head, published=head.size)
        note = signer.sign(Checkpoint(head.origin, head.size, self._peaks.root))
        return Batch(
            head=head,
            checkpoint=StoredCheckpoint(head.size, note, rfc3339(self._now) if publish else None),
            rows=self._rows,
            tiles=grown_tiles(self._tail.head.size, [row.entry for row in self._rows], self._tail.tile),
            subjects=[self._subjects[ref] for ref in sorted(self._changed)],
            links=self._links,
            replies=list(self._new_replies.items()),
        )

    def _take(self, records: Sequence[Written]) -> None:
        for written in records:
            self._rows.append(Row(self.size, written.entry, written.logged, written.sealed))
            self._peaks = self._peaks.append(leaf_hash(written.entry))

    def _subject(self, name: str) -> Subject:
        ref = self._names.get(name, name)
        return self._subjects.get(ref, Subject(ref))

    def _spend(self, key: RetryKey) -> None:
        """Refuse a proof that came before, in this batch or earlier."""
        if key.spends is not None:
            if key.spends.mark not in self._unspent:
                raise NotAuthenticated.proof_spent()
            self._unspent.remove(key.spends.mark)

    def _replay(self, key: RetryKey, kept: StoredReply) -> bytes:
        if kept.fingerprint != key.fingerprint:
            raise IdempotencyKeyReused(
                "This Idempotency-Key came before with another body. Send a new key for a new request; to retry, send "
                "the first body again."
            )
        if kept.sealed is None:
            raise Expunged("What this request recorded was destroyed by order since.")
        return self._vault.open(self._log.department, reply_place(key), kept.sealed)[0]


def reply_place(key: RetryKey) -> str:
    """Name a kept reply's row to the vault."""
    return f"reply/{key.request.hex()}"
