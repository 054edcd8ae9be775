"""``registryctl synthesize``: a whole registry that is made up and says so."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

from verify_service.registry.synthesize import ENTRIES, Wish, synthesize
from verify_service.registry.synthetic_agency import MOST_AGENCIES
from verify_service.registryctl.telling import FINE, command, progress, say

if TYPE_CHECKING:
    import argparse

    from verify_service.registryctl.telling import Commands


def add_commands(commands: Commands) -> None:
    """Add the command."""
    made = command(commands, "synthesize", "make a synthetic, labelled registry in an empty folder", _synthesize, "DIR")
    made.add_argument("--agencies", type=int, default=MOST_AGENCIES)
    made.add_argument("--entries", type=int, default=ENTRIES, help="of all rosters together; 0 makes no roster")
    made.add_argument("--seed", type=int, default=1, help="what the content follows from; keys never do")
    made.add_argument("--stale-agency", metavar="CODE", help="an agency whose role expires early")
    made.add_argument("--stale-after", metavar="SECONDS", type=int, help="how long after it was published")


def _synthesize(asked: argparse.Namespace) -> int:
    wish = Wish(
        agencies=asked.agencies,
        entries=asked.entries,
        seed=asked.seed,
        stale_agency=asked.stale_agency,
        stale_after=None if asked.stale_after is None else timedelta(seconds=asked.stale_after),
    )
    # A command stands alone: nothing wires it, so it takes the machine's randomness itself.
    random_bytes = os.urandom  # noqa: TID251
    report = synthesize(asked.dir, wish, asked.clock.now(), random_bytes, progress)
    levels = ", ".join(f"{count} of level {level}" for level, count in report["levels"].items())
    say(
        asked,
        report,
        f"Made a synthetic registry in {report['folder']}: {report['agencies']} agencies ({levels}), "
        f"{report['entries']} entries in {report['rosters']} rosters.\n"
        f"Pin {report['root']}. Nothing in it is any agency's own.",
    )
    return FINE
