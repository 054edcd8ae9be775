"""Re-read a whole log and compare: records, leaves, tiles, head and every signed checkpoint, nothing mended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.errors import EvidenceFault
from verify_service.record_log.absence import Absences
from verify_service.record_log.append import Placed
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.cosignature_audit import CosignatureAudit
from verify_service.record_log.merkle import EMPTY_ROOT, HASH_BYTES, Peaks, leaf_hash, range_hash
from verify_service.record_log.proposal import record_place
from verify_service.record_log.record import ENTRY_V1, NONCE_BYTES, Record, commitment, parse_record, unpack_fields
from verify_service.record_log.succession import SUCCESSION
from verify_service.record_log.tiles import TILE_WIDTH, grown_tiles, level_zero, subtree_from_tiles
from verify_service.vault import SealBroken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from verify_service.record_log.cosignature_audit import KeptCosignature
    from verify_service.record_log.high_water import Mark
    from verify_service.record_log.log import Head, LogId, StoredCheckpoint, StoredRecord
    from verify_service.record_log.record import SealedField
    from verify_service.record_log.trust import TrustPolicy
    from verify_service.signing import NoteKey
    from verify_service.vault import Vault

# Whole tiles, and as many rows as are held at once.
PAGE = 16 * TILE_WIDTH


@dataclass(frozen=True)
class Fault:
    """Something that does not agree, in one sentence, with the log's index or size where there is one."""

    log: str
    where: int | None
    sentence: str


@dataclass(frozen=True)
class ReadRecord:
    """A record as the audit opened it, for those who compare further."""

    index: int
    placed: Placed
    fields: Mapping[str, SealedField]


@dataclass(frozen=True)
class LogSnapshot:
    """One moment of one log, read in a single snapshot of the database.

    ``rows(start, count)`` and ``tile(level, index)`` read as the store does; ``tile`` gives stored tiles only.
    """

    log: LogId
    head: Head
    checkpoints: Iterator[StoredCheckpoint]
    rows: Callable[[int, int], list[StoredRecord]]
    stored_tile: Callable[[int, int], bytes]
    cosignatures: Iterator[KeptCosignature]


class LogAudit:
    """One pass over a log; ``faults`` fills as ``records`` is drawn.

    ``promised`` is this host's high-water mark, read before the snapshot was taken; None where it has none.
    ``follows`` is the pass over the log that this one goes on for, which has been run: subjects go on from it.
    """

    def __init__(
        self,
        snapshot: LogSnapshot,
        vault: Vault,
        policy: TrustPolicy,
        promised: Mark | None,
        follows: LogAudit | None = None,
    ) -> None:
        self._snapshot = snapshot
        self._vault = vault
        self._policy = policy
        self._promised = promised
        self._peaks = Peaks()
        self._cosignatures = CosignatureAudit(snapshot.cosignatures)
        self._newest = ""
        self._follows = follows
        self._tails: dict[str, tuple[int, bytes]] = {} if follows is None else follows._tails  # noqa: SLF001
        self._tiles: dict[tuple[int, int], bytes] = {}
        self._absences = Absences()
        self.faults: list[Fault] = []

    def records(self) -> Iterator[ReadRecord]:
        """Check everything, yielding each record that opens; run it to its end."""
        checkpoints = iter(self._snapshot.checkpoints)
        pending = self._next_checkpoint(checkpoints)
        for start in range(0, self._snapshot.head.size, PAGE):
            rows = self._snapshot.rows(start, min(PAGE, self._snapshot.head.size - start))
            for row in rows:
                if row.index != self._peaks.size:
                    self._fault(self._peaks.size, f"a leaf is missing: the next row is entry {row.index}")
                    return
                self._peaks = self._peaks.append(leaf_hash(row.entry))
                yield from self._opened(row)
                self._check_promise()
                while pending is not None and pending.size == self._peaks.size:
                    self._check_root(pending)
                    pending = self._next_checkpoint(checkpoints)
            self._check_tiles(start, [row.entry for row in rows])
        self._check_end(pending)

    def _opened(self, row: StoredRecord) -> Iterator[ReadRecord]:
        if row.sealed is None:
            self._absences.lacks_record(row.index, row.subject)
            self._follow(row, row.entry[1:])
            return
        try:
            content, fields = self._vault.open(
                self._snapshot.log.department, record_place(self._snapshot.log, row.entry), row.sealed
            )
            nonce, record = content[:NONCE_BYTES], content[NONCE_BYTES:]
            logged, sealed = parse_record(record), unpack_fields(fields)
        except (SealBroken, ValueError) as error:
            self._fault(row.index, f"the record does not open: {error}")
            return
        committed = commitment(nonce, record)
        if ENTRY_V1 + committed != row.entry:
            self._fault(row.index, "the record is not what the log committed to")
        if (logged.subject, None if logged.subject is None else logged.seq) != (row.subject, row.seq):
            self._fault(row.index, "the row names another subject or place than its record")
        previous = self._follow(row, committed)
        if isinstance(logged, Record) and logged.subject is not None and logged.prev != previous:
            self._fault(row.index, "the record does not follow the one before it on its subject")
        for digest, field in sealed.items():
            if field.digest != digest:
                self._fault(row.index, "a sealed field is not what its digest says")
        if isinstance(logged, Record):
            self._newest = max(self._newest, logged.received_at)
            self._absences.take(row.index, logged, sealed)
            self._check_succession(row.index, logged)
        yield ReadRecord(row.index, Placed(row.index, logged), sealed)

    def _follow(self, row: StoredRecord, committed: bytes) -> str | None:
        """Count a subject's events and return the commitment of the one before."""
        if row.subject is None or row.seq is None:
            return None
        seq, previous = self._tails.get(row.subject, (0, None))
        if row.seq != seq:
            self._fault(row.index, f"event {row.seq} of its subject stands where event {seq} belongs")
        self._tails[row.subject] = (row.seq + 1, committed)
        return None if previous is None else previous.hex()

    def _check_promise(self) -> None:
        promised = self._promised
        if promised is not None and promised.size == self._peaks.size and promised.root != self._peaks.root:
            self._fault(promised.size, "the log is not the one that was promised: see this host's high-water mark")

    def _check_tiles(self, start: int, entries: list[bytes]) -> None:
        """Grow the tiles by a page and compare those that are whole, so that only the others are kept."""
        for level, index, content in grown_tiles(start, entries, self._grown):
            self._tiles[level, index] = content
            if len(content) == TILE_WIDTH * HASH_BYTES:
                self._check_tile(level, index, self._tiles.pop((level, index)))

    def _check_tile(self, level: int, index: int, content: bytes) -> None:
        if self._snapshot.stored_tile(level, index) != content:
            self._fault(None, f"tile {level}/{index} is not the tree's")

    def _grown(self, level: int, index: int) -> bytes:
        return self._tiles.get((level, index), b"")

    def _next_checkpoint(self, checkpoints: Iterator[StoredCheckpoint]) -> StoredCheckpoint | None:
        for checkpoint in checkpoints:
            if checkpoint.size:
                return checkpoint
            self._check_signed(checkpoint, EMPTY_ROOT)
        return None

    def _check_root(self, checkpoint: StoredCheckpoint) -> None:
        self._check_signed(checkpoint, self._peaks.root)

    def _check_signed(self, checkpoint: StoredCheckpoint, root: bytes) -> None:
        origin = self._snapshot.head.origin
        try:
            parsed, note = Checkpoint.parse(checkpoint.note)
            signed = note.check(self._policy.keys_of(origin))
        except EvidenceFault as error:
            self._fault(checkpoint.size, f"a checkpoint does not verify: {error}")
            return
        due = self._policy.signing(origin, parsed.size)
        if not signed or parsed.origin != origin:
            self._fault(checkpoint.size, "a checkpoint is not signed by this log's key")
        elif signed.keys() != set(due):
            self._fault(
                checkpoint.size, f"a checkpoint is signed by {_ids(signed)}, but at its size {_ids(due)} has to sign"
            )
        elif (parsed.size, parsed.root) != (checkpoint.size, root):
            self._fault(checkpoint.size, "a signed checkpoint is not of this history")
        if not (checkpoint.witnessed or checkpoint.note).startswith(checkpoint.note):
            self._fault(checkpoint.size, "what is kept as witnessed is not the checkpoint that was signed")
        for size, sentence in self._cosignatures.check(checkpoint, self._newest):
            self._fault(size, sentence)

    def _check_end(self, pending: StoredCheckpoint | None) -> None:
        head = self._snapshot.head
        if self._peaks != head.peaks:
            self._fault(head.size, f"the head is not the tree of its {self._peaks.size} leaves")
        if self._promised is not None and self._promised.size > head.size:
            self._fault(head.size, f"the log ends here, but {self._promised.size} entries were promised")
        if pending is not None:
            self._fault(pending.size, "a signed checkpoint lies past the end of the log")
        for size, sentence in self._cosignatures.finish():
            self._fault(size, sentence)
        for (level, index), content in self._tiles.items():
            self._check_tile(level, index, content)

    def missing(self, later: Sequence[LogAudit]) -> list[Fault]:
        """Return a fault for each record or value that is gone and that no expunge names, here or in ``later`` logs."""
        named = self._absences.unnamed([one._absences for one in later])  # noqa: SLF001
        return [Fault(str(self._snapshot.log), index, sentence) for index, sentence in named]

    def _check_succession(self, index: int, record: Record) -> None:
        """See that a successor begins with a checkpoint that the log before it signed.

        It is of that log's history too, unless it is of more entries than are left of it.
        """
        first = self._follows is not None and index == 0
        if first != (record.kind == SUCCESSION):
            self._fault(
                index, "a succession stands where none belongs" if not first else "the log does not begin with one"
            )
        if not first or record.kind != SUCCESSION or self._follows is None:
            return
        old = self._follows
        try:
            parsed, note = Checkpoint.parse(record.facts["old_checkpoint"])
            due = old._policy.signing(parsed.origin, parsed.size)  # noqa: SLF001
            signed = note.check(due)
        except EvidenceFault as error:
            self._fault(index, f"the succession's checkpoint does not verify: {error}")
            return
        if not signed or not parsed.origin == record.facts["old_origin"] == old._snapshot.head.origin:  # noqa: SLF001
            self._fault(index, "the succession's checkpoint is not signed by the log before it")
        elif parsed.size <= old._peaks.size and parsed.root != old._root(parsed.size):  # noqa: SLF001
            self._fault(index, "the succession's checkpoint is not of the history of the log before it")

    def _root(self, size: int) -> bytes:
        if size == self._peaks.size:
            return self._peaks.root
        return range_hash(0, size, subtree_from_tiles(self._tile)) if size else EMPTY_ROOT

    def _tile(self, level: int, index: int) -> bytes:
        stored = self._snapshot.stored_tile(level, index)
        if stored or level:
            return stored
        return level_zero([row.entry for row in self._snapshot.rows(index * TILE_WIDTH, TILE_WIDTH)])

    def _fault(self, where: int | None, sentence: str) -> None:
        self.faults.append(Fault(str(self._snapshot.log), where, sentence))


def _ids(keys: Iterable[NoteKey]) -> str:
    return " and ".join(sorted(key.key_id.hex() for key in keys)) or "no key"
