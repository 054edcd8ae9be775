"""Have the logs' checkpoints cosigned by the witnesses of the settings, aside from every answer (C2SP tlog-witness)."""

from __future__ import annotations

import fcntl
import logging
import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from verify_service.errors import (
    ConfigurationError,
    EvidenceFault,
    PolicyMalformed,
    ReceiptMalformed,
    ServiceError,
    SignatureInvalid,
)
from verify_service.loopback import is_safe_url
from verify_service.record_log.checkpoint import decimal
from verify_service.record_log.cosignature import cosigned_at
from verify_service.record_log.log import ACCESS
from verify_service.record_log.merkle import consistency_path
from verify_service.record_log.tiles import subtree_from_tiles
from verify_service.record_log.trust import NO_QUORUM, TrustPolicy
from verify_service.signing import Note, b64, signature_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from verify_service.clock import Clock
    from verify_service.record_log.log import LogId, LogStore, StoredCheckpoint
    from verify_service.record_log.trust import Witness

logger = logging.getLogger(__name__)

# The group of a policy whose members get every head at once; the others get what was published.
AT_ONCE = "unpublished"
ROUND_SECONDS = 1.0
SHORTEST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=10)
# A cosignature from another time was made by a clock that is wrong, or was replayed.
CLOCKS_DIFFER = timedelta(minutes=5)
OK, CONFLICT, INCONSISTENT = 200, 409, 422


class WitnessCall(Protocol):
    """Reaches a witness."""

    def add_checkpoint(self, url: str, body: bytes) -> tuple[int, bytes]:
        """Post a body to a witness below its submission prefix and return the status and the reply.

        Takes a second at most. Raises OSError where the witness cannot be had.
        """


class CosignatureStore(Protocol):
    """Where cosignatures are kept."""

    def latest(self, log: LogId) -> Mapping[str, int]:
        """Return the newest size that each witness cosigned, by its vkey."""

    def keep(self, log: LogId, size: int, vkey: str, line: str, enough: Callable[[str], bool]) -> None:
        """Keep a witness's signature line over the checkpoint of a size; of two, the first stays.

        Once ``enough`` says so of the checkpoint's note with all its lines, that note is the witnessed one for good,
        unless a larger checkpoint was witnessed before.
        """


class _Failed(Exception):
    """A witness did not cosign; the sentence says why."""


@dataclass
class _Pause:
    """Until when a witness is left alone about a log, and for how long it was."""

    until: datetime
    length: timedelta = SHORTEST_PAUSE


class Witnessing:
    """Submits checkpoints in rounds: always the newest, so that what a witness has seen only grows."""

    def __init__(
        self,
        logs: Sequence[LogId],
        store: LogStore,
        cosignatures: CosignatureStore,
        policy: TrustPolicy,
        call: WitnessCall,
        clock: Clock,
    ) -> None:
        self._logs = logs
        self._store = store
        self._cosignatures = cosignatures
        self._policy = policy
        self._call = call
        self._clock = clock
        self._pauses: dict[tuple[LogId, str], _Pause] = {}

    def run(self, lock: Path, sleep: Callable[[float], None]) -> None:
        """Submit for ever what is new, in one process of this host at a time; one that ends leaves its turn."""
        with _alone(lock):
            while True:
                try:
                    self.submit_new()
                except (ServiceError, OSError) as error:
                    logger.warning("nothing was submitted to witnesses: %s", error)
                sleep(ROUND_SECONDS)

    def submit_new(self) -> None:
        """Submit to each witness the newest checkpoint of each log that is for it and that it has not cosigned."""
        for log in self._logs:
            latest: Mapping[str, int] | None = None
            for witness in self._policy.witnesses.values():
                checkpoint = newest_for(witness, log, self._store, self._policy)
                if checkpoint is None or not checkpoint.size or self._is_paused(log, witness):
                    continue
                latest = self._cosignatures.latest(log) if latest is None else latest
                if latest.get(witness.key.vkey, 0) < checkpoint.size:
                    self._submit(log, witness, checkpoint, latest.get(witness.key.vkey, 0))

    def _submit(self, log: LogId, witness: Witness, checkpoint: StoredCheckpoint, old: int) -> None:
        try:
            line = self._cosigned(log, witness, checkpoint, old)
        except (_Failed, EvidenceFault, OSError) as failure:
            self._pause(log, witness)
            logger.warning("the witness %s did not cosign %s at %s: %s", witness.name, log, checkpoint.size, failure)
            return
        self._pauses.pop((log, witness.name), None)
        self._cosignatures.keep(log, checkpoint.size, witness.key.vkey, line, self._is_enough)

    def _cosigned(self, log: LogId, witness: Witness, checkpoint: StoredCheckpoint, old: int) -> str:
        """Return the witness's verified signature line."""
        url = witness.url or ""
        status, reply = self._call.add_checkpoint(url, self._body(log, checkpoint, old))
        if status == CONFLICT:
            seen = decimal(reply.decode("utf-8", "replace").removesuffix("\n"), "The size that the witness names")
            if seen > checkpoint.size:
                raise _Failed(
                    f"it has cosigned {seen} entries of this log already. If this lasts, the database was set back: "
                    "stop, and run `verify-service audit`."
                )
            status, reply = self._call.add_checkpoint(url, self._body(log, checkpoint, seen))
        if status == INCONSISTENT:
            raise _Failed(
                "it saw another history of this log, or the tiles here were altered: run `verify-service audit`."
            )
        if status != OK:
            raise _Failed(f"it answered {status}: {reply[:200].decode('utf-8', 'replace')!r}")
        return self._checked(witness, checkpoint, reply)

    def _checked(self, witness: Witness, checkpoint: StoredCheckpoint, reply: bytes) -> str:
        try:
            note = Note.parse(checkpoint.note + reply.decode())
        except UnicodeDecodeError as error:
            raise ReceiptMalformed("its reply is not text.") from error
        signature = note.check([witness.key]).get(witness.key)
        if signature is None:
            raise SignatureInvalid("its reply has no cosignature of its key.")
        moment = cosigned_at(signature)
        if abs(moment - self._clock.now()) > CLOCKS_DIFFER:
            raise SignatureInvalid(f"its cosignature is of {moment.isoformat()}: one of the two clocks is wrong.")
        return signature_line(witness.key, signature)

    def _body(self, log: LogId, checkpoint: StoredCheckpoint, old: int) -> bytes:
        subtree = subtree_from_tiles(lambda level, tile: self._store.tile(log, level, tile))
        path = consistency_path(old, checkpoint.size, subtree) if old else []
        lines = "".join(f"{b64(node)}\n" for node in path)
        return f"old {old}\n{lines}\n{checkpoint.note}".encode()

    def _is_enough(self, note: str) -> bool:
        return self._policy.witnessed(self._policy.cosigned(Note.parse(note)))

    def _is_paused(self, log: LogId, witness: Witness) -> bool:
        pause = self._pauses.get((log, witness.name))
        return pause is not None and self._clock.now() < pause.until

    def _pause(self, log: LogId, witness: Witness) -> None:
        last = self._pauses.get((log, witness.name))
        length = SHORTEST_PAUSE if last is None else min(2 * last.length, LONGEST_PAUSE)
        self._pauses[log, witness.name] = _Pause(self._clock.now() + length, length)


def newest_for(witness: Witness, log: LogId, store: LogStore, policy: TrustPolicy) -> StoredCheckpoint | None:
    """Return the newest checkpoint of a log that is for a witness, None where none is.

    But for the witnesses that get every head, nobody outside learns when somebody was checked, or when somebody looked.
    """
    head, group = store.head(log), policy.groups.get(AT_ONCE)
    if head is None:
        return None
    if group is not None and witness.name in group.members:
        return store.checkpoint_covering(log, head.size, published=False)
    return None if log.series == ACCESS else store.checkpoint_covering(log, head.published, published=True)


def witness_policy(content: bytes) -> TrustPolicy:
    """Read the file of the settings that names the witnesses.

    Raises ConfigurationError where it is no policy, names a log, leaves out an address or the quorum.
    """
    try:
        policy = TrustPolicy.parse(content.decode())
    except (PolicyMalformed, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The file in VERIFY_WITNESSES cannot be used: {error}") from error
    if policy.logs or policy.quorum == NO_QUORUM:
        raise ConfigurationError(
            "The file in VERIFY_WITNESSES names witnesses and the quorum that makes a receipt witnessed: leave out "
            "`log` lines, and write another quorum than none."
        )
    for witness in policy.witnesses.values():
        if not is_safe_url(witness.url or ""):
            raise ConfigurationError(
                f"The witness {witness.name} in VERIFY_WITNESSES has no https address behind its key: add it."
            )
    return policy


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until no other process of this host holds the file, and hold it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
