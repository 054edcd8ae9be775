"""Compare until when operation codes are active with the records that activated them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify_service.record_log.audit import Fault
from verify_service.record_log.log import RECORDS
from verify_service.record_log.record import Record
from verify_service.verification.activation import OP_CODE_ACTIVATED, activation_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verify_service.record_log.audit import ReadRecord
    from verify_service.vault import Vault


class ActivationAudit:
    """The activations of one department, as its records add up to."""

    def __init__(self, department: str, vault: Vault) -> None:
        self._department = department
        self._vault = vault
        self._until: dict[bytes, str] = {}

    def take(self, read: ReadRecord) -> None:
        """Note what a record activated."""
        logged = read.placed.logged
        if isinstance(logged, Record) and logged.kind == OP_CODE_ACTIVATED:
            activated = activation_of(logged, read.fields, self._vault)
            if activated is not None:
                self._until[activated.code] = activated.until

    def finish(self, rows: Iterator[tuple[bytes, str]]) -> Iterator[Fault]:
        """Yield a fault for each row that the records do not give, and for each that lacks."""
        left = dict(self._until)
        for code, until in rows:
            if left.pop(code, None) != until:
                yield self._fault("an operation code is active for another time than its record says")
        for _ in left:
            yield self._fault("an operation code that a record activated is not among the active ones")

    def _fault(self, sentence: str) -> Fault:
        return Fault(f"{self._department}/{RECORDS}", None, sentence)
