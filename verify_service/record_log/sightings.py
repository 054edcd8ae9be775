"""Ask the witnesses how far they saw each log, and refuse a database that is behind (C2SP tlog-witness)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.errors import EvidenceFault, LogRefused
from verify_service.record_log.checkpoint import decimal
from verify_service.record_log.witnessing import CONFLICT, INCONSISTENT, OK, newest_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verify_service.record_log.log import LogId, LogStore, StoredCheckpoint
    from verify_service.record_log.trust import TrustPolicy, Witness
    from verify_service.record_log.witnessing import CosignatureStore, WitnessCall

logger = logging.getLogger(__name__)

OWN = "This database's own cosignatures"


SET_BACK = (
    "It was set back: restore the newest backup. Where none is newer, close the log with `verify-service db succeed`; "
    "`verify-service db restore-check` says more."
)
# A size that a witness names is signed by nobody.
SET_BACK_OR_WRONG = (
    "Either it was set back, and the newest backup is to be restored; or this witness is wrong, and is to be taken out "
    "of VERIFY_WITNESSES. `verify-service db restore-check` says what the others saw: see docs/operate.md, When it "
    "refuses, before any log is closed."
)


@dataclass(frozen=True)
class Ahead:
    """Who has seen more of a log than the database has."""

    log: LogId
    who: str
    seen: int
    size: int

    @property
    def sentence(self) -> str:
        """What was found, for a person."""
        return f"{self.log}: {self.who} saw {self.seen} entries, but the database has {self.size}."


class Sightings:
    """What the witnesses of the settings have seen of the logs that are not closed."""

    def __init__(
        self,
        logs: Sequence[LogId],
        store: LogStore,
        cosignatures: CosignatureStore,
        policy: TrustPolicy,
        call: WitnessCall,
    ) -> None:
        self._logs = logs
        self._store = store
        self._cosignatures = cosignatures
        self._policy = policy
        self._call = call

    def check(self) -> None:
        """Raise LogRefused where a witness saw more than the database has; one that does not answer stops nothing."""
        for ahead in self.ahead():
            raise LogRefused(f"{ahead.sentence} {SET_BACK if ahead.who == OWN else SET_BACK_OR_WRONG}")

    def ahead(self) -> Iterator[Ahead]:
        """Yield who has seen more of a log than the database has; raise LogRefused where one saw another history."""
        for log in self._logs:
            if self._is_closed(log):
                continue
            for who, seen in self._seen(log):
                # Read after the answer: another host may have gone on, and had that cosigned, meanwhile.
                head = self._store.head(log)
                if head is not None and seen > head.size:
                    yield Ahead(log, who, seen, head.size)

    def _is_closed(self, log: LogId) -> bool:
        head = self._store.head(log)
        return head is None or head.successor is not None

    def _seen(self, log: LogId) -> Iterator[tuple[str, int]]:
        yield OWN, max(self._cosignatures.latest(log).values(), default=0)
        for witness in self._policy.witnesses.values():
            checkpoint = newest_for(witness, log, self._store, self._policy)
            if checkpoint is not None:
                yield f"The witness {witness.name}", self._asked(log, checkpoint, witness)

    def _asked(self, log: LogId, checkpoint: StoredCheckpoint, witness: Witness) -> int:
        """Return the size that a witness cosigned last, 0 where it does not say.

        A checkpoint that is for it, offered as going on from itself, moves it nowhere: one that has cosigned another
        size refuses it with that size, one that has cosigned this size looks whether the root is the same.
        """
        body = f"old {checkpoint.size}\n\n{checkpoint.note}".encode()
        try:
            status, reply = self._call.add_checkpoint(witness.url or "", body)
            if status == CONFLICT:
                return decimal(reply.decode("utf-8", "replace").removesuffix("\n"), "The size that the witness names")
            reason = f"it answered {status}"
        except (EvidenceFault, OSError) as failure:
            status, reason = 0, str(failure)
        if status == INCONSISTENT:
            raise LogRefused(
                f"The witness {witness.name} saw another history of {log} at {checkpoint.size} entries: stop, keep the "
                "database, and run `verify-service audit`."
            )
        if status != OK:
            logger.error(
                "The witness %s did not say how far it saw %s, so nobody outside confirms that the database was not "
                "set back: %s",
                witness.name,
                log,
                reason,
            )
        return 0
