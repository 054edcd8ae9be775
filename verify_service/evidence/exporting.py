"""Hand out exports of verifications: nobody has one before it is on record who asked for it, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.errors import InvalidRequest
from verify_service.evidence.case_export import CaseExport, export_case
from verify_service.record_log.record import SealedField

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from verify_service.access.event import AccessEvents
    from verify_service.caller import Caller
    from verify_service.clock import Clock
    from verify_service.evidence.case_export import Sources

OPERATION = "exportEvidence"
SALT_BYTES = 32


@dataclass(frozen=True)
class Asked:
    """Who asks for an export, why, and from which address; None from the command line."""

    caller: Caller
    reason: str
    address: str | None = None


class Exporting:
    """The exports of a deployment."""

    def __init__(
        self, sources: Sources, events: AccessEvents, clock: Clock, random_bytes: Callable[[int], bytes]
    ) -> None:
        self._sources = sources
        self._events = events
        self._clock = clock
        self._random_bytes = random_bytes

    def export(
        self, asked: Asked, verifications: Sequence[str], form: str, largest: int | None = None
    ) -> list[CaseExport]:
        """Return an export of each verification, once each has its access event.

        Raises InvalidRequest where they are more than ``largest`` bytes together, what ``export_case`` raises, and
        Unavailable where the events cannot be written; nothing is handed out then.
        """
        made: list[CaseExport] = []
        for verification in verifications:
            case = export_case(self._sources, asked.caller.department, verification, form, self._clock.now())
            made.append(case)
            if largest is not None and sum(len(each.content) for each in made) > largest:
                raise InvalidRequest.at(
                    "", f"This is more than {largest} bytes: export one verification at a time, or by the command."
                )
        self.record(asked, [f"verification:{each.verification}" for each in made], form)
        return made

    def record(self, asked: Asked, subjects: Sequence[str], form: str) -> None:
        """Put an export of subjects on record; raise Unavailable where that cannot be, and then hand nothing out."""
        reason = SealedField(asked.reason, self._random_bytes(SALT_BYTES))
        self._events.exported(asked.caller, OPERATION, subjects, form, reason, asked.address)
