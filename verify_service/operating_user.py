"""Name who runs a command, for what is kept about a decision."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

# The kernel sets it at login and keeps it through su, sudo and runuser; this value says that nobody logged in.
LOGIN_UID = Path("/proc/self/loginuid")
NOBODY_LOGGED_IN = 2**32 - 1


def operating_user() -> str:
    """Return the account's name, and before it whoever logged in as somebody else, such as ``jdoe (as service)``."""
    account = os.getuid()
    login = _login_uid()
    if login is None or login == account:
        return _name(account)
    return f"{_name(login)} (as {_name(account)})"


def _login_uid() -> int | None:
    try:
        uid = int(LOGIN_UID.read_text("ascii"))
    except (OSError, ValueError):
        return None
    return None if uid == NOBODY_LOGGED_IN else uid


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
