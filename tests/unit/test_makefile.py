"""What a newcomer types first fails with words, not with a traceback."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parent.parent.parent / "Makefile"


@pytest.mark.parametrize("target", ["install", "demo", "test"])
def test_an_old_python_is_refused_with_what_to_do(tmp_path, target):
    shutil.copy(MAKEFILE, tmp_path)
    old = tmp_path / "python3.9"
    old.write_text('#!/bin/sh\ncase "$1" in -V) echo "Python 3.9.2" ;; *) exit 1 ;; esac\n')
    old.chmod(0o755)
    asked = ["make", f"PYTHON={old}", target]
    made = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert made.returncode != 0
    assert f"This needs Python 3.11 or newer, and {old} is Python 3.9.2." in made.stdout
    assert f"name it: make PYTHON=python3.12 {target}" in made.stdout
    assert not (tmp_path / ".venv").exists()
