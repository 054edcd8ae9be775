"""Close a log that was lost in part, or whose key is no longer trusted, and begin the one that goes on for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.clock import rfc3339
from verify_service.errors import ConfigurationError
from verify_service.record_log.append import Draft
from verify_service.record_log.batch import OpenBatch
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.log import StoredCheckpoint
from verify_service.record_log.merkle import Peaks
from verify_service.record_log.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from verify_service.clock import Clock
    from verify_service.record_log.log import LogId, LogStore
    from verify_service.record_log.log_signer import LogKeys
    from verify_service.record_log.proposal import Scribe
    from verify_service.record_log.trust import TrustPolicy
    from verify_service.vault import Vault

SUCCESSION = "succession"
LONGEST_REASON = 280


@dataclass(frozen=True)
class Succession:
    """Why a log is closed, and the last signed checkpoint of it that its successor commits to."""

    old: LogId
    checkpoint: str
    reason: str

    def record(self, received_at: str) -> Record:
        """Make the first record of the successor."""
        origin = Checkpoint.parse(self.checkpoint)[0].origin
        body = {"old_origin": origin, "old_checkpoint": self.checkpoint, "reason": self.reason}
        return Record(kind=SUCCESSION, department=self.old.department, received_at=received_at, body=body)


def last_checkpoint(log: LogId, store: LogStore, policy: TrustPolicy, *, compromised: bool) -> str:
    """Return the newest checkpoint that the database has of a log; raise where its key did not sign it.

    Of a log whose key is ``compromised``, only what others saw counts: the last that was witnessed, else the last that
    was published. Raises ConfigurationError where there is none, else what ``TrustPolicy.accept_signed`` raises.
    """
    kept = list(store.checkpoints(log, published=False))
    if compromised:
        kept = [one for one in kept if one.witnessed] or [one for one in kept if one.published_at]
    if not kept:
        raise ConfigurationError(f"The log {log} has no such checkpoint: restore a backup that has.")
    newest = kept[-1].witnessed or kept[-1].note
    policy.accept_signed(newest)
    return newest


def succeed(
    succession: Succession,
    store: LogStore,
    keys: LogKeys,
    vault: Vault,
    clock: Clock,
    scribe: Callable[[LogId], Scribe],
) -> Peaks:
    """Close the old log and begin its successor with an entry that commits to it; return the new log's tree.

    Both are one commit, so that the successor never stands without that entry; the old log takes nothing from then on.
    Raises LogRefused where it has a successor already, ConfigurationError where the reason is too long.
    """
    if not 0 < len(succession.reason) <= LONGEST_REASON:
        raise ConfigurationError(f"The reason has {len(succession.reason)} characters: give 1 to {LONGEST_REASON}.")
    new, now, signer = succession.old.successor, clock.now(), keys.signer()
    first = StoredCheckpoint(0, signer.sign(Checkpoint(keys.origin, 0, Peaks().root)), rfc3339(now))
    with store.succeed(succession.old, keys.origin, first) as tail:
        batch = OpenBatch(new, tail, scribe(new), vault, now)
        batch.add(Draft(succession.record(rfc3339(now))))
        closed = batch.close(signer)
        tail.write(closed)
    return closed.head.peaks
