"""Whoever can write into the publisher's folder, and has no key, gets nothing of it shown, staged, signed or led to."""

import json
import shutil
from hashlib import sha256

import pytest

from tests.holders import CODE, ROWS, Holders

NUMBER, THIEFS = b"+12025550199", b"+16665550666"


@pytest.fixture
def holders(tmp_path):
    return Holders(tmp_path / "ours").published()


def said(capsys):
    return capsys.readouterr().out


def swapped(holders, role, path, change):
    """Change a published file and the role that names it, whose signatures are no good any more."""
    metadata = holders.folder / f"metadata/1.{role}.json"
    document = json.loads(metadata.read_bytes())
    target = document["signed"]["targets"][path]
    folder, _, name = path.rpartition("/")
    file = holders.folder / "targets" / folder / f"{target['hashes']['sha256']}.{name}"
    content = change(file.read_bytes())
    assert content != file.read_bytes()
    digest = sha256(content).hexdigest()
    file.with_name(f"{digest}.{name}").write_bytes(content)
    target |= {"hashes": {"sha256": digest}, "length": len(content)}
    metadata.write_text(json.dumps(document))
    return metadata


def announced(holders, role):
    """Let the snapshot and the timestamp name a changed file, though nobody signed them so."""
    for name, led in (("1.snapshot", f"1.{role}"), ("timestamp", "1.snapshot")):
        path, content = (holders.folder / f"metadata/{part}.json" for part in (name, led))
        document = json.loads(path.read_bytes())
        entry = document["signed"]["meta"][f"{led.partition('.')[2]}.json"]
        entry["hashes"]["sha256"] = sha256(content.read_bytes()).hexdigest()
        entry.pop("length", None)
        path.write_text(json.dumps(document))


def swap_number(holders):
    swapped(holders, "targets", f"profiles/{CODE}/profile.json", lambda profile: profile.replace(NUMBER, THIEFS))
    return "targets"


def swap_roster(holders):
    swapped(holders, CODE, f"rosters/{CODE}/roster.jsonl", lambda roster: roster.replace(b"active", b"lost"))
    return CODE


@pytest.mark.parametrize("announce", [False, True])
@pytest.mark.parametrize("swap", [swap_number, swap_roster])
def test_a_forged_file_is_not_renewed(holders, swap, announce, capsys):
    role = swap(holders)
    if announce:
        announced(holders, role)
    said(capsys)
    assert holders.run("renew", holders.folder, role) == 1
    told = said(capsys)
    assert "sign nothing, and restore the folder" in told
    assert ("signed by enough" if announce else "not the file that was announced") in told
    assert not (holders.folder / "staged").exists()


def test_a_forged_number_is_neither_shown_nor_signed_nor_published(holders, tmp_path, capsys):
    holders.do("renew", holders.folder, "targets")
    holders.sign("targets", 1)
    swap_number(holders)
    said(capsys)
    root = holders.folder / "metadata/1.root.json"
    for words in (
        ["sign", holders.folder, "targets", "--key", holders.keys["targets"][1]],
        ["export", holders.folder, "targets", tmp_path / "bytes"],
        ["profile", "set", holders.folder, holders.profile(name="Renamed (synthetic)")],
        ["status", holders.folder],
        ["status", holders.folder, "--root", root],
        ["publish", holders.folder, *holders.online()],
    ):
        assert holders.run(*words) == 1, words
        assert "restore the folder" in said(capsys)
    assert not (tmp_path / "bytes").exists()


def test_a_root_that_the_holders_did_not_sign_is_none(holders, capsys):
    document = json.loads((holders.folder / "metadata/1.root.json").read_bytes())
    document["signed"]["version"] = 2
    (holders.folder / "metadata/2.root.json").write_text(json.dumps(document))
    assert holders.run("renew", holders.folder, CODE) == 1
    assert "The root that is published" in said(capsys)


def test_another_registry_in_the_folder_is_told_by_the_root_that_a_holder_has(holders, tmp_path, capsys):
    mine = tmp_path / "mine.json"
    shutil.copy(holders.folder / "metadata/1.root.json", mine)
    said(capsys)
    holders.do("renew", holders.folder, CODE, "--root", mine)
    assert "judged from" not in said(capsys)
    holders.do("sign", holders.folder, CODE, "--key", holders.keys[CODE][0])
    assert f"own first root, {sha256(mine.read_bytes()).hexdigest()}: compare it" in said(capsys)
    holders.clock.advance(minutes=1)
    (tmp_path / "other").mkdir()
    other = Holders(tmp_path / "other", holders.clock)
    other._init()
    assert other.publish() == 0
    shutil.rmtree(holders.folder)
    shutil.copytree(other.folder, holders.folder)
    for words in (["renew", holders.folder, CODE], ["status", holders.folder]):
        assert holders.run(*words, "--root", mine) == 1
        assert "this is another registry" in said(capsys)
    assert holders.run("status", holders.folder, "--root", tmp_path / "nowhere") == 2
    assert holders.run("status", holders.folder, "--root", holders.folder / "metadata/1.targets.json") == 2


def test_what_expired_is_not_taken_for_forged(holders):
    holders.clock.advance(days=4)
    holders.list(*ROWS)
    assert holders.build() == 0
    holders.sign(CODE)
    assert holders.publish() == 0


def test_a_publication_with_lost_keys_that_was_cut_after_the_root_is_completed(holders, capsys):
    holders.make_keys("timestamp", 1)
    holders.do("root", "rotate", holders.folder, *holders.publics("timestamp", "--timestamp-key"))
    holders.sign("root", 3)
    shutil.copy(holders.folder / "staged/root.json", holders.folder / "metadata/2.root.json")
    assert holders.publish() == 1
    assert "The timestamp that is published" in said(capsys)
    assert holders.publish("--lost-keys") == 0
    assert holders.verifies()
