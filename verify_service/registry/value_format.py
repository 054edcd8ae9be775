"""Describe what an agency's identifiers look like, in a language too small to be slow or dangerous to match."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

LONGEST_PATTERN = 100
LONGEST_VALUE = 64
# Each part that can take a different number of characters multiplies the ways to try: with two of them a value of
# the longest size costs some thousand steps, with ten it would cost more than there is time.
MOST_ELASTIC_PARTS = 2

_PART = re.compile(
    r"(?:(?P<literal>[A-Z0-9])|\[(?P<class>[A-Z0-9-]+)\](?:\{(?P<least>[0-9]{1,2})(?:,(?P<most>[0-9]{1,2}))?\})?)"
)
_CLASS = re.compile(r"(?:[A-Z]-[A-Z]|[0-9]-[0-9]|[A-Z0-9])+")

_NOUNS = {
    "0-9": ("digit", "digits"),
    "A-Z": ("letter", "letters"),
    "A-Z0-9": ("letter or digit", "letters or digits"),
}


class FormatMalformed(ValueError):
    """A format is not in the language; the text says what is wrong with it."""


@dataclass(frozen=True)
class ValueFormat:
    """A sequence of capital letters, digits and classes such as ``[A-F0-9]`` with ``{n}`` or ``{n,m}``.

    The text is also a regular expression of every common dialect, to be matched against the whole canonical value.
    """

    pattern: str

    @classmethod
    @lru_cache(maxsize=1024)
    def parse(cls, pattern: str) -> ValueFormat:
        """Read a format; raise FormatMalformed where it is outside the language."""
        if not 0 < len(pattern) <= LONGEST_PATTERN:
            raise FormatMalformed(f"a format has 1 to {LONGEST_PATTERN} characters")
        position = longest = elastic = 0
        while position < len(pattern):
            part = _PART.match(pattern, position)
            if part is None:
                raise FormatMalformed(
                    f"nothing at place {position + 1} is a letter, a digit or a class such as [0-9]{{5}}"
                )
            least, most = _size(part)
            longest, elastic, position = longest + most, elastic + (least != most), part.end()
        if longest > LONGEST_VALUE:
            raise FormatMalformed(f"it would take more than {LONGEST_VALUE} characters")
        if elastic > MOST_ELASTIC_PARTS:
            raise FormatMalformed(f"more than {MOST_ELASTIC_PARTS} of its parts have no fixed size")
        return cls(pattern)

    def matches(self, value: str) -> bool:
        """Tell whether the whole canonical value looks like this."""
        return self._compiled.fullmatch(value) is not None

    def words(self) -> str:
        """Describe it to a person, such as ``up to 1 letter, 5 digits``."""
        literal, described = "", []
        for part in _PART.finditer(self.pattern):
            if part["literal"] is not None:
                literal += part["literal"]
                continue
            described += [f"'{literal}'"] if literal else []
            literal = ""
            described.append(_in_words(part))
        return ", ".join([*described, f"'{literal}'"] if literal else described)

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern, re.ASCII)


def _size(part: re.Match[str]) -> tuple[int, int]:
    """Return the fewest and most characters that one part takes."""
    if part["literal"] is not None:
        return 1, 1
    if _CLASS.fullmatch(part["class"]) is None:
        raise FormatMalformed(f"[{part['class']}] is not made of letters, digits and ranges such as A-F")
    if any(first > last for first, last in re.findall(r"(.)-(.)", part["class"])):
        raise FormatMalformed(f"a range in [{part['class']}] runs backwards")
    if part["least"] is None:
        return 1, 1
    least = int(part["least"])
    most = least if part["most"] is None else int(part["most"])
    if most < max(least, 1):
        raise FormatMalformed("a part takes at least one character, and no fewer at most than at least")
    return least, most


def _in_words(part: re.Match[str]) -> str:
    least, most = _size(part)
    amount = f"up to {most}" if least == 0 else f"{least}" if least == most else f"{least} to {most}"
    one, several = _NOUNS.get(part["class"], (f"of [{part['class']}]",) * 2)
    return f"{amount} {one if most == 1 else several}"
