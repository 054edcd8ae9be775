"""Write and read checkpoints: a log's size and root as a signed note (C2SP tlog-checkpoint v1.0.0)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.errors import ReceiptMalformed
from verify_service.record_log.merkle import HASH_BYTES
from verify_service.signing import Note, b64, unb64

if TYPE_CHECKING:
    from verify_service.signing import NoteSigner


@dataclass(frozen=True)
class Checkpoint:
    """What a log claims to be at one moment: its origin, its number of entries and their root hash."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{b64(self.root)}\n"

    def sign(self, *signers: NoteSigner) -> str:
        """Return the note with each signer's line."""
        return "\n".join([self.text, "".join(signer.line(self.text) for signer in signers)])

    @classmethod
    def parse(cls, note: str) -> tuple[Checkpoint, Note]:
        """Read a checkpoint without judging its signatures; raise ReceiptMalformed where it is not one."""
        parsed = Note.parse(note)
        lines = parsed.text[:-1].split("\n")
        if len(lines) != 3 or not lines[0]:  # noqa: PLR2004 - Origin, size and root; extension lines are refused.
            raise ReceiptMalformed("A checkpoint has three lines: origin, size and root.")
        origin, size, root = lines
        try:
            root_hash = unb64(root)
        except ValueError as error:
            raise ReceiptMalformed("The checkpoint's root is not base64.") from error
        if len(root_hash) != HASH_BYTES:
            raise ReceiptMalformed("The checkpoint's root is not a SHA-256 hash.")
        return cls(origin, decimal(size, "The checkpoint's size"), root_hash), parsed


def decimal(text: str, what: str) -> int:
    """Read a non-negative ASCII decimal without leading zeroes; raise ReceiptMalformed otherwise."""
    if not text.isascii() or not text.isdecimal() or (len(text) > 1 and text[0] == "0") or len(text) > 19:  # noqa: PLR2004
        raise ReceiptMalformed(f"{what} is not a plain decimal number.")
    return int(text)
