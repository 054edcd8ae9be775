"""Append to one log, prove what stands in it, and publish it once a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify_service.clock import rfc3339
from verify_service.errors import EvidenceFault, Expunged, LogRefused, NotFound, ServiceError, Unavailable
from verify_service.record_log.append import Draft
from verify_service.record_log.batch import OpenBatch
from verify_service.record_log.group_commit import GroupCommit
from verify_service.record_log.merkle import inclusion_path
from verify_service.record_log.proposal import Proposal, Scribe, record_place
from verify_service.record_log.receipt import Receipt, verify_receipt
from verify_service.record_log.record import NONCE_BYTES, cover, unpack_fields
from verify_service.record_log.tiles import TILE_WIDTH, subtree_from_tiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from verify_service.clock import Clock
    from verify_service.record_log.append import Append, Appended
    from verify_service.record_log.group_commit import Ticket
    from verify_service.record_log.high_water import HighWater, Turn
    from verify_service.record_log.log import Head, LogId, LogStore, Projection, StoredCheckpoint, Tail
    from verify_service.record_log.log_signer import LogKeys, LogSigner
    from verify_service.record_log.record import SealedField
    from verify_service.record_log.trust import TrustPolicy
    from verify_service.vault import Vault

if TYPE_CHECKING:
    # A request, and what it would append as far as could be seen before the tail is held.
    Request = tuple[Append, Proposal | None]

NOT_PUBLISHED = "This entry is not in a published checkpoint yet: the log is published once a day."
NOT_WITNESSED = (
    "No checkpoint that covers this entry was cosigned by enough witnesses yet. Ask again later; until then nobody but "
    "the department vouches for it."
)


class RecordLog:
    """One log of one department, as this process sees it.

    Every answer that leaves was durable in the log before: its rows, leaves, head and signature are one commit,
    and the high-water mark was written after it.
    """

    def __init__(
        self,
        log: LogId,
        store: LogStore,
        keys: LogKeys,
        vault: Vault,
        high_water: HighWater,
        projection: Projection,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self.log = log
        self._store = store
        self._keys = keys
        self._vault = vault
        self._high_water = high_water
        self._clock = clock
        self._scribe = Scribe(log, vault, projection, random_bytes)
        self._group: GroupCommit[Request, Turn] = GroupCommit(high_water.turn, self._commit)
        self._kept: dict[tuple[int, int], bytes] = {}

    @property
    def origin(self) -> str:
        """The log's origin line, which never changes."""
        return self._keys.origin

    @property
    def policy(self) -> TrustPolicy:
        """Every key that signs the log or did, with its term."""
        return self._keys.policy()

    def append(self, append: Append) -> Appended:
        """Append a request's records and return its reply; a retry with the same key and body gets the first reply.

        Raises what the composer raised, IdempotencyKeyReused, or an Unavailable with what to do.
        """
        appended: Appended = self._group.submit((append, self._propose(append)))
        return appended

    def record(self, index: int) -> tuple[bytes, dict[str, SealedField]]:
        """Return a record's exact bytes and its sealed fields by digest; raise NotFound or Expunged."""
        content, fields = self._open(index)
        return content[NONCE_BYTES:], unpack_fields(fields)

    def receipt(self, index: int, *, published: bool = False, witnessed: bool = False) -> str:
        """Return the receipt of an entry against the first (published or witnessed) checkpoint that covers it.

        It is the same bytes every time, and is verified here before it leaves. Raises NotFound where no such
        checkpoint exists yet, Expunged where the record is gone.
        """
        content, _ = self._open(index)
        if witnessed:
            covering = self._store.witnessed_covering(self.log, index + 1)
        else:
            covering = self._store.checkpoint_covering(self.log, index + 1, published=published)
        if covering is None:
            raise NotFound(NOT_WITNESSED if witnessed else NOT_PUBLISHED)
        subtree = subtree_from_tiles(lambda level, tile: self._store.tile(self.log, level, tile), self._kept)
        path = inclusion_path(index, covering.size, subtree)
        note = (witnessed and covering.witnessed) or covering.note
        text = Receipt(content[:NONCE_BYTES], index, tuple(path), note).text
        try:
            verify_receipt(text, content[NONCE_BYTES:], self.policy)
        except EvidenceFault:
            # A tile that was read wrong once must not spoil what is proved after it was mended.
            self._kept.clear()
            raise
        return text

    def check_high_water(self) -> None:
        """Raise LogRefused or ConfigurationError unless the log goes on from what this host promised."""
        with self._high_water.turn() as turn:
            head = self._store.head(self.log)
            if head is None:
                raise NotFound(f"There is no log {self.log}.")
            turn.check(head.peaks, subtree_from_tiles(lambda level, tile: self._store.tile(self.log, level, tile)))

    def check_keys(self, head: Head) -> None:
        """Raise LogRefused or ConfigurationError unless the keys that sign after this head are at hand.

        A log whose key was never changed names none in its head: there its newest checkpoint says whose it is.
        """
        self._signer(head)
        newest = self._store.checkpoint_covering(self.log, head.size, published=False)
        try:
            if newest is not None:
                self.policy.accept_signed(newest.note)
        except EvidenceFault as fault:
            raise LogRefused(
                f"The keys of this host did not sign the log {self.log} as it stands ({fault.detail}): restore the "
                "folder of keys from your backup, or copy it from a host that serves. Where no copy is left, close the "
                f"log: `verify-service db succeed --log {self.log.series}`."
            ) from fault

    def change_keys(self, change: Callable[[Head], LogSigner]) -> LogSigner:
        """Let ``change`` put the keys for what follows the head it is given, while nobody appends; return them."""
        with self._high_water.turn() as turn, self._store.hold_tail(self.log) as tail:
            turn.check(tail.head.peaks, subtree_from_tiles(tail.tile))
            signer = change(tail.head)
            tail.sign_with(signer.key_ids(tail.head.size + 1))
        return signer

    def last_published(self) -> StoredCheckpoint | None:
        """Return the newest published checkpoint."""
        head = self._store.head(self.log)
        return None if head is None else self._store.checkpoint_covering(self.log, head.published, published=True)

    def publish(self, due: Callable[[int], bool] = lambda _: True) -> int | None:
        """Fill the log with cover entries to whole bundles and publish a checkpoint of exactly that size.

        There is one cover at least: a size that was signed before would carry, in its witnesses' cosignatures, the
        time of the last call.

        ``due(published)`` is asked under the log's lock, so that several hosts publish once. Returns the size,
        None where it was not due.
        """
        with self._high_water.turn() as turn:
            with self._store.hold_tail(self.log) as tail:
                turn.check(tail.head.peaks, subtree_from_tiles(tail.tile))
                if not due(tail.head.published):
                    return None
                signer, batch = self._signer(tail.head), self._batch(tail)
                while not batch or batch.size % TILE_WIDTH or batch.size < tail.head.published + TILE_WIDTH:
                    batch.add(Draft(cover(self.log.department, rfc3339(self._clock.now()))))
                closed = batch.close(signer, publish=True)
                tail.write(closed)
            turn.advance(closed.head.peaks)
        return closed.head.size

    def _commit(self, turn: Turn, tickets: Sequence[Ticket[Request]]) -> None:
        try:
            self._commit_together(turn, tickets)
        except (ServiceError, OSError):
            raise
        except Exception:
            # One request that the database refuses must not take the others along.
            if len(tickets) == 1:
                raise
            for ticket in tickets:
                try:
                    self._commit_together(turn, [ticket])
                except Unavailable:
                    raise
                except Exception as error:  # noqa: BLE001 - It is the ticket's own.
                    ticket.fail(error)

    def _commit_together(self, turn: Turn, tickets: Sequence[Ticket[Request]]) -> None:
        admitted: list[tuple[Ticket[Request], Appended]] = []
        with self._store.hold_tail(self.log) as tail:
            turn.check(tail.head.peaks, subtree_from_tiles(tail.tile))
            signer, batch, peaks = self._signer(tail.head), self._batch(tail), tail.head.peaks
            batch.load(ticket.request[0] for ticket in tickets)
            for ticket in tickets:
                try:
                    admitted.append((ticket, batch.admit(*ticket.request)))
                except ServiceError as refusal:
                    ticket.fail(refusal)
            if len(batch):
                closed = batch.close(signer)
                tail.write(closed)
                peaks = closed.head.peaks
        turn.advance(peaks)
        for ticket, appended in admitted:
            ticket.succeed(appended)

    def _propose(self, append: Append) -> Proposal | None:
        """Do what can be done before the tail is held, for only one request at a time gets done while it is."""
        try:
            subjects = self._store.subjects(self.log, append.needs) if append.needs else {}
            return self._scribe.propose(append, subjects)
        except ServiceError:
            # Whether it is refused is decided at the tail, where a retry of what was accepted gets its first answer.
            return None

    def _signer(self, head: Head) -> LogSigner:
        signer = self._keys.signer()
        signer.check(str(self.log), head)
        return signer

    def _batch(self, tail: Tail) -> OpenBatch:
        return OpenBatch(self.log, tail, self._scribe, self._vault, self._clock.now())

    def _open(self, index: int) -> tuple[bytes, bytes]:
        rows = self._store.records(self.log, index, 1)
        if not rows or rows[0].index != index:
            raise NotFound(f"The log {self.log} has no entry {index}.")
        if rows[0].sealed is None:
            raise Expunged("This record was destroyed by order; the log keeps its commitment.")
        content, fields = self._vault.open(self.log.department, record_place(self.log, rows[0].entry), rows[0].sealed)
        return content, fields
