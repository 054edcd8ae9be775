"""Decide whether a person has to look at a roster before it is taken."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from verify_service.registry.hold import Hold
from verify_service.registry.roster import COMPLETE
from verify_service.registry.roster_change import RosterChange

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from verify_service.registry.edition import RosterRef
    from verify_service.registry.intake import IngestStore

# An agency's role holds for so long, so nobody is asked twice about what was put in its place meanwhile.
LOOKED_BACK = timedelta(hours=72)
# One for each cycle of a week. A thief's roster with a number near the largest would leave the agency none to follow.
LARGEST_LEAP = 1000


class Held(Exception):
    """A roster waits for a person; what answers for its agency stays as it is."""

    def __init__(self, hold: Hold) -> None:
        super().__init__(hold.agency)
        self.hold = hold


class RosterReview:
    """The review of a department's rosters in one cycle, at one moment."""

    def __init__(self, department: str, store: IngestStore, at: datetime) -> None:
        self._department = department
        self._store = store
        self._at = at
        self._known = {(held.hold.agency, held.hold.sha256): held for held in store.holds(department)}

    def require_takeable(self, last: RosterRef | None, new: RosterRef, signatures: int) -> None:
        """Raise Held where a person has to decide and nobody did, and RegistryRefused where it was rejected.

        ``last`` is the roster that was taken last, even where it was withdrawn meanwhile: else an agency without any
        would open the way for anything.
        """
        known = self._known.get((new.agency, new.sha256))
        if known is not None and known.decision is not None:
            known.require_approved()
            return
        if last is None:
            return
        if known is not None and known.hold.from_seq == last.seq:
            raise Held(known.hold)
        change = self._change(last, new)
        grounds = (*_grounds(last, new), *self._crept(last, new))
        if change.is_large or grounds:
            raise Held(Hold(new.agency, new.sha256, last.seq, new.seq, signatures, change, grounds))

    def _crept(self, last: RosterRef, new: RosterRef) -> Iterator[str]:
        """Yield a sentence where rosters that each changed little changed too much together."""
        before = self._relied_on(last)
        if before.sha256 == last.sha256:
            return
        change = self._change(before, new)
        if change.is_large:
            yield f"Since number {before.seq}, within {LOOKED_BACK // timedelta(hours=1)} hours, {change.counts}."

    def _relied_on(self, last: RosterRef) -> RosterRef:
        """Return the roster of 72 hours ago, or the newest since that a person approved."""
        stood = self._store.roster_at(self._department, last.agency, self._at - LOOKED_BACK) or last
        approved = [
            held.hold
            for held in self._known.values()
            if held.hold.agency == last.agency
            and held.decision is not None
            and held.decision.approved
            and stood.seq < held.hold.to_seq <= last.seq
        ]
        if not approved:
            return stood
        newest = max(approved, key=lambda hold: hold.to_seq)
        return self._store.find_roster(self._department, last.agency, newest.sha256) or stood

    def _change(self, old: RosterRef, new: RosterRef) -> RosterChange:
        if old.key_id == new.key_id:
            return RosterChange.paired(old.count, self._store.pair(self._department, old.number, new.number))
        # Under another key every tag is another, though everybody may still be there.
        return RosterChange.counted(*(self._store.tally(self._department, ref.number) for ref in (old, new)))


def _grounds(last: RosterRef, new: RosterRef) -> Iterator[str]:
    """Yield a sentence for each thing that numbers of entries do not show."""
    if new.key_id != last.key_id:
        yield "It has another key, so that nobody can tell from here whether it lists the same people."
    for kind, part in new.coverage.items():
        if kind not in last.coverage:
            yield f"It is the first with numbers of the kind {kind}."
        elif part == COMPLETE != last.coverage[kind]:
            yield f"It calls itself complete for {kind}, so that whoever is missing would be called not listed."
    if new.seq - last.seq > LARGEST_LEAP:
        yield f"Its number is more than {LARGEST_LEAP} past the last."
