"""Print what a command did: a sentence for a person or one JSON document, and progress on a terminal alone."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verify_service.registry.publisher.outlook import staged_roles
from verify_service.registry.publisher.staging import Staging
from verify_service.registry.publisher.verified import read_root
from verify_service.signing import sha256_hex

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator

    from verify_service.registry.publisher.outlook import StagedRole

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - It has no public name.

FINE, CHECK_FAILED, USAGE = 0, 1, 2


def command(
    commands: Commands, name: str, purpose: str, run: Callable[[argparse.Namespace], int], *places: str
) -> argparse.ArgumentParser:
    """Add a command with its positional arguments; those named DIR, FILE and the like are paths."""
    parser = commands.add_parser(name, help=purpose, description=f"{purpose[0].upper()}{purpose[1:]}.")
    for place in places:
        parser.add_argument(place.lower(), metavar=place, type=str if place in {"ROLE", "AGENCY", "KEY"} else Path)
    if "DIR" in places:
        parser.add_argument(
            "--root", metavar="FILE", type=Path, help="the root to judge what is published from; else DIR's first one"
        )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)
    return parser


def group(commands: Commands, name: str, purpose: str) -> Commands:
    """Add a command that has commands of its own."""
    return commands.add_parser(name, help=purpose).add_subparsers(required=True, metavar="COMMAND")


def staging_of(asked: argparse.Namespace) -> Staging:
    """Return the staging of the folder that was asked for, at the present moment."""
    root = read_root(asked.root) if asked.root else None
    return Staging(asked.dir, asked.clock.now(), root, lost_keys=getattr(asked, "lost_keys", False))


@contextmanager
def changing(asked: argparse.Namespace) -> Iterator[Staging]:
    """Yield the staging of the folder that was asked for, with nobody else staging or publishing meanwhile."""
    staging = staging_of(asked)
    with staging.locked():
        yield staging


def judged_from(asked: argparse.Namespace, staging: Staging) -> list[str]:
    """Say that nobody vouched for the root which what is published was judged from, where that is so."""
    root = staging.files.first_root()
    if asked.root or root is None:
        return []
    own = f"the folder's own first root, {sha256_hex(root)}"
    return [f"What is published was judged from {own}: compare it with the one that you hold, or give that by --root."]


def say(asked: argparse.Namespace, document: dict[str, Any], sentence: str) -> None:
    """Print one of the two."""
    print(json.dumps(document) if asked.json else sentence)


def say_staged(asked: argparse.Namespace, staging: Staging, roles: Iterable[str], *first: str, **more: Any) -> int:
    """Say what drafts change, how many signatures each needs yet, and what comes next; ``first`` stands before it."""
    described = staged_roles(staging, roles)
    following = next_step(asked.dir, staged_roles(staging))
    lines = [*first, *judged_from(asked, staging), *(line for role in described for line in staged_lines(role))]
    lines.append(f"Next: {following}")
    document = {"folder": str(asked.dir), "staged": [role.document() for role in described], "next": following, **more}
    say(asked, document, "\n".join(lines))
    return FINE


def say_signed(asked: argparse.Namespace, staging: Staging, role: str, first: str) -> int:
    """Say how many signatures a draft has now, and what comes next."""
    (described,) = staged_roles(staging, [role])
    following = next_step(asked.dir, staged_roles(staging))
    say(
        asked,
        {"folder": str(asked.dir), "staged": [described.document()], "next": following},
        f"{first} Signatures: {described.signatures()}.\nNext: {following}",
    )
    return FINE


def staged_lines(role: StagedRole) -> list[str]:
    """Describe a draft, a line each."""
    title = f"Staged, not published: version {role.draft.signed.version} of {role.role}"
    return [title, *(f"  {change}" for change in role.changes), f"  signatures: {role.signatures()}"]


def next_step(folder: Path, staged: Iterable[StagedRole]) -> str:
    """Return the command that is to be run next."""
    for role in staged:
        if role.missing:
            return f"registryctl sign {folder} {role.role} --key KEY ({role.missing} more)"
    return f"registryctl publish {folder} --key SNAPSHOT-KEY --key TIMESTAMP-KEY"


def progress(label: str, done: int, whole: int) -> None:
    """Keep one line of a terminal up to date; say nothing into a pipe."""
    if sys.stderr.isatty():
        print(f"\r{done}/{whole} {label:<24}", end="" if done < whole else "\n", file=sys.stderr, flush=True)
