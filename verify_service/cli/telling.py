"""Say what a command of `verify-service` found, and how far it is."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CHECK_FAILED = 1


@dataclass(frozen=True)
class Report:
    """What a command found; ``failed`` where somebody has to act."""

    document: Mapping[str, Any]
    sentences: Sequence[str]
    failed: bool = False


def say(as_json: bool, found: Report) -> int:
    """Say what a command found and return its exit code."""
    report(as_json, dict(found.document), *found.sentences)
    return CHECK_FAILED if found.failed else 0


def report(as_json: bool, document: dict[str, Any], *sentences: str) -> int:
    """Print one JSON document or the sentences, and return the exit code of a command that is fine."""
    print(json.dumps(document, ensure_ascii=False) if as_json else "\n".join(sentences))
    return 0


def progress(agency: str, done: int, whole: int) -> None:
    """Show on a terminal how much of an agency's roster is done."""
    print(f"\r{done}/{whole} {agency:<24}", end="" if done < whole else "\n", file=sys.stderr)


def counting(done: int, whole: int) -> None:
    """Show on a terminal how many entries are done."""
    print(f"\r{done}/{whole} entries", end="" if done < whole else "\n", file=sys.stderr)


def quiet(*_: object) -> None:
    """Show nothing, where no terminal is."""
