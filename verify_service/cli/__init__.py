"""Run the service and look after it: `verify-service COMMAND`."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from verify_service import __version__, demo, settings
from verify_service.access.policy import ROLES
from verify_service.cli import database, deny, evidence, keys, registry, vault
from verify_service.cli.command import CODES, adding_to, service_with
from verify_service.cli.telling import report
from verify_service.errors import ServiceError
from verify_service.server import serve
from verify_service.web.app import api_description

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verify_service.cli.command import Command

CANNOT_RUN = 3
# What a shell gives for a command that Ctrl-C ended (128 + SIGINT).
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    given = _parser().parse_args(arguments)
    run: Command = given.run
    try:
        return run(given)
    except ServiceError as error:
        print(f"{error.title}: {error.diagnosis}", file=sys.stderr)
        return CANNOT_RUN
    except OSError as error:
        # Such as a file that a setting names, or a full disk.
        print(f"A file cannot be used: {error}", file=sys.stderr)
        return CANNOT_RUN
    except KeyboardInterrupt:
        print("Stopped before it was done.", file=sys.stderr)
        return INTERRUPTED


def _demo(given: argparse.Namespace) -> int:
    return demo.run(once=given.once, rosters=not given.no_rosters, as_json=given.json)


def _serve(_: argparse.Namespace) -> int:
    serve(settings.from_environment())
    return 0


def _token(given: argparse.Namespace) -> int:
    service = service_with("VERIFY_ISSUER", "VERIFY_AUDIENCE", "VERIFY_DEPARTMENTS")
    lifetime = timedelta(minutes=given.minutes)
    token = service.token(given.role, department=given.department, serial=given.serial, lifetime=lifetime)
    return report(given.json, {"token": token}, token)


def _openapi(_: argparse.Namespace) -> int:
    print(json.dumps(api_description(), indent=2, ensure_ascii=False))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("verify-service", description=__doc__, epilog=CODES)
    parser.add_argument("--version", action="version", version=__version__)
    parser.set_defaults(json=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add = adding_to(commands)
    demonstration = add("demo", _demo, "start everything with a synthetic registry, or play one encounter")
    demonstration.add_argument("--once", action="store_true", help="play one encounter, prove it offline, and end")
    demonstration.add_argument("--no-rosters", action="store_true", help="with no roster in the world, as today")
    add("serve", _serve, "serve the API")
    keys.add_to(add, commands)
    database.add_to(add, commands)
    vault.add_to(add, commands)
    registry.add_to(add)
    deny.add_to(add, commands)
    token = add("token", _token, "print an access token of the development issuer")
    token.add_argument("--role", choices=ROLES, required=True)
    token.add_argument("--department")
    token.add_argument("--serial", help="the caller's serial; each role has one of its own")
    token.add_argument("--minutes", type=int, default=480, help="how long it holds (default 480)")
    add("openapi", _openapi, "print the API's description")
    evidence.add_to(add)
    return parser
