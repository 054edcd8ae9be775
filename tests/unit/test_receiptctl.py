"""The command that a court runs: each fault has its exit code and a sentence, and nothing of the service is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from verify_service.receiptctl import main

LOG = json.loads((Path(__file__).parent.parent / "vectors/receipt.json").read_text("utf-8"))
EVIDENCE = {**LOG["receipts"][0], "policy": LOG["policy"]}
MODULE = "verify_service.receiptctl"


def written(folder, **changes):
    """Write the evidence, changed as asked, and return the command line that checks it."""
    for name in ("receipt", "record", "policy"):
        old, new = changes.get(name, ("", ""))
        assert old in EVIDENCE[name]
        (folder / name).write_bytes(EVIDENCE[name].replace(old, new, 1).encode())
    return ["verify", str(folder / "receipt"), "--record", str(folder / "record"), "--policy", str(folder / "policy")]


def test_a_receipt_that_proves_its_record_says_what_it_shows_and_what_not(tmp_path, capsys):
    assert main(written(tmp_path)) == 0
    assert capsys.readouterr().out == (
        f"Proved: {tmp_path / 'record'} is entry 0 of the log logs.example/log/LAPD/records, which had 39 entries when "
        "it signed. No witness was asked for, so this does not show that the log told everyone the same.\n"
    )
    assert main([*written(tmp_path), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == {"ok": True, "log": "logs.example/log/LAPD/records", "index": 0, "size": 39, "witnesses": {}}


@pytest.mark.parametrize(
    ("changes", "code", "fault"),
    [
        ({"receipt": ("tlog-proof@v1", "tlog-proof@v2")}, 10, "receipt_malformed"),
        ({"receipt": ("\n", "\r\n")}, 10, "receipt_malformed"),
        ({"policy": ("LAPD/records", "SFPD/records")}, 15, "policy_malformed"),
        ({"receipt": ("\nlogs.example/", "\nlogs.other/")}, 11, "log_not_trusted"),
        ({"receipt": ("\n39\n", "\n40\n")}, 12, "signature_invalid"),
        ({"record": ("CENTRAL", "HARBOR")}, 13, "record_not_in_log"),
        ({"receipt": ("index 0", "index 1")}, 13, "record_not_in_log"),
        ({"policy": ("quorum none", "quorum some")}, 15, "policy_malformed"),
        ({"policy": ("quorum none\n", "")}, 15, "policy_malformed"),
    ],
)
def test_each_fault_has_its_exit_code(tmp_path, capsys, changes, code, fault):
    command = written(tmp_path, **changes)
    assert main(command) == code
    assert capsys.readouterr().out.startswith("NOT PROVED: ")
    assert main([*command, "--json"]) == code
    shown = json.loads(capsys.readouterr().out)
    assert (shown["ok"], shown["fault"]) == (False, fault)
    assert shown["detail"]


def test_a_file_that_cannot_be_read_is_named(tmp_path, capsys):
    command = written(tmp_path)
    (tmp_path / "record").unlink()
    assert main(command) == 2
    assert str(tmp_path / "record") in capsys.readouterr().err


def test_it_runs_with_no_database_no_web_framework_and_no_network(tmp_path):
    program = (
        f"import sys; from {MODULE} import main; code = main(sys.argv[1:])\n"
        "loaded = {'flask', 'sqlalchemy', 'psycopg', 'sqlite3', 'socket', 'urllib3', 'tuf'} & set(sys.modules)\n"
        "sys.exit(f'loaded {loaded}' if loaded else code)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, *written(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
