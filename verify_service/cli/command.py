"""What the commands have in common: the service they work on, and how each is added to the command line."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from verify_service import settings
from verify_service.cli.telling import Report, say
from verify_service.wiring import Service

if TYPE_CHECKING:
    from collections.abc import Callable

    Command = Callable[[argparse.Namespace], int]
    # Adds a command by its name, what it runs and what it does; under another where that one is given.
    Add = Callable[..., argparse.ArgumentParser]

CODES = "exit codes: 0 fine, 1 check failed, 2 usage, 3 it could not run (the text says why), 130 stopped with Ctrl-C"


def service_with(*needs: str) -> Service:
    """Return the service that the environment describes; raise ConfigurationError where a needed setting is missing."""
    return Service(settings.from_environment(frozenset(needs)))


def of_department(given: argparse.Namespace) -> tuple[Service, str]:
    """Return the service and the department that a command names, the first one where it names none."""
    service = service_with("VERIFY_DEPARTMENTS", "VERIFY_LOG_HOST")
    return service, given.department or service.settings.departments[0]


def on_logs(do: Callable[[Service], Report]) -> Command:
    """Return the command that does something with the logs and says what it found."""
    return lambda given: say(given.json, do(service_with("VERIFY_DEPARTMENTS", "VERIFY_LOG_HOST")))


def adding_to(commands: Any) -> Add:
    """Return what adds a command to the command line."""

    def add(name: str, run: Command, what: str, under: Any = commands) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = under.add_parser(name, help=what, description=what, epilog=CODES)
        command.set_defaults(run=run)
        # Without a default of its own, a command under another does not undo what was given to that one.
        command.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON document")
        return command

    return add


def group(commands: Any, name: str, what: str) -> Any:
    """Add a word under which commands stand, such as `db`."""
    return commands.add_parser(name, help=what, description=what).add_subparsers(required=True, metavar="COMMAND")


def name_asker(command: argparse.ArgumentParser) -> None:
    """Have an export say who asks for it and why."""
    command.add_argument("--by", required=True, metavar="SERIAL", help="who asks for it; it is on record")
    command.add_argument("--reason", required=True, help="such as the number of the order; it is on record")
