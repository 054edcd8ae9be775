"""Measure every yardstick that applies so far, each as a ratio within one run: ``make bench``."""

from __future__ import annotations

import subprocess
import sys

MEASURED = ("requests", "stages", "identity", "ingest", "tenfold", "append", "proofs", "audit")


def main() -> None:
    """Run one benchmark after another, each in a program of its own."""
    for name in MEASURED:
        print(f"{name}:", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)


if __name__ == "__main__":
    main()
