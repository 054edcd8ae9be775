"""Decide what a witness cosigns: the checks of C2SP tlog-witness §add-checkpoint, in its order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.errors import (
    LogInconsistent,
    LogNotTrusted,
    NotFound,
    ReceiptMalformed,
    ServiceError,
    SignatureInvalid,
    Unavailable,
)
from verify_service.record_log.checkpoint import Checkpoint, decimal
from verify_service.record_log.merkle import EMPTY_ROOT, HASH_BYTES, check_consistency
from verify_service.record_log.receipt import MAX_PATH
from verify_service.signing import sha256_hex, signature_line, unb64
from verify_service.witness.ledger import Cosigned

if TYPE_CHECKING:
    from verify_service.clock import Clock
    from verify_service.record_log.cosignature import Cosigner
    from verify_service.signing import Note
    from verify_service.witness.ledger import Ledger

OLD = "old "


class SizeConflict(ServiceError):
    """The request goes on from another size than this witness cosigned last, which is ``size``."""

    code = "size_conflict"
    title = "The witness has seen another size"

    def __init__(self, size: int) -> None:
        super().__init__(
            f"The last checkpoint that was cosigned has {size} entries: prove that the new goes on from it."
        )
        self.size = size


@dataclass(frozen=True)
class Submission:
    """What a log asks to have cosigned: the size it goes on from, the consistency proof, and the signed checkpoint."""

    old: int
    path: tuple[bytes, ...]
    note: str

    @classmethod
    def parse(cls, body: bytes) -> Submission:
        """Read a request's body; raise ReceiptMalformed where it is not of the form."""
        try:
            head, mark, note = body.decode().partition("\n\n")
            lines = head.split("\n")
            path = tuple(unb64(line) for line in lines[1:])
        except ValueError as error:
            raise ReceiptMalformed("The request is not UTF-8 lines with base64 hashes.") from error
        if not mark or not lines[0].startswith(OLD):
            raise ReceiptMalformed("A request begins with `old SIZE` and has a checkpoint after an empty line.")
        if len(path) > MAX_PATH or any(len(node) != HASH_BYTES for node in path):
            raise ReceiptMalformed(f"A consistency proof has at most {MAX_PATH} SHA-256 hashes.")
        return cls(decimal(lines[0][len(OLD) :], "The old size"), path, note)


class Witness:
    """A witness: its key, its ledger and its clock."""

    def __init__(self, ledger: Ledger, cosigner: Cosigner, clock: Clock) -> None:
        self._ledger = ledger
        self._cosigner = cosigner
        self._clock = clock

    def add_checkpoint(self, body: bytes) -> str:
        """Cosign a checkpoint and return the signature line; it was kept for good before.

        1. The request and its checkpoint are well formed, and the old size is not past the new (400).
        2. The log is watched (404), and one of its keys signed (403).
        3. The old size is that of the checkpoint cosigned last (409).
        4. The proof leads from that checkpoint to the new one (422).
        5. The new checkpoint is kept, and only then leaves its cosignature.

        Raises ReceiptMalformed, LogNotTrusted, SignatureInvalid, SizeConflict or LogInconsistent for these, and
        Unavailable where this machine's clock went back.
        """
        submission = Submission.parse(body)
        checkpoint, note = Checkpoint.parse(submission.note)  # 1
        signed = self._signed(checkpoint, note)  # 2
        if submission.old > checkpoint.size:  # 1
            raise ReceiptMalformed(f"The old size {submission.old} is past the checkpoint's {checkpoint.size}.")
        with self._ledger.hold(checkpoint.origin) as page:
            last = page.cosigned
            if submission.old != last.size:  # 3
                raise SizeConflict(last.size)
            if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:  # 4
                raise LogInconsistent("A checkpoint of no entries has the root of the empty tree.")
            check_consistency(last.size, last.root, checkpoint.size, checkpoint.root, submission.path)
            moment = self._clock.now()
            seconds = int(moment.timestamp())
            if seconds < page.latest_seconds():
                raise Unavailable("The witness cannot cosign now.", "This machine's clock went back: set it.")
            line = self._cosigner.cosign(checkpoint.text, moment)
            page.write(Cosigned(checkpoint.size, checkpoint.root, signed + line, seconds))  # 5
        return line

    def newest(self, origin_hash: str) -> str:
        """Return the newest cosigned checkpoint of the log whose origin has this SHA-256; raise NotFound for none."""
        for origin, cosigned in self._ledger.logs().items():
            if sha256_hex(origin.encode()) == origin_hash and cosigned.note:
                return cosigned.note
        raise NotFound("This witness has cosigned no checkpoint of such a log.")

    def _signed(self, checkpoint: Checkpoint, note: Note) -> str:
        """Return the checkpoint with the signatures of the log's keys alone, as whoever watches gets it."""
        keys = self._ledger.keys(checkpoint.origin)
        if not keys:
            raise LogNotTrusted(f"This witness does not watch {checkpoint.origin}.")
        signed = note.check(keys)
        if not signed:
            raise SignatureInvalid(f"No key that this witness knows of {checkpoint.origin} signed this checkpoint.")
        return "\n".join([checkpoint.text, "".join(signature_line(*one) for one in signed.items())])
