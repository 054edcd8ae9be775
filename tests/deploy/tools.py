"""Find a checker that Debian or the index has, and fail with the words that mend it where it is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent
PLACES = os.pathsep.join((str(BIN), os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))


def tool(name):
    """Return the path of a program."""
    found = shutil.which(name, path=PLACES)
    if found is None:
        pytest.fail(f"{name} is missing; run: make tools")
    return found


def run(name, *arguments):
    """Run a program to its end and return what became of it."""
    return subprocess.run([tool(name), *arguments], check=False, capture_output=True, text=True, timeout=60)
