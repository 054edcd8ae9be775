"""Lock out who must not get in any more, though their token still holds: a person, a client, or one key of a client."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from verify_service.errors import NotAuthenticated

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from verify_service.caller import Caller

SUBJECT, CLIENT, KEY = "subject", "client", "key"
KINDS = (SUBJECT, CLIENT, KEY)
# A denial acts on every worker within this.
READ_EVERY = timedelta(seconds=2)

Denied = tuple[str, str]


@dataclass(frozen=True)
class Act:
    """Who did something about a denial, when and why."""

    by: str
    at: str
    reason: str


@dataclass(frozen=True)
class Denial:
    """What is denied: a subject (``sub``), a client (``client_id``) or a key (``jkt``). Lifted, it stays on record."""

    kind: str
    value: str
    added: Act
    lifted: Act | None = None


class DenyStore(Protocol):
    """Where every worker and host reads who is denied."""

    def add(self, department: str, kind: str, value: str, act: Act) -> bool:
        """Deny; return False where that stands already."""

    def lift(self, department: str, kind: str, value: str, act: Act) -> bool:
        """Lift what stands; return False where nothing does."""

    def denials(self, department: str) -> Sequence[Denial]:
        """Return every denial there ever was, the oldest first."""

    def standing(self, department: str) -> Iterable[Denied]:
        """Return what is denied now, by kind and value."""


class DenyList:
    """A department's deny list as this process knows it, never older than ``READ_EVERY``."""

    def __init__(self, department: str, store: DenyStore) -> None:
        self._department = department
        self._store = store
        self._lock = threading.Lock()
        self._standing: frozenset[Denied] = frozenset()
        self._read_at: datetime | None = None

    def check(self, caller: Caller, now: datetime) -> None:
        """Raise NotAuthenticated for who is denied, StorageUnavailable where that cannot be told."""
        self._refresh(now)
        if not self._standing:
            return
        named = {(SUBJECT, caller.subject), (CLIENT, caller.client_id), (KEY, caller.jkt)}
        if not self._standing.isdisjoint(named):
            raise NotAuthenticated("Your access was withdrawn: speak to your supervisor or the operator.")

    def _refresh(self, now: datetime) -> None:
        if self._is_stale(now):
            with self._lock:
                if self._is_stale(now):
                    self._standing = frozenset(self._store.standing(self._department))
                    self._read_at = now

    def _is_stale(self, now: datetime) -> bool:
        # A clock that was set back must not make the list last.
        return self._read_at is None or abs(now - self._read_at) >= READ_EVERY
