"""Make, check and keep fresh a signed agency registry: ``registryctl synthesize | verify | timestamp``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from verify_service.clock import SystemClock, rfc3339
from verify_service.errors import ConfigurationError, RegistryRefused
from verify_service.registry.inspection import inspect
from verify_service.registry.publication import Publication
from verify_service.registry.publish import Publisher
from verify_service.registry.signing_keys import SigningKeys
from verify_service.registry.source import first_root, open_source
from verify_service.registry.synthesize import ENTRIES, Wish, synthesize
from verify_service.registry.synthetic_agency import MOST_AGENCIES
from verify_service.signing import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Sequence

FINE, CHECK_FAILED, USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 fine, 1 the check failed, 2 usage."""
    asked = _parser().parse_args(arguments)
    try:
        code: int = asked.run(asked)
    except (ConfigurationError, OSError) as error:
        print(f"registryctl: {error}", file=sys.stderr)
        return USAGE
    return code


def _synthesize(asked: argparse.Namespace) -> int:
    wish = Wish(
        agencies=asked.agencies,
        entries=asked.entries,
        seed=asked.seed,
        stale_agency=asked.stale_agency,
        stale_after=None if asked.stale_after is None else timedelta(seconds=asked.stale_after),
    )
    # A command stands alone: nothing wires it, so it takes the machine's clock and randomness itself.
    random_bytes = os.urandom  # noqa: TID251
    report = synthesize(asked.folder, wish, SystemClock().now(), random_bytes, _progress)
    levels = ", ".join(f"{count} of level {level}" for level, count in report["levels"].items())
    _say(
        asked,
        report,
        f"Made a synthetic registry in {report['folder']}: {report['agencies']} agencies ({levels}), "
        f"{report['entries']} entries in {report['rosters']} rosters.\n"
        f"Pin {report['root']}. Nothing in it is any agency's own.",
    )
    return FINE


def _verify(asked: argparse.Namespace) -> int:
    source = open_source(asked.location)
    document: dict[str, Any] = {"location": asked.location, "root_pinned": asked.root is not None}
    try:
        root = _pinned(asked.root) if asked.root else first_root(source)
        document["root_sha256"] = sha256_hex(root)
        with TemporaryDirectory() as folder:
            inspection = inspect(Publication(source, root, Path(folder), SystemClock().now()), _progress)
    except RegistryRefused as refusal:
        _say(asked, {**document, "ok": False, "fault": refusal.detail}, f"REFUSED: {refusal.detail}")
        return CHECK_FAILED
    document |= inspection.document()
    label = "synthetic " if document["synthetic"] else ""
    lines = [*(f"FAULT: {fault}" for fault in inspection.faults)]
    lines.append(
        f"{len(inspection.agencies)} {label}agencies, {document['entries']} entries; first root {_root_name(document)}."
    )
    _say(asked, document, "\n".join(lines))
    return FINE if document["ok"] else CHECK_FAILED


def _root_name(document: dict[str, Any]) -> str:
    """Say which root the check stands on, and where it is yet to be compared."""
    if document["root_pinned"]:
        return f"{document['root_sha256']}, as pinned"
    return f"{document['root_sha256']} (taken from the registry itself: compare it with what its authority says)"


def _timestamp(asked: argparse.Namespace) -> int:
    publisher = Publisher(asked.folder, SigningKeys(asked.folder / "private" / "keys"), SystemClock().now())
    if asked.roles:
        for agency in publisher.agencies():
            publisher.renew(agency)
        publisher.snapshot()
        expires = rfc3339(publisher.timestamp())
    else:
        expires = rfc3339(publisher.refresh())
    _say(asked, {"folder": str(asked.folder), "expires": expires}, f"The timestamp holds until {expires}.")
    return FINE


def _pinned(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"The root {path} cannot be read: {error.strerror}.") from error


def _say(asked: argparse.Namespace, document: dict[str, Any], sentence: str) -> None:
    print(json.dumps(document) if asked.json else sentence)


def _progress(agency: str, done: int, whole: int) -> None:
    """Keep one line of a terminal up to date; say nothing into a pipe."""
    if sys.stderr.isatty():
        print(f"\r{done}/{whole} {agency:<24}", end="" if done < whole else "\n", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="registryctl", description="Make, check and keep fresh an agency registry.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    made = commands.add_parser("synthesize", help="make a synthetic, labelled registry")
    made.add_argument("folder", metavar="DIR", type=Path, help="an empty folder, or one to be made")
    made.add_argument("--agencies", type=int, default=MOST_AGENCIES)
    made.add_argument("--entries", type=int, default=ENTRIES, help="of all rosters together; 0 makes no roster")
    made.add_argument("--seed", type=int, default=1, help="what the content follows from; keys never do")
    made.add_argument("--stale-agency", metavar="CODE", help="an agency whose role expires early")
    made.add_argument("--stale-after", metavar="SECONDS", type=int, help="how long after it was published")
    made.set_defaults(run=_synthesize)

    checked = commands.add_parser("verify", help="check a published registry")
    checked.add_argument("location", metavar="DIR|URL")
    checked.add_argument("--root", metavar="FILE", type=Path, help="the pinned root; else the registry's own first one")
    checked.set_defaults(run=_verify)

    renewed = commands.add_parser("timestamp", help="sign that nothing is newer, and the snapshot where it is due")
    renewed.add_argument("folder", metavar="DIR", type=Path)
    renewed.add_argument("--roles", action="store_true", help="renew the agencies' roles too, whose keys a sample has")
    renewed.set_defaults(run=_timestamp)

    for command in (made, checked, renewed):
        command.add_argument("--json", action="store_true", help="print one JSON document")
    return parser


if __name__ == "__main__":
    sys.exit(main())
