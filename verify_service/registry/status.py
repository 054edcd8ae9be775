"""Tell how a department's registry stands: its edition and cycles, and per agency what is held and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from verify_service.clock import rfc3339
from verify_service.registry import alert
from verify_service.registry.check import fresh_until
from verify_service.registry.edition import EditionStore

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from verify_service.registry.alert import Alert
    from verify_service.registry.cycle import CycleRow, Notice, Setback
    from verify_service.registry.edition import AgencyState, Edition


class StatusStore(EditionStore, Protocol):
    """Where cycles are kept, beside the editions that they made."""

    def last_cycle(self, department: str, *, accepted: bool = False) -> CycleRow | None:
        """Return the newest cycle, ended or not; with ``accepted``, the newest that made or renewed an edition."""

    def setbacks(self, department: str) -> Sequence[Setback]:
        """Return each agency's last refusal or hold, by agency."""

    def notices(self, department: str, since: datetime) -> Sequence[Notice]:
        """Return what was noticed from a moment on, the oldest first."""


@dataclass(frozen=True)
class RegistryStatus:
    """A department's registry ``at`` one moment; ``good`` is the newest cycle that accepted something.

    ``setbacks`` are the agencies' last ones, by agency; ``notices`` those of the last 72 hours.
    """

    at: datetime
    edition: Edition | None
    last: CycleRow | None
    good: CycleRow | None
    setbacks: Mapping[str, Setback]
    notices: Sequence[Notice]

    @classmethod
    def read(cls, store: StatusStore, department: str, at: datetime) -> RegistryStatus:
        """Read it at a moment that may be later than now."""
        return cls(
            at=at,
            edition=store.current(department),
            last=store.last_cycle(department),
            good=store.last_cycle(department, accepted=True),
            notices=store.notices(department, at - alert.TOLD_FOR),
            setbacks={setback.agency: setback for setback in store.setbacks(department)},
        )

    @property
    def alerts(self) -> list[Alert]:
        """What is to be read first, the worst first; a last line says what expires next."""
        if self.edition is None:
            return [alert.never_ingested(), *alert.refused(self.last)]
        standing = [setback for setback in self.setbacks.values() if self.stands(setback)]
        return [
            *alert.clock_behind(self.edition, self.at),
            *alert.expired(self.edition, self.at),
            *alert.refused(self.last),
            *alert.silent(self.edition, self.at),
            *map(alert.changed, self.notices),
            *(alert.not_taken(setback, self.edition) for setback in standing),
            *alert.expires_next(self.edition, self.at),
        ]

    @property
    def ok(self) -> bool:
        """Whether nobody has to act: nothing has expired, was refused or waits."""
        return all(each.kind == alert.NEXT for each in self.alerts)

    def stands(self, setback: Setback) -> bool:
        """Tell whether a setback was met by the newest good cycle too, so that what the agency had before answers."""
        return self.good is not None and setback.cycle == self.good.number

    def age_seconds(self, since: datetime) -> int:
        """Return how many whole seconds ago a moment was, 0 where it has not come."""
        return max(0, int((self.at - since).total_seconds()))

    def document(self) -> dict[str, Any]:
        """Return the status as a JSON document for who operates the service."""
        edition, last = self.edition, self.last
        return {
            "ok": self.ok,
            "at": rfc3339(self.at),
            "alerts": [{**each.document(), "for_operator": each.for_operator} for each in self.alerts],
            "edition": None if edition is None else edition.number,
            "synthetic": edition is not None and edition.synthetic,
            "refreshed_at": None if edition is None else rfc3339(edition.refreshed_at),
            "timestamp_age_seconds": None if edition is None else self.age_seconds(edition.refreshed_at),
            "last_cycle": None if last is None else last.document(),
            "agencies": [] if edition is None else [self._agency(*each, edition) for each in edition.agencies.items()],
        }

    def _agency(self, code: str, agency: AgencyState, edition: Edition) -> dict[str, Any]:
        roster, setback = agency.roster, self.setbacks.get(code)
        return {
            "agency": code,
            "enrolment_level": agency.profile.level,
            "roster": None
            if roster is None
            else {
                "seq": roster.seq,
                "epoch": roster.epoch,
                "entries": roster.count,
                "issued_at": rfc3339(roster.issued_at),
                "age_seconds": self.age_seconds(roster.issued_at),
            },
            "fresh_until": rfc3339(fresh_until(edition, agency)),
            "setback": None
            if setback is None
            else {**setback.document(), "stands": self.stands(setback), "reason": setback.reason},
        }
