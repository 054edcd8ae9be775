"""Mint random identifiers and operation codes that catch a misread character (ISO 7064 MOD 37,2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_37_2

if TYPE_CHECKING:
    from random import Random

# I and O are left out, since printed on a card they are taken for 1 and 0.
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
# How many random characters stand before the check character, by kind.
DRAWN = {"minted": 8, "op_code": 7}


def mint(source: Random, kind: str = "minted") -> str:
    """Return a random identifier of a kind, its last character the check character of ISO 7064 MOD 37,2.

    The standard's 37th check character is an asterisk, which ``canon/v1`` cannot carry: such a draw is thrown away.
    """
    while True:
        drawn = "".join(source.choices(ALPHABET, k=DRAWN[kind]))
        check = mod_37_2.calc_check_digit(drawn)
        if check != "*":
            return drawn + check


def check_character_fits(kind: str, value: str) -> bool:
    """Tell whether a canonical value can have been minted; any can that is of a kind which has no check character."""
    if kind not in DRAWN:
        return True
    try:
        mod_37_2.validate(value)
    except ValidationError:
        return False
    # An identifier may have been minted longer; an operation code is eight characters, whose ever it is.
    return len(value) > 1 if kind == "minted" else len(value) == DRAWN[kind] + 1
