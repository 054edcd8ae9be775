"""Compare by what access events are found with the events themselves."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from verify_service.access.trail import index, names
from verify_service.record_log.audit import Fault
from verify_service.record_log.log import ACCESS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from verify_service.record_log.audit import ReadRecord
    from verify_service.record_log.log import LogId
    from verify_service.vault import Vault

MODULUS = 2**256


class TrailAudit:
    """The trail of one log, empty unless that is an access log; ``before`` counts the entries of the logs before it.

    Rows and events come in orders of their own, and neither fit in memory: what is compared is the sum of their
    digests.
    """

    def __init__(self, log: LogId, before: int, vault: Vault) -> None:
        self._log = log
        self._before = before
        self._vault = vault
        self._sum = 0

    def take(self, read: ReadRecord) -> None:
        """Note by what an event is found."""
        for name in names(read.placed.logged) if self._log.series == ACCESS else ():
            about = index(self._vault, self._log.department, name)
            self._sum += _digest(about, self._before + read.index, read.index)

    def finish(self, rows: Iterable[tuple[bytes, int, int]]) -> Iterator[Fault]:
        """Yield a fault where the rows, (about, cursor, index) each, are not what the events add up to."""
        if (self._sum - sum(_digest(*row) for row in rows)) % MODULUS:
            yield Fault(str(self._log), None, "what its access events are found by is not what they say")


def _digest(about: bytes, cursor: int, place: int) -> int:
    return int.from_bytes(hashlib.sha256(about + cursor.to_bytes(8, "big") + place.to_bytes(8, "big")).digest(), "big")
