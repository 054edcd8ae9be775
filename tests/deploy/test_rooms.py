"""Break each rule about who may import whom, once: import-linter says which one, and no other."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

# It comes with `make .venv/check`, which only `make test-long` and `make check` need.
pytestmark = pytest.mark.long

REPOSITORY = Path(__file__).parent.parent.parent
CONTRACTS = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
NAMES = [contract["name"] for contract in CONTRACTS]
# Where one line breaks each contract, by its name.
OFFENCES = {
    "The rooms are layers, top to bottom": ("errors.py", "import verify_service.caller"),
    "Flask and marshmallow are known in web and devissuer only": ("settings.py", "import flask"),
    "SQLAlchemy and Alembic are known in storage only": ("settings.py", "import sqlalchemy"),
    "TUF is known in registry only": ("settings.py", "import tuf"),
    "A witness knows nothing of the service that it watches": ("witness/key.py", "import verify_service.verification"),
    "receiptctl needs no web framework, no database and no network": ("receiptctl.py", "import socket"),
}


@pytest.fixture
def tree(tmp_path):
    """A copy of what import-linter reads."""
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    ignored = shutil.ignore_patterns("static", "__pycache__")
    shutil.copytree(REPOSITORY / "verify_service", tmp_path / "verify_service", ignore=ignored)
    return tmp_path


def broken(tree):
    """Return the names of the contracts that are reported broken."""
    linter = Path(sys.executable).with_name("lint-imports")
    assert linter.exists(), "import-linter is missing: run `make .venv/check`"
    said = subprocess.run([linter], cwd=tree, capture_output=True, text=True, timeout=120, check=False).stdout
    judged = dict(re.findall(r"^(.+) (KEPT|BROKEN)(?: \(.*\))?$", said, re.MULTILINE))
    assert sorted(judged) == sorted(NAMES), said
    return [name for name, verdict in judged.items() if verdict == "BROKEN"]


def test_the_tree_breaks_none(tree):
    assert broken(tree) == []


@pytest.mark.parametrize("name", NAMES)
def test_one_import_breaks_one_contract(tree, name):
    assert name in OFFENCES, "this contract has no offence here: add one"
    file, line = OFFENCES[name]
    with (tree / "verify_service" / file).open("a") as module:
        module.write(f"\n{line}\n")
    assert broken(tree) == [name]
