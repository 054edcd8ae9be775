"""Destroy what has been kept long enough and nothing holds, on the word of two people; look first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verify_service.access.reading import Criteria
from verify_service.access.visibility import Visibility
from verify_service.caller import Caller
from verify_service.clock import rfc3339
from verify_service.errors import ConfigurationError
from verify_service.verification.destruction import Warrant
from verify_service.verification.event import Moments, Reporter
from verify_service.verification.retention import holds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from verify_service.access.reading import CaseReader
    from verify_service.clock import Clock
    from verify_service.verification.case import Case
    from verify_service.verification.destruction import Destroyer
    from verify_service.verification.expunge import ExpungeOrders

# The floor that is cited for a city (Gov. Code 34090(d)), and the default (policy ground §3).
FEWEST_YEARS, YEARS = 2, 5
FEWEST_APPROVERS = 2
PAGE = 200
GROUND = "Retention period of {years} years ended"


@dataclass(frozen=True)
class Due:
    """What is past its time on a day: ids to destroy, incidents that nothing is left of then, and what is held."""

    years: int
    before: str
    verifications: Sequence[str]
    incidents: Sequence[str]
    held: Mapping[str, Sequence[str]]

    def document(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        return {**vars(self), "verifications": list(self.verifications), "incidents": list(self.incidents)}


class Retention:
    """The retention of one department's verifications."""

    def __init__(
        self,
        department: str,
        reader: CaseReader,
        orders: ExpungeOrders,
        destroyer: Destroyer,
        clock: Clock,
        years: int = YEARS,
    ) -> None:
        if years < FEWEST_YEARS:
            raise ConfigurationError(f"Records are kept for {FEWEST_YEARS} years at least: give --years {YEARS}.")
        self._department = department
        self._reader = reader
        self._orders = orders
        self._destroyer = destroyer
        self._clock = clock
        self._years = years

    def due(self) -> Due:
        """Return what is past its time now."""
        before = rfc3339(_years_before(self._clock.now(), self._years))
        going: dict[str, str] = {}
        held: dict[str, Sequence[str]] = {}
        for case in self._opened_before(before):
            incident = self._reader.subject(self._department, f"incident:{case.incident}").state
            reasons = holds(case, incident)
            if reasons:
                held[case.id] = reasons
            else:
                going[case.id] = case.incident
        incidents = [
            incident
            for incident in dict.fromkeys(going.values())
            if not set(self._orders.remaining(self._department, incident)) - going.keys()
        ]
        return Due(self._years, before, list(going), incidents, held)

    def carry_out(self, due: Due, approvers: Sequence[str]) -> None:
        """Destroy what is due, and the statements with it; raise ConfigurationError without two different approvers."""
        if len(set(approvers)) < FEWEST_APPROVERS:
            raise ConfigurationError("Two different people approve: give --approver twice, with their serials.")
        warrant = Warrant(GROUND.format(years=due.years), f"opened before {due.before}", tuple(approvers))
        # The job did it; who approved stands in the body.
        job = Caller.at_command_line(self._department, "retention", "retention")
        by = Reporter(job, Moments(received_at=self._clock.now()))
        refs = [f"verification:{name}" for name in due.verifications] + [f"incident:{name}" for name in due.incidents]
        for ref in refs:
            self._destroyer.destroy(by, ref, warrant, statements=True)
        self._destroyer.forget()

    def _opened_before(self, before: str) -> Iterator[Case]:
        visible, criteria, cursor = Visibility(self._department), Criteria(opened_before=before), None
        while page := self._reader.page(visible, criteria, None, cursor, PAGE):
            yield from (case for _, case in page)
            cursor = page[-1][0]


def _years_before(now: datetime, years: int) -> datetime:
    try:
        return now.replace(year=now.year - years)
    except ValueError:
        # 29 February.
        return now.replace(year=now.year - years, day=28)
