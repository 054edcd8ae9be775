"""Lay out the agencies of a synthetic registry: real names, marked as samples, and made-up everything else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from verify_service.registry.profile import (
    CALLBACK_AGREEMENT,
    OP_CODES,
    PUBLIC_NUMBER,
    UNKNOWN,
    Callback,
    Profile,
)
from verify_service.registry.roster import COMPLETE, PARTIAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from random import Random

LABEL = "synthetic"
SOURCE = "synthetic: a made-up number of the range kept for fiction, 555-0100 to 555-0199"
MOST_AGENCIES = 90
# Enough for one of each standing, where there are so many; more than the most would make too large a roster.
FEWEST_ENTRIES, MOST_ENTRIES = 8, 300_000
ROOM = 1.3
# Where nobody publishes a roster, every so many agencies have agreed to be called back.
AGREED_TO_CALLBACK = 5


@dataclass(frozen=True)
class SyntheticAgency:
    """A sample agency: its profile, how many entries its roster has, and how its badges are numbered.

    ``coverage`` is empty where it publishes no roster.
    """

    profile: Profile
    entries: int
    coverage: Mapping[str, str]
    badge_digits: int


def synthetic_agencies(count: int, entries: int, at: datetime, source: Random) -> Sequence[SyntheticAgency]:
    """Return the first ``count`` sample agencies, whose rosters have ``entries`` entries together.

    Without entries there are no rosters, and no agency is above level 2.
    """
    rows = json.loads(files(__package__).joinpath("synthetic_agencies.json").read_bytes())[:count]
    shares = [row["share"] if row["level"] >= OP_CODES else 0 for row in rows]
    sizes = _apportioned(entries, shares)
    return [
        _agency(place, row, size, entries > 0, at, source)
        for place, (row, size) in enumerate(zip(rows, sizes, strict=True))
    ]


def _agency(
    place: int, row: Mapping[str, Any], size: int, with_rosters: bool, at: datetime, source: Random
) -> SyntheticAgency:
    level = row["level"] if with_rosters else _level_today(place, row["level"])
    callback = Callback(
        number=f"+120255501{place:02d}",
        source=SOURCE,
        tested_on=(at - timedelta(days=source.randrange(1, 180))).date().isoformat(),
    )
    profile = Profile(
        agency=row["code"],
        name=f"{row['name']} ({LABEL})",
        level=level,
        kinds=tuple(row["kinds"]),
        formats=row["formats"],
        callback=None if level == UNKNOWN else callback,
        synthetic=True,
    )
    coverage = {kind: PARTIAL if kind in row["partial"] else COMPLETE for kind in row["kinds"]}
    badges = size // max(1, sum(1 for kind in row["kinds"] if kind != "op_code"))
    return SyntheticAgency(profile, size, coverage if level >= OP_CODES else {}, _digits(row["badge_digits"], badges))


def _digits(usual: int, badges: int) -> int:
    """Return how many digits badges have, so that some numbers are left that nobody carries."""
    return usual if badges < 10**usual / ROOM else _digits(usual + 1, badges)


def _level_today(place: int, level: int) -> int:
    if level == UNKNOWN:
        return UNKNOWN
    return CALLBACK_AGREEMENT if place % AGREED_TO_CALLBACK == 0 else PUBLIC_NUMBER


def _apportioned(total: int, shares: Sequence[int]) -> list[int]:
    """Split ``total`` in proportion to ``shares`` by largest remainders; the parts add up to it exactly.

    A part that would be larger than ``MOST_ENTRIES`` is cut to it, and the others share what that leaves.
    """
    whole, sharers = sum(shares), sum(1 for share in shares if share)
    if whole == 0:
        return [0] * len(shares)
    fewest = min(FEWEST_ENTRIES, total // sharers)
    rest = total - fewest * sharers
    parts = [rest * share // whole + fewest if share else 0 for share in shares]
    too_large = [place for place, part in enumerate(parts) if part > MOST_ENTRIES]
    if too_large:
        others = _apportioned(
            total - MOST_ENTRIES * len(too_large),
            [0 if place in too_large else share for place, share in enumerate(shares)],
        )
        return [MOST_ENTRIES if place in too_large else part for place, part in enumerate(others)]
    by_remainder = sorted(range(len(shares)), key=lambda place: -(rest * shares[place] % whole))
    for place in by_remainder[: total - sum(parts)]:
        parts[place] += 1
    return parts
