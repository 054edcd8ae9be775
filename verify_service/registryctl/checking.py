"""``registryctl verify`` and ``status``: what is published holds, and what is staged or due."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from verify_service.clock import rfc3339
from verify_service.errors import RegistryRefused
from verify_service.registry.inspection import inspect
from verify_service.registry.publication import Publication
from verify_service.registry.publisher.outlook import expiries, staged_roles
from verify_service.registry.publisher.verified import read_root
from verify_service.registry.source import first_root, open_source
from verify_service.registryctl.telling import (
    CHECK_FAILED,
    FINE,
    command,
    next_step,
    progress,
    say,
    staged_lines,
    staging_of,
)
from verify_service.signing import sha256_hex

if TYPE_CHECKING:
    import argparse

    from verify_service.registryctl.telling import Commands

NEXT_TO_EXPIRE = 5


def add_commands(commands: Commands) -> None:
    """Add the commands."""
    checked = command(commands, "verify", "check a published registry as a client does", _verify)
    checked.add_argument("location", metavar="DIR|URL")
    checked.add_argument("--root", metavar="FILE", type=Path, help="the pinned root; else the registry's own first one")
    command(commands, "status", "say what is staged, what it needs, and what expires next", _status, "DIR")


def _verify(asked: argparse.Namespace) -> int:
    source = open_source(asked.location)
    document: dict[str, Any] = {"location": asked.location, "root_pinned": asked.root is not None}
    try:
        root = read_root(asked.root) if asked.root else first_root(source)
        document["root_sha256"] = sha256_hex(root)
        with TemporaryDirectory() as folder:
            inspection = inspect(Publication(source, root, Path(folder), asked.clock.now()), progress)
    except RegistryRefused as refusal:
        say(asked, {**document, "ok": False, "fault": refusal.detail}, f"REFUSED: {refusal.detail}")
        return CHECK_FAILED
    document |= inspection.document()
    label = "synthetic " if document["synthetic"] else ""
    lines = [*(f"FAULT: {fault}" for fault in inspection.faults)]
    lines.append(
        f"{len(inspection.agencies)} {label}agencies, {document['entries']} entries; first root {_root_name(document)}."
    )
    say(asked, document, "\n".join(lines))
    return FINE if document["ok"] else CHECK_FAILED


def _root_name(document: dict[str, Any]) -> str:
    """Say which root the check stands on, and where it is yet to be compared."""
    if document["root_pinned"]:
        return f"{document['root_sha256']}, as pinned"
    return f"{document['root_sha256']} (taken from the registry itself: compare it with what its authority says)"


def _status(asked: argparse.Namespace) -> int:
    """Fail where anything published has expired, so that a monitor can run this."""
    staging = staging_of(asked)
    staging.authority()
    staged, expiring = staged_roles(staging), expiries(staging)
    document = {
        "folder": str(asked.dir),
        "staged": [role.document() for role in staged],
        "expires": [{"role": e.role, "expires": rfc3339(e.expires), "due": e.due} for e in expiring],
        "next": next_step(asked.dir, staged) if staged else None,
    }
    shown = [expiry for place, expiry in enumerate(expiring) if expiry.due or place < NEXT_TO_EXPIRE]
    lines = [line for role in staged for line in staged_lines(role)] or ["Nothing is staged."]
    lines += [*(f"Next: {document['next']}" for _ in staged[:1]), *(expiry.words() for expiry in shown)]
    say(asked, document, "\n".join(lines))
    return CHECK_FAILED if any(expiry.expires <= staging.at for expiry in expiring) else FINE
