"""The commands that lock a person, a client or a key out: `deny`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verify_service.access.deny import CLIENT, KEY, KINDS, READ_EVERY, SUBJECT, Act
from verify_service.cli.command import group, service_with
from verify_service.cli.telling import Report, say
from verify_service.clock import rfc3339
from verify_service.errors import ConfigurationError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from verify_service.cli.command import Add, Command
    from verify_service.wiring import Service

WORDS = {SUBJECT: "the person, as sub in their tokens", CLIENT: "the client, as client_id", KEY: "the key, as cnf.jkt"}


def deny(service: Service, department: str, given: argparse.Namespace) -> Report:
    """Lock out a person, a client or a key."""
    service.check_schema()
    kind, value = _named(given)
    added = service.denials.add(department, kind, value, _act(service, given))
    words = f"The {kind} {value} is denied in {department} on every worker within {READ_EVERY.seconds + 1} s."
    return Report({"added": added}, [words if added else f"The {kind} {value} was denied in {department} already."])


def lift(service: Service, department: str, given: argparse.Namespace) -> Report:
    """Let them in again; that they were denied stays on record."""
    service.check_schema()
    kind, value = _named(given)
    lifted = service.denials.lift(department, kind, value, _act(service, given))
    words = f"The {kind} {value} is let into {department} again."
    missing = f"No {kind} {value} is denied in {department}: `verify-service deny list` says what is."
    return Report({"removed": lifted}, [words if lifted else missing], failed=not lifted)


def listed(service: Service, department: str, _: argparse.Namespace) -> Report:
    """List what is denied, and what was."""
    service.check_schema()
    found = service.denials.denials(department)
    said = [
        f"{one.kind} {one.value}: since {one.added.at} by {one.added.by}, {one.added.reason}"
        + (f"; let in again {one.lifted.at} by {one.lifted.by}, {one.lifted.reason}" if one.lifted else "")
        for one in found
    ]
    documents = [
        {"kind": one.kind, "value": one.value, "added": vars(one.added), "lifted": one.lifted and vars(one.lifted)}
        for one in found
    ]
    return Report({"denials": documents}, said or [f"Nobody is or was denied in {department}."])


def _run(do: Callable[[Service, str, argparse.Namespace], Report]) -> Command:
    def run(given: argparse.Namespace) -> int:
        service = service_with("VERIFY_DEPARTMENTS")
        department = given.department or service.settings.departments[0]
        if department not in service.settings.departments:
            raise ConfigurationError(f"{department} is not served here: name one of VERIFY_DEPARTMENTS.")
        return say(given.json, do(service, department, given))

    return run


def _named(given: argparse.Namespace) -> tuple[str, str]:
    return next((kind, value) for kind in KINDS if (value := getattr(given, kind)) is not None)


def _act(service: Service, given: argparse.Namespace) -> Act:
    return Act(given.by, rfc3339(service.clock.now()), given.reason)


def add_to(add: Add, commands: Any) -> None:
    """Add the commands."""
    under = group(commands, "deny", "lock out a person, a client or a key")
    made = (
        add("add", _run(deny), "lock out a person, a client or a key, though their tokens still hold", under),
        add("remove", _run(lift), "let them in again", under),
        add("list", _run(listed), "list who is denied, and who was", under),
    )
    for command in made:
        command.add_argument("--department")
    for command in made[:2]:
        which = command.add_mutually_exclusive_group(required=True)
        for kind in KINDS:
            which.add_argument(f"--{kind}", help=WORDS[kind])
        command.add_argument("--reason", required=True, help="why; it is kept")
        command.add_argument("--by", required=True, metavar="SERIAL", help="who says so; it is kept")
