"""Notice that the process which started this one is gone, so that no orphan goes on serving."""

from __future__ import annotations

import os
import time

WATCH_SECONDS = 0.5


def wait_until_gone(parent: int) -> None:
    """Return once ``parent``, which started this process, has ended in any way, a kill included."""
    while os.getppid() == parent:
        time.sleep(WATCH_SECONDS)
