"""Make and verify receipts: offline proof that a log holds a record (C2SP tlog-proof)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.errors import ReceiptMalformed, RecordNotInLog
from verify_service.record_log.checkpoint import decimal
from verify_service.record_log.merkle import HASH_BYTES, leaf_hash, root_from_inclusion
from verify_service.record_log.record import NONCE_BYTES, entry_of
from verify_service.signing import b64, unb64

if TYPE_CHECKING:
    from verify_service.record_log.trust import Accepted, TrustPolicy

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PATH = 63


@dataclass(frozen=True)
class Receipt:
    """A record's nonce, its place in the log, the path to the root and the signed checkpoint's exact text."""

    nonce: bytes
    index: int
    path: tuple[bytes, ...]
    checkpoint: str

    @property
    def text(self) -> str:
        """The receipt as a ``.tlog-proof`` file."""
        hashes = "".join(f"{b64(node)}\n" for node in self.path)
        return f"{HEADER}\nextra {b64(self.nonce)}\nindex {self.index}\n{hashes}\n{self.checkpoint}"

    @classmethod
    def parse(cls, text: str) -> Receipt:
        """Read a receipt without judging it; raise ReceiptMalformed where a line is not as the format asks."""
        head, mark, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if not mark or lines[0] != HEADER:
            raise ReceiptMalformed(
                f"A receipt starts with the line {HEADER!r} and has a checkpoint after an empty line."
            )
        if len(lines) < 3 or not lines[1].startswith("extra ") or not lines[2].startswith("index "):  # noqa: PLR2004
            raise ReceiptMalformed("A receipt's second line is `extra …` with the nonce, its third `index …`.")
        nonce = _fixed(lines[1][6:], NONCE_BYTES, "nonce")
        path = tuple(_fixed(line, HASH_BYTES, "path") for line in lines[3:])
        if len(path) > MAX_PATH:
            raise ReceiptMalformed("The receipt's path is longer than any log is deep.")
        return cls(nonce, decimal(lines[2][6:], "The receipt's index"), path, checkpoint)


def verify_receipt(receipt_text: str, record: bytes, policy: TrustPolicy) -> Accepted:
    """Return the checkpoint that a receipt proves a record to be under, with its witnesses.

    1. The receipt and its checkpoint are well formed.
    2. The policy names the checkpoint's origin.
    3. A key that the policy gives for that origin signed the checkpoint, and no known key's signature is bad.
    4. The witnesses that the policy's quorum asks for cosigned it.
    5. The record's bytes and the receipt's nonce make the entry, and the path leads from it to the signed root.

    Raises ReceiptMalformed, LogNotTrusted, SignatureInvalid, QuorumMissing or RecordNotInLog.
    """
    receipt = Receipt.parse(receipt_text)  # 1
    accepted = policy.accept(receipt.checkpoint)  # 1, 2, 3, 4
    checkpoint = accepted.checkpoint
    leaf = leaf_hash(entry_of(receipt.nonce, record))  # 5
    root = root_from_inclusion(leaf, receipt.index, checkpoint.size, receipt.path)
    if root != checkpoint.root:
        raise RecordNotInLog(
            f"The log {checkpoint.origin} does not hold these record bytes at index {receipt.index}: the record, "
            "the receipt or both were altered, or they do not belong together."
        )
    return accepted


def _fixed(text: str, length: int, what: str) -> bytes:
    try:
        content = unb64(text)
    except ValueError as error:
        raise ReceiptMalformed(f"The receipt's {what} is not base64.") from error
    if len(content) != length:
        raise ReceiptMalformed(f"The receipt's {what} must be {length} bytes long, not {len(content)}.")
    return content
