"""Make, change, check and keep fresh a signed agency registry, one command for each step."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from verify_service.clock import SystemClock
from verify_service.errors import ConfigurationError, RegistryRefused
from verify_service.registryctl import agencies, checking, keys, publishing, rosters, sample, signing
from verify_service.registryctl.telling import CHECK_FAILED, USAGE, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verify_service.clock import Clock

DESCRIPTION = """Make, change, check and keep fresh a signed agency registry.

DIR/metadata and DIR/targets are what is served. Every change is a draft in DIR/staged until enough holders signed it.

a key is named by    a PEM file, or file2:PATH
                     hsm:ID?label=TOKEN, with PYKCS11LIB naming the PKCS #11 library
                     a public key file whose `uri` names it at a key service
exit codes           0 fine, 1 the check failed or a change was refused, 2 usage"""


def main(arguments: Sequence[str] | None = None, clock: Clock | None = None) -> int:
    """Run one command and return its exit code: 0 fine, 1 the check failed, 2 usage."""
    asked = _parser().parse_args(arguments, argparse.Namespace(clock=clock or SystemClock()))
    try:
        code: int = asked.run(asked)
    except RegistryRefused as refusal:
        say(asked, {"ok": False, "fault": refusal.detail}, f"REFUSED: {refusal.detail}")
        return CHECK_FAILED
    except (ConfigurationError, OSError) as error:
        print(f"registryctl: {error}", file=sys.stderr)
        return USAGE
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="registryctl", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for group in (keys, agencies, rosters, signing, publishing, checking, sample):
        group.add_commands(commands)
    return parser
