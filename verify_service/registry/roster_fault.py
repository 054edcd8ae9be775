"""Say in words what is wrong with a roster line, without quoting anything that stands in it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from verify_service.registry.identifier import KINDS
from verify_service.registry.roster import LONGEST_LINE, STATUSES, is_time
from verify_service.signing import canonical_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELDS = {"exp", "nbf", "rid", "st", "t", "tag", "v"}


def first_fault(content: bytes, first_number: int, last_tag: str, coverage: Mapping[str, str]) -> str:
    """Return a sentence on the first line of ``content`` that is at fault.

    ``first_number`` is the number of its first line in the file, ``last_tag`` the tag before it in hexadecimal.
    """
    for number, line in enumerate(content.split(b"\n")[:-1], start=first_number):
        entry = _entry(line)
        fault = entry if isinstance(entry, str) else _fault(entry, last_tag, coverage)
        if fault is not None:
            return f"Line {number} of the roster {fault}."
        last_tag = entry["tag"]  # type: ignore[index]  # A text is a fault and has returned.
    return f"The roster has a fault after line {first_number - 1}."


def _entry(line: bytes) -> dict[str, Any] | str:
    """Return the parsed line, or what keeps it from being one."""
    if len(line) >= LONGEST_LINE:
        return f"is longer than {LONGEST_LINE} bytes"
    if line.endswith(b"\r"):
        return "ends with a carriage return"
    try:
        entry = json.loads(line.decode("utf-8"))
        canonical = canonical_bytes(entry)
    except UnicodeDecodeError:
        return "is not UTF-8"
    except (ValueError, RecursionError):
        return "is not JSON"
    if canonical != line:
        return "is not in canonical form (RFC 8785): a key twice, a space, or another order"
    if not isinstance(entry, dict) or entry.keys() != _FIELDS:
        return f"does not have exactly the fields {', '.join(sorted(_FIELDS))}"
    return entry


def _fault(entry: dict[str, Any], last_tag: str, coverage: Mapping[str, str]) -> str | None:
    first, end = entry["nbf"], entry["exp"]
    sound = {
        "has no version 1 in `v`": type(entry["v"]) is int and entry["v"] == 1,
        "has no 64 lower-case hexadecimal characters in `tag`": _is_hexadecimal(entry["tag"], 64),
        "has no 16 lower-case hexadecimal characters in `rid`": _is_hexadecimal(entry["rid"], 16),
        f"has none of {', '.join(STATUSES)} in `st`": entry["st"] in STATUSES,
        f"has none of {', '.join(KINDS)} in `t`": entry["t"] in KINDS,
        "has a kind that the header's coverage leaves out": isinstance(entry["t"], str) and entry["t"] in coverage,
        "has no UTC time with milliseconds in `nbf`": first is None or is_time(first),
        "has no UTC time with milliseconds in `exp`": end is None or is_time(end),
        "ends before it begins": first is None or end is None or str(first) <= str(end),
        "gives dates to an op_code, which would be a calendar of operations": entry["t"] != "op_code"
        or (first is None and end is None),
        "is not after the line before it: lines are sorted by tag and no tag comes twice": str(entry["tag"]) > last_tag,
    }
    return next((fault for fault, holds in sound.items() if not holds), None)


def _is_hexadecimal(value: object, length: int) -> bool:
    return isinstance(value, str) and re.fullmatch(f"[0-9a-f]{{{length}}}", value) is not None
