"""``registryctl root``, ``agency``, ``profile`` and ``renew``: what the trust authority decides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from verify_service.registry.publish import AGENCY_THRESHOLD, KEYS
from verify_service.registry.publisher.authority import (
    Holders,
    add_agency,
    init_root,
    remove_agency,
    renew,
    rotate_agency_key,
    rotate_root,
    set_profile,
)
from verify_service.registry.publisher.roles import TOP_LEVEL
from verify_service.registry.publisher.signers import read_public_key
from verify_service.registryctl.telling import FINE, changing, command, group, say, say_staged

if TYPE_CHECKING:
    import argparse

    from securesystemslib.signer import Key

    from verify_service.registry.publisher.staging import Staging
    from verify_service.registryctl.telling import Commands


def add_commands(commands: Commands) -> None:
    """Add the commands."""
    root = group(commands, "root", "say who holds the registry")
    begun = command(root, "init", "stage the first root, and a trust authority that has no agencies yet", _init, "DIR")
    rotated = command(root, "rotate", "stage a root with other keys; a role not named keeps its own", _rotate, "DIR")
    for parser, needed in ((begun, True), (rotated, False)):
        for role in TOP_LEVEL:
            parser.add_argument(
                f"--{role}-key", metavar="PUB", type=Path, action="append", default=[], required=needed,
                help=f"a public key file; again for each key of {role}",
            )  # fmt: skip
            usual = f", else {KEYS[role][1]}" if needed else ", else as it is"
            parser.add_argument(
                f"--{role}-threshold", metavar="N", type=int, help=f"how many keys of {role} have to sign{usual}"
            )
    agency = group(commands, "agency", "add, change and remove agencies")
    added = command(agency, "add", "stage a new agency; with keys from enrolment level 3 on", _add, "DIR", "PROFILE")
    changed = command(agency, "rotate-key", "stage new keys of an agency", _rotate_key, "DIR", "AGENCY")
    for parser, needed in ((added, False), (changed, True)):
        parser.add_argument(
            "--key", metavar="PUB", type=Path, action="append", default=[], required=needed,
            help="a public key file; again for each key of the agency",
        )  # fmt: skip
        parser.add_argument("--threshold", metavar="N", type=int, default=AGENCY_THRESHOLD)
    command(agency, "remove", "stage that an agency is no longer in the registry", _remove, "DIR", "AGENCY")
    profile = group(commands, "profile", "say what the registry holds of an agency")
    command(profile, "set", "stage another profile, such as another number to call", _set, "DIR", "PROFILE")
    command(commands, "renew", "stage a role as it is, for its time to be renewed", _renew, "DIR", "ROLE")
    discarded = command(commands, "discard", "forget a draft, or all that is staged", _discard, "DIR")
    discarded.add_argument("role", metavar="ROLE", nargs="?", help="the one role to discard; else all of them")


def _init(asked: argparse.Namespace) -> int:
    holders = {
        role: Holders(_keys(getattr(asked, f"{role}_key")), getattr(asked, f"{role}_threshold") or KEYS[role][1])
        for role in TOP_LEVEL
    }
    asked.dir.mkdir(parents=True, exist_ok=True)
    with changing(asked) as staging:
        return say_staged(asked, staging, init_root(staging, holders))


def _rotate(asked: argparse.Namespace) -> int:
    with changing(asked) as staging:
        staging.authority()
        holders = {role: found for role in TOP_LEVEL if (found := _changed(asked, staging, role)) is not None}
        return say_staged(asked, staging, rotate_root(staging, holders))


def _changed(asked: argparse.Namespace, staging: Staging, role: str) -> Holders | None:
    """Return a role's keys from now on, None where neither they nor their threshold are to change."""
    paths, threshold = getattr(asked, f"{role}_key"), getattr(asked, f"{role}_threshold")
    if not paths and threshold is None:
        return None
    root = staging.standing("root")
    present = root.roles[role]
    keys = _keys(paths) if paths else [root.keys[key_id] for key_id in present.keyids]
    return Holders(keys, present.threshold if threshold is None else threshold)


def _add(asked: argparse.Namespace) -> int:
    with changing(asked) as staging:
        return say_staged(asked, staging, add_agency(staging, asked.profile.read_bytes(), _agency_holders(asked)))


def _rotate_key(asked: argparse.Namespace) -> int:
    with changing(asked) as staging:
        return say_staged(asked, staging, rotate_agency_key(staging, asked.agency, _agency_holders(asked)))


def _remove(asked: argparse.Namespace) -> int:
    with changing(asked) as staging:
        return say_staged(asked, staging, remove_agency(staging, asked.agency))


def _set(asked: argparse.Namespace) -> int:
    with changing(asked) as staging:
        return say_staged(asked, staging, set_profile(staging, asked.profile.read_bytes()))


def _renew(asked: argparse.Namespace) -> int:
    with changing(asked) as staging:
        return say_staged(asked, staging, renew(staging, asked.role))


def _discard(asked: argparse.Namespace) -> int:
    with changing(asked) as staging:
        roles = [asked.role] if asked.role else staging.roles()
        for role in roles:
            staging.draft(role)
        staging.clear(roles)
    say(
        asked,
        {"folder": str(asked.dir), "discarded": roles},
        f"Discarded the drafts of {', '.join(roles) or 'nothing'}.",
    )
    return FINE


def _agency_holders(asked: argparse.Namespace) -> Holders:
    return Holders(_keys(asked.key), asked.threshold)


def _keys(paths: list[Path]) -> list[Key]:
    return [read_public_key(path) for path in paths]
