"""Describe the keys of one log: what checkers know of them, and those at hand that sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from verify_service.errors import LogRefused

if TYPE_CHECKING:
    from verify_service.record_log.checkpoint import Checkpoint
    from verify_service.record_log.log import Head
    from verify_service.record_log.trust import TrustPolicy
    from verify_service.signing import NoteSigner


@dataclass(frozen=True)
class LogSigner:
    """The keys of a log that are not retired; each signs the checkpoints of its term."""

    signers: tuple[NoteSigner, ...]
    policy: TrustPolicy

    def sign(self, checkpoint: Checkpoint) -> str:
        """Return the note, signed by every key whose term has a checkpoint of that size."""
        return checkpoint.sign(*self._at(checkpoint.size))

    def key_ids(self, size: int) -> tuple[str, ...]:
        """Return the ids, in hexadecimal, of the keys that sign a checkpoint of a size, the oldest first."""
        return tuple(signer.key_id.hex() for signer in self._at(size))

    def check(self, log: str, head: Head) -> None:
        """Raise LogRefused unless these are the keys that the log is to be signed with from its head on."""
        own = self.key_ids(head.size + 1)
        if len(own) != 1 if not head.key_ids else own != head.key_ids:
            wanted = " and ".join(head.key_ids) or "its first key alone"
            raise LogRefused(
                f"The log {log} is to be signed with {wanted}, but this host has {' and '.join(own) or 'no key'}: copy "
                "the folder of keys from the host where `verify-service keys rotate` or `retire` was run last. Where "
                "that was stopped before it was done, run it again there."
            )

    def _at(self, size: int) -> list[NoteSigner]:
        return [signer for signer in self.signers if self.policy.term(signer.key).covers(size)]


class LogKeys(Protocol):
    """The keys of one log, which may change while the service runs."""

    @property
    def origin(self) -> str:
        """The log's origin line, which never changes."""

    def policy(self) -> TrustPolicy:
        """Return every key that signs the log or did, with its term.

        Needs no private key. Raises ConfigurationError where it cannot be read.
        """

    def signer(self) -> LogSigner:
        """Return the keys that sign, as they are at this moment; raise ConfigurationError where one is not at hand."""
