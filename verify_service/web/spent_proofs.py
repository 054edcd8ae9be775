"""Let a DPoP proof serve for one request, whichever worker or host it reaches (RFC 9449 §11.1)."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from verify_service.errors import NotAuthenticated
from verify_service.record_log.group_commit import GroupCommit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from verify_service.record_log.append import SpentProof
    from verify_service.record_log.group_commit import Ticket

FORGET_EVERY = timedelta(minutes=1)
# The clocks of hosts differ: what one calls over, another may still take.
FORGET_AFTER = timedelta(minutes=5)


class ProofStore(Protocol):
    """Where every worker and host keeps the proofs that were used."""

    def spend(self, department: str, proofs: Iterable[SpentProof]) -> set[bytes]:
        """Spend proofs, at least one; return the marks of those that were not spent before, by anybody."""

    def forget(self, department: str, expired_before: int) -> None:
        """Delete the proofs that ended before a second since 1970."""


class SpentProofs:
    """The proofs of one department's requests.

    A request that is recorded spends its proof with the record (``RetryKey.spends``); every other one spends it here,
    those that come at once together.
    """

    def __init__(self, department: str, store: ProofStore) -> None:
        self._department = department
        self._store = store
        self._group: GroupCommit[SpentProof, None] = GroupCommit(nullcontext, self._spend)
        self._forgot_at: datetime | None = None

    def spend(self, proof: SpentProof) -> None:
        """Use a proof up; raise NotAuthenticated where it was used before, Unavailable where that cannot be told."""
        self._group.submit(proof)

    def forget(self, now: datetime) -> None:
        """Delete now and then what would be refused for its age anyway."""
        if self._forgot_at is None or now - self._forgot_at >= FORGET_EVERY:
            self._forgot_at = now
            self._store.forget(self._department, int((now - FORGET_AFTER).timestamp()))

    def _spend(self, _: None, tickets: Sequence[Ticket[SpentProof]]) -> None:
        unspent = self._store.spend(self._department, [ticket.request for ticket in tickets])
        for ticket in tickets:
            if ticket.request.mark in unspent:
                unspent.remove(ticket.request.mark)
                ticket.succeed(None)
            else:
                ticket.fail(NotAuthenticated.proof_spent())
