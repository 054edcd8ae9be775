"""Say which plain character another one only looks like (Unicode TR39), for people; never used to normalise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confusable_homoglyphs import confusables

if TYPE_CHECKING:
    from collections.abc import Container

ENGLISH_ENDINGS = {1: "st", 2: "nd", 3: "rd"}
TEENS = range(11, 14)


def looks_like(character: str, plain: Container[str]) -> str | None:
    """Return the character among ``plain``, in either case, that ``character`` is easily taken for, or None."""
    for found in confusables.is_confusable(character) or []:
        for homoglyph in found["homoglyphs"]:
            if homoglyph["c"].upper() in plain:
                return homoglyph["c"]
    return None


def ordinal(number: int) -> str:
    """Write 1st, 2nd, 3rd, 4th, … 11th, … 21st."""
    ending = "th" if number % 100 in TEENS else ENGLISH_ENDINGS.get(number % 10, "th")
    return f"{number}{ending}"
