"""Name the values that a number misread at night may have been, nearest first."""

from __future__ import annotations

from itertools import combinations, islice, product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# What is taken for another on a vest and by OCR.
SETS = ("0OQD", "1IL", "5S", "8B", "2Z", "6G")
TAKEN_FOR = {character: taken.replace(character, "") for taken in SETS for character in taken}
MOST_ALTERNATES = 8
# A long value has more ways to be misread than there is time to try.
MOST_TRIED = 512


def alternates(value: str, fits: Callable[[str], bool]) -> list[str]:
    """Return up to eight canonical values that are easily read as ``value`` and fit what the agency issues.

    Those with fewer characters misread come first, so that the eight are the likeliest.
    """
    return list(islice(filter(fits, islice(_misread(value), MOST_TRIED)), MOST_ALTERNATES))


def _misread(value: str) -> Iterator[str]:
    doubtful = [place for place, character in enumerate(value) if character in TAKEN_FOR]
    for many in range(1, len(doubtful) + 1):
        for places in combinations(doubtful, many):
            characters = list(value)
            for read in product(*(TAKEN_FOR[value[place]] for place in places)):
                for place, character in zip(places, read, strict=True):
                    characters[place] = character
                yield "".join(characters)
