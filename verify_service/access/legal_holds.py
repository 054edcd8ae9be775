"""List the verifications that must be kept, for those who may see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.access.reading import Criteria
from verify_service.access.visibility import visibility
from verify_service.verification.retention import legal_holds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from verify_service.access.event import AccessEvents
    from verify_service.access.reading import CaseReader
    from verify_service.access.visibility import Visibility
    from verify_service.caller import Caller
    from verify_service.verification.case import Case
    from verify_service.verification.incident import Incident
    from verify_service.verification.retention import LegalHold

OPERATION = "listHolds"
# What a case stands at is sealed, so each one is opened to see whether it is held.
MOST_OPENED = 2000
PAGE = 200


@dataclass(frozen=True)
class HeldCase:
    """A verification and the holds on it that are in force, one at least."""

    case: Case
    incident: Incident
    holds: Sequence[LegalHold]


class HeldCases:
    """The verifications of a deployment that are held."""

    def __init__(self, reader: CaseReader, events: AccessEvents) -> None:
        self._reader = reader
        self._events = events

    def page(
        self, caller: Caller, before: int | None, limit: int, address: str | None
    ) -> tuple[list[HeldCase], int | None]:
        """Return up to ``limit``, the newest first, and the cursor of the next page, None where all were seen.

        A page may have fewer, or none, and still have a next one. It is one access event.
        """
        held: list[HeldCase] = []
        after = None
        for opened, (place, case) in enumerate(self._cases(visibility(caller), before), start=1):
            incident = self._reader.subject(caller.department, f"incident:{case.incident}").state
            if in_force := legal_holds(case, incident):
                held.append(HeldCase(case, incident, in_force))
            if len(held) == limit or opened == MOST_OPENED:
                after = place
                break
        self._events.listed(caller, OPERATION, {}, [each.case.id for each in held], address)
        return held, after

    def _cases(self, visible: Visibility, before: int | None) -> Iterator[tuple[int, Case]]:
        while page := self._reader.page(visible, Criteria(), None, before, PAGE):
            yield from page
            before = page[-1][0]
