"""Measure how much memory a program takes at its highest (Linux)."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Growth:
    """By how many megabytes the resident size had grown at its highest; known once the block has ended."""

    mb: float = 0.0


@contextmanager
def growth():
    """Yield what will say how far the resident size rose above what it was at the beginning."""
    Path("/proc/self/clear_refs").write_text("5")
    before, found = _peak_mb(), Growth()
    yield found
    found.mb = _peak_mb() - before


def _peak_mb():
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024


def in_a_new_program(function, *arguments):
    """Run a function in a program of its own, so that what it leaves behind hides nobody's growth."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as program:
        return program.submit(function, *arguments).result()
