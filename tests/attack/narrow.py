"""Serve as ``verify-service serve`` does, with room for four requests at the log."""

from __future__ import annotations

import sys

from verify_service import cli, server
from verify_service.record_log import group_commit

ROOM = 4


def application():
    """Make a worker's app. The limit is set here, since a test imports this module for ``ROOM``."""
    group_commit.MAX_WAITING = ROOM
    return server.application()


if __name__ == "__main__":
    server.APPLICATION = "tests.attack.narrow:application"
    sys.exit(cli.main())
