"""docs/check-receipt.sh, which has no line of ours in it but its own, agrees with `receiptctl verify`."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.deploy.tools import ROOT, run, tool
from verify_service.signing import NoteSigner

pytestmark = pytest.mark.long

VECTORS = json.loads((ROOT / "tests/vectors/receipt.json").read_text("utf-8"))
PROVED = VECTORS["receipts"]


def check(folder, receipt, record, policy=VECTORS["policy"]):
    tool("openssl")
    paths = []
    for name, content in (("receipt", receipt), ("record", record), ("policy", policy)):
        path = folder / name
        path.write_bytes(content.encode())
        paths.append(str(path))
    checked = run("sh", str(ROOT / "docs/check-receipt.sh"), *paths)
    assert checked.stderr == ""
    return checked.returncode, checked.stdout


@pytest.mark.parametrize("case", PROVED[:: max(1, len(PROVED) // 8)])
def test_it_proves_what_is_proved(tmp_path, case):
    code, said = check(tmp_path, case["receipt"], case["record"])
    assert (code, said.split()[0]) == (0, "Proved:")


def test_it_proves_by_either_key_of_a_rotation_in_its_term(tmp_path):
    case = PROVED[-2]
    note = case["receipt"].partition("\n\n")[2]
    text, size = note.partition("\n\n")[0] + "\n", int(note.split("\n")[1])
    key, other = VECTORS["policy"].split()[1], NoteSigner(note.split("\n")[0], Ed25519PrivateKey.generate())
    both = case["receipt"] + other.sign(text).rpartition("\n\n")[2]
    at = f"{size} 2026-11-24T00:00:00Z\n"
    rotated = f"log {other.key.vkey}\nlog {key}\nuntil {key} {at}quorum none\n"
    assert check(tmp_path, both, case["record"], rotated)[0] == 0
    assert check(tmp_path, case["receipt"], case["record"], rotated)[0] == 0
    assert (
        check(tmp_path, both, case["record"], f"log {other.key.vkey}\nlog {key}\nafter {key} {at}quorum none\n")[0] == 0
    )
    code, said = check(tmp_path, case["receipt"], case["record"], rotated.replace("until", "after"))
    assert (code, "does not sign at" in said) == (1, True)


def spoiled():
    case = PROVED[-2]
    receipt, record = case["receipt"], case["record"]
    lines = receipt.split("\n")
    other = VECTORS["policy"].replace("logs.example", "other.example")
    key = VECTORS["policy"].split()[1]
    shorter = "\n".join(lines[:3] + lines[4:])
    longer = "\n".join([*lines[:4], lines[3], *lines[4:]])
    size = lines[lines.index("") + 2]
    return {
        "another record": (receipt, record.replace("LAPD", "LASD"), VECTORS["policy"]),
        "another log": (receipt, record, other),
        "another index": (receipt.replace(f"\n{lines[2]}\n", "\nindex 3\n"), record, VECTORS["policy"]),
        "an index outside": (receipt.replace(f"\n{lines[2]}\n", "\nindex 4000\n"), record, VECTORS["policy"]),
        "another size": (receipt.replace(f"\n{size}\n", f"\n{int(size) + 1}\n"), record, VECTORS["policy"]),
        "a shorter path": (shorter, record, VECTORS["policy"]),
        "a longer path": (longer, record, VECTORS["policy"]),
        "a quorum": (receipt, record, VECTORS["policy"].replace("quorum none", "quorum w")),
        "a retired key": (receipt, record, f"{VECTORS['policy']}until {key} 1 2026-11-24T00:00:00Z\n"),
        "a newer key": (receipt, record, f"{VECTORS['policy']}after {key} 9999999 2026-11-24T00:00:00Z\n"),
        "no proof": (receipt.replace("tlog-proof", "tlog-prose"), record, VECTORS["policy"]),
    }


@pytest.mark.parametrize("what", spoiled())
def test_it_refuses_what_is_not(tmp_path, what):
    code, said = check(tmp_path, *spoiled()[what])
    assert (code, said[:10]) == (1, "NOT PROVED")
