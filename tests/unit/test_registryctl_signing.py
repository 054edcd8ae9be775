"""A draft is signed by keys of its role alone, here or on another machine, over exactly what is staged."""

import json
import os
import stat
from threading import Thread

import pytest
from tuf.api.metadata import Metadata

from tests.holders import CODE, Holders


@pytest.fixture
def holders(tmp_path):
    holders = Holders(tmp_path)
    holders.init()
    holders.enrol()
    return holders


def said(capsys):
    return capsys.readouterr().out


def signatures(holders, role):
    return json.loads((holders.folder / f"staged/{role}.json").read_bytes())["signatures"]


def test_a_key_is_its_owners_alone_and_its_public_part_is_beside_it(tmp_path, capsys):
    holders = Holders(tmp_path)
    holders.do("key", "new", tmp_path / "holder.pem", "--json")
    document = json.loads(said(capsys))
    assert stat.S_IMODE((tmp_path / "holder.pem").stat().st_mode) == 0o600
    assert (tmp_path / "holder.pem").read_text().startswith("-----BEGIN PRIVATE KEY-----")
    public = json.loads((tmp_path / "holder.pem.pub").read_bytes())
    assert (public["v"], public["keyid"], public["scheme"]) == ("public-key/v1", document["keyid"], "ed25519")
    assert holders.run("key", "new", tmp_path / "holder.pem") == 2
    holders.do("key", "public", f"file2:{tmp_path}/holder.pem", tmp_path / "again.pub")
    assert (tmp_path / "again.pub").read_bytes() == (tmp_path / "holder.pem.pub").read_bytes()


def test_what_is_signed_is_said_before_it_is(holders, capsys):
    said(capsys)
    holders.sign("targets", 1)
    text = said(capsys)
    assert text.index(f"{CODE}: new agency") < text.index("Signed targets with 1 of its keys")
    assert f"{CODE}: CALLBACK NUMBER +12025550199" in text
    assert "Signatures: 1 of 2." in text
    holders.sign("targets", 1)
    assert "Signatures: 1 of 2." in said(capsys)


@pytest.mark.parametrize(("role", "of"), [("targets", CODE), (CODE, "targets"), ("root", "targets")])
def test_a_key_of_another_role_signs_nothing(holders, role, of, capsys):
    before = signatures(holders, role)
    assert holders.run("sign", holders.folder, role, "--key", holders.keys[of][0]) == 1
    assert f"none of the keys of {role}" in said(capsys)
    assert signatures(holders, role) == before


def test_nothing_is_signed_where_one_of_the_keys_is_a_strangers(holders, capsys):
    mine, stranger = holders.keys[CODE][0], holders.keys["root"][0]
    assert holders.run("roster", "sign", holders.folder, CODE, "--key", mine, "--key", stranger) == 1
    assert signatures(holders, CODE) == []


@pytest.mark.parametrize("role", ["XY-NIX", "timestamp", "../root"])
def test_a_role_that_has_no_draft_is_not_signed(holders, role, capsys):
    assert holders.run("sign", holders.folder, role, "--key", holders.keys["root"][0]) == 1
    assert f"Nothing is staged for {role}" in said(capsys)


def test_a_holder_is_not_shown_one_file_and_made_to_sign_for_another(holders, capsys):
    (path,) = (holders.folder / f"staged/targets/profiles/{CODE}").iterdir()
    path.write_bytes(path.read_bytes().replace(b"+12025550199", b"+12025550111"))
    assert holders.run("sign", holders.folder, "targets", "--key", holders.keys["targets"][0]) == 1
    assert "was altered: stage it anew" in said(capsys)
    assert signatures(holders, "targets") == []


def test_a_draft_that_is_swapped_while_a_holder_opens_the_key_is_not_signed(holders, tmp_path, capsys):
    draft, key = holders.folder / "staged/targets.json", holders.keys["targets"][0]
    pipe = tmp_path / "slow.pem"
    os.mkfifo(pipe)

    def swap():
        # The pipe opens when the command asks for the key, after it has shown the draft.
        with pipe.open("wb") as file:
            holders.do("profile", "set", holders.folder, holders.profile(name="Another (synthetic)"))
            file.write(key.read_bytes())

    thief = Thread(target=swap)
    thief.start()
    try:
        assert holders.run("sign", holders.folder, "targets", "--key", pipe) == 1
    finally:
        thief.join()
    assert "was changed while it was being signed" in said(capsys)
    assert json.loads(draft.read_bytes())["signatures"] == []


def exported(holders, tmp_path, role=CODE):
    holders.do("export", holders.folder, role, tmp_path / "bytes")
    return tmp_path / "bytes"


def test_a_signature_comes_back_from_another_machine(holders, tmp_path, capsys):
    path, signature = exported(holders, tmp_path), tmp_path / "signature"
    told = said(capsys)
    holders.do("sign-bytes", path, "--key", holders.keys[CODE][0], "--out", signature)
    digest = json.loads(signature.read_bytes())["sha256"]
    assert digest in told
    assert digest in said(capsys)
    holders.do("import", holders.folder, CODE, signature)
    assert "Signatures: 1 of 2." in said(capsys)
    (kept,) = signatures(holders, CODE)
    assert kept["sig"] == json.loads(signature.read_bytes())["sig"]


@pytest.mark.parametrize(
    ("role", "line"),
    [
        ("targets", f"{CODE}: Sample police (synthetic), level 4, CALLBACK NUMBER +12025550199"),
        (CODE, f"roster 1 of {CODE}, blinded for epoch 1: 1 badge (complete), 0 minted (complete)"),
    ],
)
def test_what_is_signed_elsewhere_is_said_there_from_the_files_themselves(holders, tmp_path, role, line, capsys):
    holders.list("badge,10001,active,,")
    assert holders.build() == 0
    path = exported(holders, tmp_path, role)
    signing = ["sign-bytes", path, "--key", holders.keys[role][0], "--out", tmp_path / "signature"]
    said(capsys)
    holders.do(*signing)
    assert line in said(capsys)
    (tmp_path / "signature").unlink()
    (file,) = (tmp_path / "bytes.files").iterdir()
    for content in (file.read_bytes().replace(b"1", b"2"), None):
        file.unlink() if content is None else file.write_bytes(content)
        assert holders.run(*signing) == 1
        assert "bring this folder along" in said(capsys)
    assert not (tmp_path / "signature").exists()


def test_a_signature_that_does_not_fit_is_not_taken(holders, tmp_path, capsys):
    path, signature = exported(holders, tmp_path), tmp_path / "signature"
    holders.do("sign-bytes", path, "--key", holders.keys[CODE][0], "--out", signature)
    good = json.loads(signature.read_bytes())
    strangers = tmp_path / "stranger"
    holders.do("sign-bytes", path, "--key", holders.keys["root"][0], "--out", strangers)
    other = json.loads((tmp_path / f"{holders.keys[CODE][1].name}.pub").read_bytes())["keyid"]
    for document, words in (
        ({**good, "keyid": other}, "does not fit its key"),
        ({**good, "sig": "00" * 64}, "does not fit its key"),
        ({**good, "sig": "no hexadecimal"}, "does not fit its key"),
        ({**good, "sha256": "0" * 64}, "over other bytes"),
        ({**good, "v": "signature/v2"}, "no signature/v1"),
        ({"v": "signature/v1"}, "no signature/v1"),
        (json.loads(strangers.read_bytes()), "none of the keys"),
    ):
        signature.write_text(json.dumps(document))
        assert holders.run("import", holders.folder, CODE, signature) == 1
        assert words in said(capsys)
    assert signatures(holders, CODE) == []


def test_a_signature_over_an_earlier_draft_is_not_taken(holders, tmp_path, capsys):
    path, signature = exported(holders, tmp_path), tmp_path / "signature"
    holders.do("sign-bytes", path, "--key", holders.keys[CODE][0], "--out", signature)
    holders.clock.advance(minutes=1)
    holders.list("badge,10001,active,,")
    assert holders.build() == 0
    assert holders.run("import", holders.folder, CODE, signature) == 1
    assert "over other bytes" in said(capsys)


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b'{"_type":"root"}', b"\xff", b'{"_type": "targets", "version": 1}', b"[" * 100_000],
)
def test_bytes_that_are_no_roles_are_not_signed(holders, tmp_path, content, capsys):
    (tmp_path / "bytes").write_bytes(content)
    signing = ["sign-bytes", tmp_path / "bytes", "--key", holders.keys[CODE][0], "--out", tmp_path / "signature"]
    assert holders.run(*signing) == 1
    assert "export them anew" in said(capsys)
    assert not (tmp_path / "signature").exists()


def test_bytes_that_say_the_same_and_are_not_the_exact_ones_are_not_signed(holders, tmp_path, capsys):
    path = exported(holders, tmp_path)
    path.write_text(json.dumps(json.loads(path.read_bytes()), indent=1))
    assert holders.run("sign-bytes", path, "--key", holders.keys[CODE][0], "--out", tmp_path / "signature") == 1
    assert "no exact bytes" in said(capsys)


@pytest.mark.parametrize("role", ["timestamp", "snapshot"])
def test_only_what_holders_sign_is_signed_elsewhere(tmp_path, role, capsys):
    holders = Holders(tmp_path).published()
    (path,) = (holders.folder / "metadata").glob(f"*{role}.json")
    (tmp_path / "bytes").write_bytes(Metadata.from_file(str(path)).signed_bytes)
    signing = ["sign-bytes", tmp_path / "bytes", "--key", holders.keys[CODE][0], "--out", tmp_path / "signature"]
    assert holders.run(*signing) == 1


def test_a_public_key_file_may_say_where_its_private_key_is(holders, tmp_path, capsys):
    key = holders.keys[CODE][0]
    public = json.loads((tmp_path / f"{key.name}.pub").read_bytes())
    (tmp_path / "service.pub").write_text(json.dumps({**public, "uri": f"file2:{key}"}))
    holders.do("sign", holders.folder, CODE, "--key", tmp_path / "service.pub")
    assert "Signatures: 1 of 2." in said(capsys)
    (tmp_path / "service.pub").write_text(json.dumps({**public, "uri": f"file2:{holders.keys[CODE][1]}"}))
    assert holders.run("sign", holders.folder, CODE, "--key", tmp_path / "service.pub") == 2


@pytest.mark.parametrize(
    "key", ["nowhere.pem", "awskms:alias/key", "hsm:x", "holder.txt", "public.pub", "file2:nowhere.pem"]
)
def test_a_key_that_cannot_be_used_is_usage(holders, tmp_path, key, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "holder.txt").write_text("not a key")
    (tmp_path / "public.pub").write_bytes((tmp_path / f"{holders.keys[CODE][0].name}.pub").read_bytes())
    assert holders.run("sign", holders.folder, CODE, "--key", key) == 2
    assert capsys.readouterr().err.startswith("registryctl: ")
