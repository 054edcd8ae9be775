"""`witnessctl` as its operator runs it: a key of its own, a ledger that outlives kill -9, one name for ever."""

from __future__ import annotations

import stat
import subprocess

import pytest

from tests.fakes.keys import ORIGIN, signer
from tests.fakes.witnesses import cosigner
from tests.unit.test_witness import TREE
from tests.witnesses import WITNESSCTL, ServedWitness
from verify_service.record_log.cosignature import WitnessKey
from verify_service.signing import Note, NoteSigner
from verify_service.witnessctl import main

NAME = "witness.example/ig"


@pytest.fixture
def witness(tmp_path):
    return ServedWitness(tmp_path / "witness", NAME, signer().key.vkey)


def test_it_cosigns_over_http_and_says_what_it_saw(witness):
    assert stat.S_IMODE((witness.home / "witness.pem").stat().st_mode) == 0o600
    assert witness.status()["logs"] == {ORIGIN: {"size": 0, "cosigned_at": "never", "keys": signer().key_id.hex()}}
    witness.start()
    try:
        status, line = witness.post(TREE.body(0, 7).encode())
        assert status == 200
        assert Note.parse(TREE.checkpoint(7) + line.decode()).check([WitnessKey.parse(witness.vkey)])
        assert witness.post(TREE.body(0, 7).encode()) == (409, b"7\n")
        assert witness.status()["logs"][ORIGIN]["size"] == 7
    finally:
        witness.stop()
    # The heads of a log that is not published must not be had from its witness unless that was asked for.
    assert "--monitored" in witness.ctl("serve", "--help")


def test_l14_a_witness_goes_on_through_a_rotation_and_accepts_the_retired_key_no_longer(witness, capsys):
    new = NoteSigner(ORIGIN, cosigner(5).private)
    home = ["--home", str(witness.home)]
    assert main(["retire-key", *home, signer().key.vkey]) == 3
    assert "the only key" in capsys.readouterr().err
    assert main(["retire-key", *home, new.key.vkey]) == 3
    assert "does not accept" in capsys.readouterr().err
    witness.start()
    try:
        assert witness.post(TREE.body(0, 7, note=TREE.checkpoint(7, new)).encode())[0] == 403
        assert witness.post(TREE.body(0, 7).encode())[0] == 200
        # While it serves: nothing is restarted.
        assert main(["add-log", *home, "--name", NAME, new.key.vkey]) == 0
        both = TREE.checkpoint(8) + new.line(TREE.checkpoint(8).partition("\n\n")[0] + "\n")
        assert witness.post(TREE.body(7, 8, note=both).encode())[0] == 200
        assert main(["retire-key", *home, signer().key.vkey]) == 0
        assert witness.post(TREE.body(8, 9).encode())[0] == 403
        assert witness.post(TREE.body(8, 9, note=TREE.checkpoint(9, new)).encode())[0] == 200
        assert witness.status()["logs"][ORIGIN]["keys"] == new.key_id.hex()
    finally:
        witness.stop()


def test_a_key_and_a_name_are_for_ever(witness, capsys):
    key = (witness.home / "witness.pem").read_bytes()
    other = signer("other.example/log").key.vkey
    assert ServedWitness(witness.home, NAME, other).vkey == witness.vkey
    assert (witness.home / "witness.pem").read_bytes() == key
    assert main(["add-log", "--home", str(witness.home), "--name", "another", other]) == 3
    assert "belongs to the witness witness.example/ig" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda home: (home / "witness.pem").chmod(0o644), "is open to others"),
        (lambda home: (home / "witness.pem").unlink(), "is missing"),
        (lambda home: (home / "witness.pem").write_bytes(b"none"), "is not an Ed25519 key"),
        (lambda home: (home / "witness.db").unlink(), "is missing"),
    ],
)
def test_it_does_not_start_without_its_own(witness, capsys, spoil, says):
    spoil(witness.home)
    for command in ("serve", "status"):
        assert main([command, "--home", str(witness.home)]) == 3
        assert says in capsys.readouterr().err


def test_a_log_that_is_no_key_is_refused(tmp_path):
    ran = [WITNESSCTL, "add-log", "--home", str(tmp_path), "--name", NAME, "nonsense"]
    ended = subprocess.run(ran, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, "is not base64" in ended.stderr or "Ed25519" in ended.stderr) == (3, True)


@pytest.mark.long
def test_what_was_answered_outlives_kill_9(witness):
    for size in range(1, 26):
        witness.start()
        status, _ = witness.post(TREE.body(size - 1, size).encode())
        witness.kill()
        assert status == 200
        assert witness.status()["logs"][ORIGIN]["size"] == size
