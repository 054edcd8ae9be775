"""Name agencies by code, and say where the registry publishes what belongs to each."""

from __future__ import annotations

import re

LONGEST_CODE = 24
# A code stands in file names, URLs and role names, so nothing in it needs an escape anywhere. Capitals keep it
# apart from TUF's own roles root, targets, snapshot and timestamp.
_CODE = re.compile(r"[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*")
_PROFILE_PATH = re.compile(r"profiles/([A-Z0-9-]+)/profile\.json")


def is_agency_code(text: object) -> bool:
    """Tell whether this is written like an agency's code, such as ``DHS-ICE``."""
    return isinstance(text, str) and len(text) <= LONGEST_CODE and _CODE.fullmatch(text) is not None


def profile_path(agency: str) -> str:
    """Return the TUF target path of an agency's profile, which the trust authority itself signs."""
    return f"profiles/{agency}/profile.json"


def roster_path(agency: str) -> str:
    """Return the one TUF target path that an agency's own role may sign."""
    return f"rosters/{agency}/roster.jsonl"


def agency_of_profile(path: str) -> str | None:
    """Return the agency whose profile stands at a target path, or None where the path is no profile's."""
    found = _PROFILE_PATH.fullmatch(path)
    return found[1] if found and is_agency_code(found[1]) else None
