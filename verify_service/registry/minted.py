"""Mint random identifiers that catch a misread character (ISO 7064 MOD 37,2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_37_2

if TYPE_CHECKING:
    from random import Random

# I and O are left out, since printed on a card they are taken for 1 and 0.
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
LENGTH = 8


def mint(source: Random, length: int = LENGTH) -> str:
    """Return ``length`` random characters and the check character of ISO 7064 MOD 37,2.

    The standard's 37th check character is an asterisk, which ``canon/v1`` cannot carry: such a draw is thrown away.
    """
    while True:
        drawn = "".join(source.choices(ALPHABET, k=length))
        check = mod_37_2.calc_check_digit(drawn)
        if check != "*":
            return drawn + check


def check_character_fits(value: str) -> bool:
    """Tell whether the last character of a canonical value is the check character of the others."""
    try:
        mod_37_2.validate(value)
    except ValidationError:
        return False
    return len(value) > 1
