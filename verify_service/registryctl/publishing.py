"""``registryctl publish`` and ``timestamp``: what is staged goes out together, and what is out stays fresh."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify_service.clock import rfc3339
from verify_service.registry.publish import Publisher
from verify_service.registry.publisher.freshness import Freshness
from verify_service.registry.publisher.outlook import expiries
from verify_service.registry.publisher.release import publish
from verify_service.registry.publisher.roles import ONLINE
from verify_service.registry.publisher.signers import online_signers, open_signer
from verify_service.registry.publisher.succession import check_clock
from verify_service.registry.signing_keys import SigningKeys
from verify_service.registryctl.secrets import ask_secret
from verify_service.registryctl.telling import FINE, command, progress, say, staging_of

if TYPE_CHECKING:
    import argparse

    from securesystemslib.signer import Signer

    from verify_service.registryctl.telling import Commands


def add_commands(commands: Commands) -> None:
    """Add the commands."""
    released = command(commands, "publish", "check what is staged, and publish together what is ready", _publish, "DIR")
    released.add_argument(
        "--only", metavar="ROLE", action="append", default=[], help="publish this draft, again for each; else all"
    )
    released.add_argument(
        "--lost-keys",
        action="store_true",
        help="a new root replaces keys that can sign no more: clients are refused for the moment between two files",
    )
    renewed = command(
        commands, "timestamp", "sign that nothing is newer, and the snapshot where it is due", _timestamp, "DIR"
    )
    renewed.add_argument("--roles", action="store_true", help="renew the agencies' roles too, whose keys a sample has")
    for parser in (released, renewed):
        parser.add_argument(
            "--key", metavar="KEY", action="append", default=[],
            help="a key of snapshot or timestamp, again for each; else those in DIR/private/keys",
        )  # fmt: skip


def _publish(asked: argparse.Namespace) -> int:
    staging = staging_of(asked)
    for role in asked.only:
        staging.draft(role)
    if asked.only:
        staging = staging.without(set(staging.roles()) - set(asked.only))
    release = publish(staging, _online(asked), lost_keys=asked.lost_keys, progress=progress)
    waiting = [f"{role} was not published: {fault}" for role, fault in release.waiting.items()]
    due = [expiry.words() for expiry in expiries(staging) if expiry.due]
    versions = ", ".join(f"{role} {version}" for role, version in release.versions.items())
    following = f"registryctl timestamp {asked.dir} --key SNAPSHOT-KEY --key TIMESTAMP-KEY, before {release.expires}"
    say(
        asked,
        {
            "folder": str(asked.dir),
            "published": release.versions,
            "expires": release.expires,
            "waiting": release.waiting,
            "warnings": [*release.warnings, *due],
            "next": following,
        },
        "\n".join(
            [
                f"Published {versions}; every signature, path and roster was checked.",
                *(f"WARNING: {warning}" for warning in (*waiting, *release.warnings, *due)),
                f"Next: {following}",
            ]
        ),
    )
    return FINE


def _timestamp(asked: argparse.Namespace) -> int:
    if asked.roles:
        expires = _renew_sample(asked)
    else:
        # What is staged is no part of what is published, nor may a draft hold it up or name its keys.
        everything = staging_of(asked)
        staging = everything.without(everything.roles())
        staging.authority()
        with staging.files.held():
            check_clock(staging)
            signers_of = online_signers(staging, _online(asked))
            expires = rfc3339(Freshness(staging.files, signers_of, staging.at).refresh())
    say(asked, {"folder": str(asked.dir), "expires": expires}, f"The timestamp holds until {expires}.")
    return FINE


def _renew_sample(asked: argparse.Namespace) -> str:
    publisher = Publisher(asked.dir, SigningKeys(asked.dir / "private" / "keys"), asked.clock.now())
    for agency in publisher.agencies():
        publisher.renew(agency)
    publisher.snapshot()
    return rfc3339(publisher.timestamp())


def _online(asked: argparse.Namespace) -> list[Signer]:
    if asked.key:
        secrets = ask_secret()
        return [open_signer(name, secrets) for name in asked.key]
    keys = SigningKeys(asked.dir / "private" / "keys")
    return [signer for role in ONLINE for signer in keys.load(role)]
