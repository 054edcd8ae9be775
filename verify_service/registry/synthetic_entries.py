"""Make up an agency's identifiers, with a plausible spread of standings, for a synthetic roster."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from string import ascii_uppercase
from typing import TYPE_CHECKING

from verify_service.registry.identifier import Identifier
from verify_service.registry.minted import mint
from verify_service.registry.roster import RosterEntry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from random import Random

    from verify_service.registry.synthetic_agency import SyntheticAgency

CREDENTIAL_LETTERS, CREDENTIAL_DIGITS = 2, 7
# An agency keeps a pool of op_codes for this many of its other entries.
ENTRIES_PER_OP_CODE = 50
# Parts in ten thousand.
STATUS_SHARES = {"active": 9200, "suspended": 120, "separated": 580, "lost": 100}
RUNNING, ENDED, NOT_BEGUN = "running", "ended", "not_begun"
SPAN_SHARES = {RUNNING: 9900, ENDED: 60, NOT_BEGUN: 40}
# The first entries of each kind, so that even a small registry has one of each standing.
SAMPLES = (
    ("active", RUNNING),
    ("suspended", RUNNING),
    ("separated", RUNNING),
    ("lost", RUNNING),
    ("active", ENDED),
    ("active", RUNNING),
)
SHARED_PLACE = len(SAMPLES) - 1


def synthetic_entries(
    agency: SyntheticAgency, at: datetime, source: Random, shared_badge: str | None = None
) -> list[RosterEntry]:
    """Return an agency's entries in clear; those of each kind have the standings of ``SAMPLES`` first.

    ``shared_badge`` is a badge number that other agencies have as well; it stands at ``SHARED_PLACE``.
    """
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    entries: list[RosterEntry] = []
    for kind, size in _split(tuple(agency.coverage), agency.entries):
        values = _values(kind, size, agency.badge_digits, source)
        if kind == "badge" and shared_badge is not None and size > SHARED_PLACE:
            values = [value for value in values if value != shared_badge]
            values.insert(SHARED_PLACE, shared_badge)
        standings = _standings(midnight, source, dated=kind != "op_code")
        entries += [
            RosterEntry(Identifier(kind, value), *standing)
            for value, standing in zip(values[:size], standings, strict=False)
        ]
    return entries


def absent_value(kind: str, badge_digits: int, taken: set[str], source: Random) -> str:
    """Return a value that looks like an agency's own and is not in its roster."""
    while True:
        (value,) = _values(kind, 1, badge_digits, source)
        if value not in taken:
            return value


def _split(kinds: Sequence[str], total: int) -> Iterator[tuple[str, int]]:
    """Yield each kind with its number of entries: a small pool of op_codes, the others alike."""
    others = [kind for kind in kinds if kind != "op_code"]
    pool = 0 if "op_code" not in kinds else total if not others else min(total, 1 + total // ENTRIES_PER_OP_CODE)
    for place, kind in enumerate(others):
        rest = total - pool
        yield kind, rest // len(others) + (place < rest % len(others))
    if pool:
        yield "op_code", pool


def _values(kind: str, size: int, badge_digits: int, source: Random) -> list[str]:
    """Return ``size`` different values."""
    if kind == "badge":
        numbers = source.sample(range(10**badge_digits), size)
        return [f"{number:0{badge_digits}d}" for number in numbers]
    values: dict[str, None] = {}
    while len(values) < size:
        values[_value(kind, source)] = None
    return list(values)


def _value(kind: str, source: Random) -> str:
    if kind == "credential":
        letters = "".join(source.choices(ascii_uppercase, k=CREDENTIAL_LETTERS))
        return f"{letters}{source.randrange(10**CREDENTIAL_DIGITS):0{CREDENTIAL_DIGITS}d}"
    return mint(source, kind)


def _standings(
    midnight: datetime, source: Random, *, dated: bool
) -> Iterator[tuple[str, datetime | None, datetime | None]]:
    """Yield status, first and last moment without end, those of ``SAMPLES`` first."""
    statuses, spans = tuple(STATUS_SHARES), tuple(SPAN_SHARES)
    for place in count():
        if place < len(SAMPLES):
            status, span = SAMPLES[place]
        else:
            (status,) = source.choices(statuses, tuple(STATUS_SHARES.values()))
            (span,) = source.choices(spans, tuple(SPAN_SHARES.values()))
        yield status, *(_dates(span, midnight, source) if dated else (None, None))


def _dates(span: str, midnight: datetime, source: Random) -> tuple[datetime, datetime]:
    if span == RUNNING:
        begun, ends = -source.randrange(30, 6000), source.randrange(30, 1800)
    elif span == ENDED:
        begun, ends = -source.randrange(500, 6000), -source.randrange(1, 400)
    else:
        begun, ends = source.randrange(1, 60), source.randrange(400, 1800)
    return midnight + timedelta(days=begun), midnight + timedelta(days=ends)
