"""``registryctl roster`` and ``op-code``: what an agency does with its own list."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

from verify_service.registry.blinding import parse_blinding_key_file
from verify_service.registry.identifier import KINDS
from verify_service.registry.publisher.roster_build import build_roster, choose_key
from verify_service.registry.publisher.source_entries import SourceEntries
from verify_service.registry.publisher.source_file import SourceFile
from verify_service.registry.roster import COMPLETE, PARTIAL, STATUSES
from verify_service.registry.signing_keys import replace_private
from verify_service.registryctl.secrets import ask_secret
from verify_service.registryctl.signing import add_sign
from verify_service.registryctl.telling import (
    CHECK_FAILED,
    FINE,
    changing,
    command,
    group,
    progress,
    say,
    say_staged,
)

if TYPE_CHECKING:
    from verify_service.registry.publisher.roster_build import Built
    from verify_service.registry.publisher.source_entries import BadRow
    from verify_service.registry.publisher.staging import Staging
    from verify_service.registryctl.telling import Commands

PROGRESS_ROWS = 5_000
NEXT = "registryctl roster build DIR AGENCY {file} --blinding-keys KEYS"


def add_commands(commands: Commands) -> None:
    """Add the commands."""
    roster = group(commands, "roster", "build and sign an agency's roster")
    built = command(roster, "build", "blind an agency's list and stage it", _build, "DIR", "AGENCY", "SOURCE")
    built.add_argument("--blinding-keys", metavar="KEYS", type=Path, required=True, help="the agency's own key file")
    built.add_argument("--epoch", type=int, help="the blinding key to use, else the newest")
    built.add_argument(
        "--coverage", metavar="KIND=PART", type=_coverage, action="append", default=[],
        help=f"whether a kind is listed {COMPLETE} or {PARTIAL}; else as in the published roster",
    )  # fmt: skip
    built.add_argument("--report", metavar="FILE", type=Path, help="list bad rows there, and build without them")
    minted = command(roster, "mint", "append random identifiers of kind minted to a list", _mint, "FILE")
    add_sign(roster, "sign", "say what an agency's draft changes, and sign it", "AGENCY")
    codes = group(commands, "op-code", "make and revoke operation codes")
    pool = command(codes, "mint", "append random operation codes to a list, without dates", _mint, "FILE")
    for parser, kind in ((minted, "minted"), (pool, "op_code")):
        parser.add_argument("--count", metavar="N", type=_count, required=True)
        parser.set_defaults(kind=kind)
    revoked = command(codes, "revoke", "set the standing of the code that is read from standard input", _revoke, "FILE")
    revoked.add_argument("--status", choices=STATUSES[1:], default=STATUSES[1])


def _coverage(text: str) -> tuple[str, str]:
    kind, _, part = text.partition("=")
    if kind not in KINDS or part not in {COMPLETE, PARTIAL}:
        raise argparse.ArgumentTypeError(f"not such as badge={COMPLETE}")
    return kind, part


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("not a number from 1 on")
    return number


def _build(asked: argparse.Namespace) -> int:
    key = choose_key(parse_blinding_key_file(asked.blinding_keys.read_bytes()), asked.agency, asked.epoch)
    rows = SourceFile(asked.source).rows()

    def told(number: int) -> None:
        if number % PROGRESS_ROWS == 0 or number + 1 == len(rows):
            progress(asked.agency, number + 1, len(rows))

    with changing(asked) as staging:
        source = SourceEntries(rows, staging.profile(asked.agency), told)
        if source.bad and asked.report is None:
            return _say_bad(asked, source.bad, len(rows))
        # A command stands alone: nothing wires it, so it takes the machine's randomness itself.
        built = build_roster(staging, asked.agency, source, key, dict(asked.coverage), os.urandom)  # noqa: TID251
        return _say_built(asked, staging, source, built, len(rows))


def _say_bad(asked: argparse.Namespace, bad: list[BadRow], rows: int) -> int:
    document = {"ok": False, "fault": "Nothing was built.", "bad": _documents(bad)}
    lines = [f"line {row.line} {row.reason}" for row in bad]
    lines.append(f"Nothing was built: {len(bad)} of {rows} rows are bad. Mend them, or give --report FILE.")
    say(asked, document, "\n".join(lines))
    return CHECK_FAILED


def _say_built(asked: argparse.Namespace, staging: Staging, source: SourceEntries, built: Built, rows: int) -> int:
    first = [f"{len(source.entries)} of {rows} rows stand in roster {built.header.seq}."]
    if asked.report is not None:
        replace_private(asked.report, json.dumps(_documents(source.bad), indent=1).encode())
        first.append(f"{len(source.bad)} bad rows are listed in {asked.report}, by line and reason.")
    first += [f"{kind} is only {PARTIAL} now, since rows are missing." for kind in built.made_partial]
    return say_staged(
        asked, staging, [asked.agency], *first, bad=_documents(source.bad), made_partial=list(built.made_partial)
    )


def _documents(bad: list[BadRow]) -> list[dict[str, object]]:
    return [{"line": row.line, "reason": row.reason} for row in bad]


def _mint(asked: argparse.Namespace) -> int:
    SourceFile(asked.file).mint(asked.kind, asked.count, SystemRandom())
    following = NEXT.format(file=asked.file)
    say(
        asked,
        {"file": str(asked.file), "kind": asked.kind, "minted": asked.count, "next": following},
        f"Minted {asked.count} identifiers of kind {asked.kind} into {asked.file}.\nNext: {following}",
    )
    return FINE


def _revoke(asked: argparse.Namespace) -> int:
    SourceFile(asked.file).set_status("op_code", ask_secret()("op_code"), asked.status)
    following = NEXT.format(file=asked.file)
    say(
        asked,
        {"file": str(asked.file), "status": asked.status, "next": following},
        f"The code stands as {asked.status} in {asked.file}.\nNext: {following}",
    )
    return FINE
