"""Each row has guards that ``tests.attack.guards`` can take away, and tests that carry its number."""

from __future__ import annotations

import shutil

import pytest

from tests.attack.guards import GUARDS, ROOT, without


@pytest.mark.parametrize("row", [f"l{number:02}" for number in range(1, 21)])
def test_every_row_has_guards_and_each_stands_where_the_list_says(row, tmp_path):
    guards = [guard for guard in GUARDS if guard["row"] == row]
    assert guards
    for guard in guards:
        assert f"def test_{row}_" in (ROOT / guard["tests"]).read_text("utf-8")
        for edit in guard["edit"]:
            (tmp_path / edit["file"]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / edit["file"], tmp_path / edit["file"])
        with without(guard, tmp_path):
            assert all(edit["new"] in (tmp_path / edit["file"]).read_text("utf-8") for edit in guard["edit"])
        assert all((tmp_path / e["file"]).read_text() == (ROOT / e["file"]).read_text() for e in guard["edit"])
