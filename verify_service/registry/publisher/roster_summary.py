"""Read a roster whole and say how it differs from the one before, in numbers and never by entry."""

from __future__ import annotations

from collections import Counter
from io import BytesIO
from typing import TYPE_CHECKING

from verify_service.registry.roster import STATUSES
from verify_service.registry.roster_change import LARGEST_PERCENTAGE, RosterChange
from verify_service.registry.roster_lines import RosterReader

if TYPE_CHECKING:
    from verify_service.registry.roster import RosterHeader


WILL_BE_HELD = "each department holds it until a person there decides, so telephone them first"


class RosterSummary:
    """A roster that was read whole; raises RegistryRefused at its first fault.

    ``standings`` maps each tag to kind, status and dates.
    """

    def __init__(self, content: bytes) -> None:
        reader = RosterReader(BytesIO(content))
        self.header: RosterHeader = reader.header
        self.standings = {row[0]: row[1:5] for rows in reader.blocks() for row in rows}

    def words(self, before: RosterSummary | None) -> list[str]:
        """Say what it lists and, where tags can be compared, what is different from ``before``."""
        header = self.header
        kinds = Counter(standing[0] for standing in self.standings.values())
        statuses = Counter(standing[1] for standing in self.standings.values())
        listed = ", ".join(f"{kinds[kind]} {kind} ({coverage})" for kind, coverage in sorted(header.coverage.items()))
        spread = ", ".join(f"{statuses[status]} {status}" for status in STATUSES if statuses[status])
        said = [
            f"roster {header.seq} of {header.agency}, blinded for epoch {header.epoch}: {listed}; {spread or 'empty'}"
        ]
        if before is None:
            return [*said, "the first roster of this agency"]
        if before.header.coverage != header.coverage:
            said.append(f"coverage: {_coverage(before.header)} -> {_coverage(header)}")
        if before.header.key_id != header.key_id:
            other = f"another blinding key than in epoch {before.header.epoch}: entries cannot be compared"
            return [*said, other, f"with another key {WILL_BE_HELD}"]
        large = (
            [f"more than {LARGEST_PERCENTAGE} in 100 entries differ: {WILL_BE_HELD}"] if self._is_large(before) else []
        )
        return [*said, *self._moved(before), *large]

    def _is_large(self, before: RosterSummary) -> bool:
        """Tell whether so much differs from what is published that an ingest will hold it."""
        old = before.standings
        pairing = Counter(
            (old[tag][1] if tag in old else None, standing[1], old.get(tag) == standing)
            for tag, standing in self.standings.items()
        )
        return RosterChange.paired(len(old), pairing).is_large

    def _moved(self, before: RosterSummary) -> list[str]:
        old, new = before.standings, self.standings
        moved = Counter(
            f"{old[tag][1]} -> {new[tag][1]}" for tag in old.keys() & new.keys() if old[tag][1] != new[tag][1]
        )
        dated = sum(1 for tag in old.keys() & new.keys() if old[tag][2:] != new[tag][2:])
        counted = {"entries added": len(new.keys() - old.keys()), "entries removed": len(old.keys() - new.keys())}
        counted |= {f"from {change}": number for change, number in sorted(moved.items())} | {"with other dates": dated}
        return [f"{number} {what}" for what, number in counted.items() if number] or ["no entry differs"]


def _coverage(header: RosterHeader) -> str:
    return ", ".join(f"{kind} {part}" for kind, part in sorted(header.coverage.items()))
