"""Take the record log's guards away, one after the other, and see that the tests of each attack's row then fail.

``python -m tests.attack.guards [ROW …]`` does so in a copy of the tree, for the guards that ``guards.toml`` lists under
those rows, such as ``l16``, or under all. It prints the first test that missed each, and exits 1 where none did.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUARDS = tomllib.loads(Path(__file__).with_name("guards.toml").read_text("utf-8"))["guard"]
TESTS_FAILED = 1
PATIENCE_SECONDS = 600


@contextmanager
def without(guard, tree):
    """Take a guard away from a tree meanwhile; raise LookupError where what is to be edited does not stand once."""
    files = {tree / edit["file"] for edit in guard["edit"]}
    before = {file: file.read_text("utf-8") for file in files}
    try:
        for edit in guard["edit"]:
            file = tree / edit["file"]
            content = file.read_text("utf-8")
            if content.count(edit["old"]) != 1:
                raise LookupError(f"{edit['old']!r} does not stand once in {edit['file']}: mend guards.toml.")
            file.write_text(content.replace(edit["old"], edit["new"]), "utf-8")
        yield
    finally:
        for file, content in before.items():
            file.write_text(content, "utf-8")


def missed_by(guard, tree):
    """Return the first test of the guard's row that fails in a tree without it, None where all pass."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "long or not long", "-p", "no:cacheprovider"]
    # This tree comes before the one that is installed, in programs that the tests start too.
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    with without(guard, tree):
        ran = subprocess.run(
            [*command, "-k", guard["only"], guard["tests"]],
            cwd=tree,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    failed = re.search(rf"^FAILED \S+::(test_{guard['row']}_\S+)", ran.stdout, re.MULTILINE)
    return failed[1] if ran.returncode == TESTS_FAILED and failed else None


def main(*rows):
    """Try the guards and return the exit code."""
    missing = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in ("verify_service", "tests"):
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "vendor"))
        shutil.copy(ROOT / "pyproject.toml", tree)
        for guard in GUARDS:
            if not rows or guard["row"] in rows:
                test = missed_by(guard, tree)
                missing += test is None
                print(f"{guard['row']} {guard['what']}: {test or 'NO TEST FAILED'}", flush=True)  # noqa: T201
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
