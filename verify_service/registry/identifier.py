"""Bring what was typed for an identifier into the one form that is blinded and looked up (``canon/v1``)."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from verify_service.errors import InvalidRequest
from verify_service.registry.lookalike import looks_like, ordinal
from verify_service.registry.minted import check_character_fits

CANON = "canon/v1"
KINDS = ("badge", "credential", "minted", "op_code")
RESERVED_KIND = "card"
LONGEST_TYPED = 64
IGNORED = frozenset(" .-/")
LETTERS_AND_DIGITS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


@dataclass(frozen=True)
class Identifier:
    """A kind and a canonical value: capital letters A to Z and digits, nothing else."""

    kind: str
    value: str


def parse_identifier(kind: str, typed: str, pointer: str = "/identifier") -> Identifier:
    """Make an identifier of what a person typed.

    ``pointer`` is the JSON Pointer of the ``{kind, value}`` object in the caller's document; InvalidRequest names
    ``kind`` or ``value`` under it. Whether the value fits an agency's format is asked of its profile.
    """
    if kind == RESERVED_KIND:
        raise InvalidRequest.at(f"{pointer}/kind", "Cards cannot be read yet: use the number that is printed on it.")
    if kind not in KINDS:
        raise InvalidRequest.at(f"{pointer}/kind", f"This is none of the kinds {', '.join(KINDS)}.")
    value = canonical_value(typed, f"{pointer}/value")
    if not check_character_fits(kind, value):
        raise InvalidRequest.at(
            f"{pointer}/value",
            "A character was misread or left out, for the last one is a check character and does not fit the others: "
            "read it again.",
        )
    return Identifier(kind, value)


def canonical_value(typed: str, pointer: str) -> str:
    """Normalise by ``canon/v1``: NFKC, capitals, without space, full stop, hyphen and slash; then only A-Z and 0-9.

    A character that NFKC leaves outside ASCII is refused before capitals are made, since U+00DF and U+0131 would
    become "SS" and "I" and so pass for what nobody printed. The result is a fixed point of this function.
    """
    # NFKC of the whole cannot differ from that of each character, once every one of these is ASCII.
    parts = [unicodedata.normalize("NFKC", character) for character in typed]
    if sum(map(len, parts)) > LONGEST_TYPED:
        raise InvalidRequest.at(pointer, f"This is longer than {LONGEST_TYPED} characters: type the number alone.")
    for place, (character, part) in enumerate(zip(typed, parts, strict=True), start=1):
        if not all(folded.isascii() and folded.upper() in LETTERS_AND_DIGITS | IGNORED for folded in part):
            raise InvalidRequest.at(pointer, _refusal(place, character))
    value = "".join(character for character in "".join(parts).upper() if character not in IGNORED)
    if not value:
        raise InvalidRequest.at(pointer, "There is no letter or digit in this: type what was shown.")
    return value


def _refusal(place: int, character: str) -> str:
    shown = f"'{character}' " if character.isprintable() else ""
    if character.isascii():
        return (
            f"The {ordinal(place)} character {shown}cannot stand in an identifier: "
            "use letters A to Z, digits, spaces and the marks . - / alone."
        )
    named = f"The {ordinal(place)} character {shown}(U+{ord(character):04X} {unicodedata.name(character, 'UNNAMED')})"
    twin = looks_like(character, LETTERS_AND_DIGITS | IGNORED)
    if twin is not None:
        return f"{named} only looks like '{twin.upper()}': type it again on this keyboard."
    return f"{named} is not a letter A to Z or a digit: type it again on this keyboard."
