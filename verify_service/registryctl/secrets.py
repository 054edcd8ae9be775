"""Ask for what no command line and no environment should carry: a token's PIN, or a code that is to be revoked."""

from __future__ import annotations

import sys
from functools import cache
from getpass import getpass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def ask_secret() -> Callable[[str], str]:
    """Return what asks for each named secret once: unseen on a terminal, else the next line of standard input."""

    @cache
    def ask(name: str) -> str:
        return getpass(f"{name}: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")

    return ask
