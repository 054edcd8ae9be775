"""`receiptctl log` and `consistency`: a whole log is compared, and each way of altering it has its sentence."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.fakes.keys import signer
from tests.fakes.witnesses import cosigned, cosigner
from tests.served_logs import served, write_log
from verify_service.receiptctl import main

SIZE = 1500
HISTORY = (0, 256, 1024, SIZE)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("log")
    return folder, write_log(folder, SIZE, HISTORY)


@pytest.fixture
def log(written, tmp_path):
    """This test's own copy of a log, and the policy that trusts it."""
    shutil.copytree(written[0], tmp_path / "log")
    (tmp_path / "policy").write_text(f"log {signer().key.vkey}\nquorum none\n")
    for size, note in written[1].items():
        (tmp_path / f"{size}.note").write_text(note)
    return tmp_path / "log"


def check(log, *more, place=None):
    return main(["log", str(place or log), "--policy", str(log.parent / "policy"), *map(str, more)])


def consistency(log, old, new, place=None):
    command = ["consistency", str(log.parent / f"{old}.note"), str(log.parent / f"{new}.note")]
    return main([*command, "--log", str(place or log), "--policy", str(log.parent / "policy")])


def flip(path, place=40):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_a_whole_log_is_proved_from_a_folder_and_over_http(log, capsys):
    assert check(log, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said == {"ok": True, "log": "logs.example/log/LAPD/records", "size": SIZE, "witnesses": {}}
    with served(log) as url:
        assert check(log, place=url) == 0
        assert consistency(log, 256, SIZE, url) == 0
    assert "the log logs.example/log/LAPD/records signed both" in capsys.readouterr().out


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 511, 512])
def test_every_shape_of_a_log_is_proved(log, tmp_path, size):
    write_log(tmp_path / "other", size)
    assert check(log, place=tmp_path / "other") == 0


@pytest.mark.parametrize(
    ("spoil", "code", "says"),
    [
        (lambda log: flip(log / "tile/entries/002"), 18, "tile/entries/002 does not hash to its tile"),
        (lambda log: flip(log / "tile/entries/005.p/220"), 18, "tile/entries/005.p/220 does not hash"),
        (lambda log: flip(log / "tile/0/003"), 18, "tile/entries/003 does not hash to its tile"),
        (lambda log: flip(log / "tile/1/000.p/5"), 18, "tile/1/000.p/5 does not hold the roots"),
        (lambda log: flip(log / "tile/entries/001", 0), 18, "tile/entries/001 is not an entry bundle"),
        (lambda log: (log / "tile/0/001").write_bytes(b"short"), 18, "has 5 bytes, which are not 256 hashes"),
        (lambda log: (log / "tile/entries/004").unlink(), 17, "does not serve tile/entries/004"),
        (lambda log: (log / "tile/0/004").unlink(), 17, "does not serve tile/0/004"),
        (lambda log: (log / "checkpoint").unlink(), 17, "does not serve checkpoint"),
        (lambda log: (log / "checkpoints/1024").unlink(), 17, "does not serve checkpoints/1024"),
        (lambda log: flip(log / "checkpoints/1024", 90), 12, "signed this checkpoint"),
        (lambda log: shutil.copy(log / "checkpoints/256", log / "checkpoints/1024"), 16, "of another log or size"),
        (lambda log: (log / "checkpoints/sizes").write_text("256\n0256\n"), 10, "not a plain decimal"),
        (lambda log: shutil.copy(log / "checkpoints/256", log / "checkpoint"), 16, "the newest checkpoint 256"),
    ],
)
def test_each_alteration_is_named(log, capsys, spoil, code, says):
    spoil(log)
    assert check(log) == code
    said = capsys.readouterr().out
    assert said.startswith("NOT PROVED: ")
    assert says in said


def another(folder, size=SIZE):
    """Write a log that the same key signed and that is another from entry 300 on."""
    return write_log(folder, size, (0, 256, size), name=lambda index: bytes([index >= 300]) + index.to_bytes(32, "big"))


def test_entries_and_tiles_rewritten_alike_do_not_have_the_signed_root(log, tmp_path, capsys):
    another(tmp_path / "other")
    shutil.copy(log / "checkpoint", tmp_path / "other")
    shutil.rmtree(tmp_path / "other/checkpoints")
    assert check(log, place=tmp_path / "other") == 18
    assert "do not have the root that it signed" in capsys.readouterr().out


def test_l11_a_history_of_another_tree_is_found_though_its_signatures_are_good(log, tmp_path, capsys):
    notes = another(tmp_path / "other")
    (log / "checkpoints/256").write_text(notes[256])
    assert check(log) == 18
    (log / f"checkpoints/{SIZE}").write_text(notes[SIZE])
    assert check(log) == 16
    assert "the log has two histories" in capsys.readouterr().out


def test_a_check_goes_on_from_where_it_came_and_remembers_what_it_saw(log, tmp_path, capsys):
    state = tmp_path / "state"
    assert check(log, "--resume", state) == 0
    kept = json.loads(state.read_text())
    assert (kept["seen"]["size"], kept["compared"]["size"]) == (SIZE, 1280)
    grown = tmp_path / "grown"
    write_log(grown, 3000, (*HISTORY, 3000))
    # What was compared is not read again.
    (grown / "tile/entries/002").unlink()
    assert check(log, "--resume", state, place=grown) == 0
    assert check(log, place=grown) == 17
    assert json.loads(state.read_text())["compared"]["size"] == 2816
    assert check(log, "--resume", state) == 16
    assert "shrank from 3000 to 1500" in capsys.readouterr().out


def test_a_log_that_was_rewritten_since_is_found_on_resuming(log, tmp_path, capsys):
    state = tmp_path / "state"
    assert check(log, "--resume", state) == 0
    another(tmp_path / "other", 2000)
    assert check(log, "--resume", state, place=tmp_path / "other") == 16
    assert "are not those that were checked before" in capsys.readouterr().out


def test_a_rewritten_end_is_found_though_no_whole_bundle_changed(log, tmp_path):
    state = tmp_path / "state"
    assert check(log, "--resume", state) == 0
    forked = tmp_path / "forked"
    write_log(forked, 1600, name=other_end)
    assert check(log, "--resume", state, place=forked) == 18


def other_end(index):
    from tests.served_logs import entry  # noqa: PLC0415

    return entry(index if index < 1400 else -index)


def test_a_check_that_was_stopped_goes_on(log, tmp_path):
    state = tmp_path / "state"
    (log / "tile/0/004").rename(tmp_path / "kept")
    assert check(log, "--resume", state) == 17
    (tmp_path / "kept").rename(log / "tile/0/004")
    assert check(log, "--resume", state) == 0


@pytest.mark.parametrize("content", ["", "{}", '{"log": 1, "seen": {"size": 1, "root": ""}, "compared": 3}'])
def test_a_state_that_no_check_left_is_refused(log, tmp_path, capsys, content):
    (tmp_path / "state").write_text(content)
    assert check(log, "--resume", tmp_path / "state") == 10
    assert "not what an earlier check left" in capsys.readouterr().out


@pytest.mark.parametrize(("old", "new"), [(0, 256), (256, 1024), (256, SIZE), (1024, SIZE), (SIZE, SIZE)])
def test_a_log_that_grew_is_proved_to_have(log, old, new):
    assert consistency(log, old, new) == 0


def test_l11_two_checkpoints_that_cannot_both_be_true(log, tmp_path, capsys):
    notes = another(tmp_path / "other")
    (tmp_path / "256.note").write_text(notes[256])
    assert consistency(log, 256, 1024) == 16
    assert "is not the beginning" in capsys.readouterr().out
    (tmp_path / "fork.note").write_text(notes[SIZE])
    assert consistency(log, "fork", SIZE) == 16
    assert "Two roots are claimed" in capsys.readouterr().out
    assert consistency(log, 1024, "fork") == 18
    assert "not those of" in capsys.readouterr().out
    assert consistency(log, 1024, 256) == 16
    assert "shrank" in capsys.readouterr().out


def test_what_is_not_published_yet_is_said_to_be(log, tmp_path, capsys):
    later = write_log(tmp_path / "later", 1600)
    (tmp_path / "later.note").write_text(later[1600])
    assert consistency(log, 256, "later") == 17
    assert "not yet to the 1600" in capsys.readouterr().out


def test_a_quorum_is_asked_of_every_checkpoint_but_the_history(log, tmp_path, capsys):
    (tmp_path / "policy").write_text(f"log {signer().key.vkey}\nwitness w {cosigner(1).key.vkey}\nquorum w\n")
    assert check(log) == 14
    (log / "checkpoint").write_text(cosigned((log / "checkpoint").read_text(), cosigner(1)))
    assert check(log) == 0
    assert "Witnesses had seen it: w (2026-11-24T05:04:09.000Z)." in capsys.readouterr().out
    assert consistency(log, 256, SIZE) == 14


def test_a_place_that_is_none_is_named(log, capsys):
    assert check(log, place="/nowhere") == 2
    assert "neither a folder nor an http address" in capsys.readouterr().err


def test_a_partial_tile_may_have_given_way_to_the_whole_one(log, tmp_path):
    write_log(tmp_path / "grown", 1536)
    (log / "tile/0/005.p/220").unlink()
    (log / "tile/entries/005.p/220").unlink()
    shutil.copy(tmp_path / "grown/tile/0/005", log / "tile/0/005")
    shutil.copy(tmp_path / "grown/tile/entries/005", log / "tile/entries/005")
    assert check(log) == 0
