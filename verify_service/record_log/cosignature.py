"""Sign and check cosignatures: a witness's word that it saw a log only grow (C2SP tlog-cosignature, Ed25519)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from verify_service.errors import SignatureInvalid
from verify_service.signing import NoteKey, signature_line

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

COSIGNATURE = 0x04
TIME_BYTES = 8
# The year 9999, past which no datetime goes; the specification ends at 2^63 - 1.
LATEST = 253_402_300_799


class WitnessKey(NoteKey):
    """A witness's Ed25519 public key; its signatures begin with the time at which it looked."""

    TYPE: ClassVar[int] = COSIGNATURE

    def check(self, text: str, signature: bytes) -> None:
        """Raise SignatureInvalid unless ``signature`` is this witness's over the time it names and the text."""
        super().check(_message(text, _seconds(signature)), signature[TIME_BYTES:])


@dataclass(frozen=True)
class Cosigner:
    """A witness's private key."""

    name: str
    private: Ed25519PrivateKey

    @property
    def key(self) -> WitnessKey:
        """The public half, for checkers."""
        return WitnessKey(self.name, self.private.public_key().public_bytes_raw())

    def cosign(self, text: str, moment: datetime) -> str:
        """Return the signature line over a checkpoint's text, as of a moment."""
        seconds = int(moment.timestamp())
        signature = self.private.sign(_message(text, seconds).encode())
        return signature_line(self.key, seconds.to_bytes(TIME_BYTES, "big") + signature)


def cosigned_at(signature: bytes) -> datetime:
    """Return the time that a cosignature names; raise SignatureInvalid where it names none."""
    return utc(_seconds(signature))


def utc(seconds: int) -> datetime:
    """Return a POSIX time as a moment."""
    return datetime.fromtimestamp(seconds, UTC)


def _seconds(signature: bytes) -> int:
    seconds = int.from_bytes(signature[:TIME_BYTES], "big")
    if not 0 < seconds <= LATEST:
        raise SignatureInvalid("A cosignature does not say when it was made.")
    return seconds


def _message(text: str, seconds: int) -> str:
    return f"cosignature/v1\ntime {seconds}\n{text}"
