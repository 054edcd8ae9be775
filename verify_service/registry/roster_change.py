"""Say how far a roster differs from the one that is held, and whether a person has to decide about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.registry.roster import STATUSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    Tally = Mapping[tuple[str, str], int]
    """How many entries a roster has of each (kind, status)."""
    Pairing = Mapping[tuple[str | None, str, bool], int]
    """How many entries of a roster there are of each (status in the one before, status, whether nothing changed).

    The first is None for an entry that the one before does not have.
    """

# A leaver, a suspension or a class of recruits is less. A thief who lists his own people, or a list cut off on the
# way, is more; and no agent is lost by waiting, since the roster that is held answers on until it expires.
LARGEST_PERCENTAGE = 20


@dataclass(frozen=True)
class RosterChange:
    """The numbers of entries ``before`` and ``after``, and of those between that are not the same in both.

    ``altered`` ones have another kind, status or dates. ``newly`` tells, by status, how many did not have it before.
    With ``by_counts`` the two were blinded under different keys, so that no entry could be told to be the same one:
    then all of it is what the numbers of each kind and status show at the least.
    """

    before: int
    after: int
    added: int
    removed: int
    altered: int
    newly: Mapping[str, int]
    by_counts: bool

    @classmethod
    def paired(cls, before: int, pairing: Pairing) -> RosterChange:
        """Compare entry by entry; ``before`` is the number of entries of the roster that is held."""
        after = sum(pairing.values())
        added = sum(count for (was, _, _), count in pairing.items() if was is None)
        return cls(
            before=before,
            after=after,
            added=added,
            removed=before - (after - added),
            altered=sum(count for (was, _, same), count in pairing.items() if was is not None and not same),
            newly={
                status: sum(count for (was, now, _), count in pairing.items() if now == status != was)
                for status in STATUSES
            },
            by_counts=False,
        )

    @classmethod
    def counted(cls, before: Tally, after: Tally) -> RosterChange:
        """Compare how many entries of each kind and status there are, where they cannot be told apart."""
        rises = {group: after.get(group, 0) - before.get(group, 0) for group in before.keys() | after.keys()}
        risen = sum(rise for rise in rises.values() if rise > 0)
        fallen = -sum(rise for rise in rises.values() if rise < 0)
        altered = min(risen, fallen)
        return cls(
            before=sum(before.values()),
            after=sum(after.values()),
            added=risen - altered,
            removed=fallen - altered,
            altered=altered,
            newly={
                status: sum(rise for (_, now), rise in rises.items() if now == status and rise > 0)
                for status in STATUSES
            },
            by_counts=True,
        )

    @property
    def counts(self) -> str:
        """How many entries changed, of how many, in words."""
        return (
            f"{self.added} entries were added, {self.removed} removed and {self.altered} altered, "
            f"of {self.before} before and {self.after} after"
        )

    @property
    def is_large(self) -> bool:
        """Whether so much changed that a person has to approve it."""
        changed = self.added + self.removed + self.altered
        return changed * 100 > LARGEST_PERCENTAGE * max(self.before, self.after)
