"""Attacks 16 to 18 on the record log that need only what leaves it: a receipt, a record and the key's public half."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.fakes.keys import ORIGIN, seeded_bytes, signer
from verify_service.errors import EvidenceFault, RecordNotInLog
from verify_service.receiptctl import main
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.merkle import leaf_hash, node_hash
from verify_service.record_log.receipt import Receipt, verify_receipt
from verify_service.record_log.record import commitment, entry_of
from verify_service.record_log.trust import TrustPolicy
from verify_service.signing import b64, signature_line, unb64

VECTORS = json.loads((Path(__file__).parent.parent / "vectors/receipt.json").read_text("utf-8"))
EVIDENCE = VECTORS["receipts"][5]
HEAD, _, NOTE = EVIDENCE["receipt"].partition("\n\n")
TEXT, _, SIGNED = NOTE.partition("\n\n")
LINES = HEAD.split("\n")
ROOT = TEXT.split("\n")[2]
HASH = b64(bytes(32))
SIGNATURE = unb64(SIGNED.strip().rpartition(" ")[2])


def receipt(*, head=None, text=TEXT, signed=SIGNED):
    return "\n".join(LINES if head is None else head) + f"\n\n{text}\n\n{signed}"


def line(number, content):
    return receipt(head=[*LINES[:number], content, *LINES[number + 1 :]])


def judged(folder, capsys, text, policy=VECTORS["policy"]):
    """Return the exit code and the sentence of ``receiptctl verify``."""
    (folder / "receipt").write_bytes(text.encode())
    (folder / "record").write_bytes(EVIDENCE["record"].encode())
    (folder / "policy").write_text(policy)
    code = main(
        ["verify", str(folder / "receipt"), "--record", str(folder / "record"), "--policy", str(folder / "policy")]
    )
    return code, capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        (line(0, ""), 10, "starts with the line"),
        (line(1, "extra "), 10, "nonce must be 32 bytes long, not 0"),
        (line(1, f"extra {b64(bytes(33))}"), 10, "nonce must be 32 bytes long, not 33"),
        (line(1, LINES[1][:-1]), 10, "nonce is not base64"),
        (line(1, LINES[1].upper()), 10, "second line is `extra …`"),
        (line(1, f"extra {HASH}"), 13, "does not hold these record bytes at index 5"),
        (line(2, "index 05"), 10, "index is not a plain decimal"),
        (line(2, "index +5"), 10, "index is not a plain decimal"),
        (line(2, "index -5"), 10, "index is not a plain decimal"),
        (line(2, "index "), 10, "index is not a plain decimal"),
        (line(2, "index \u0665"), 10, "index is not a plain decimal"),
        (line(2, f"index {10**19}"), 10, "index is not a plain decimal"),
        (line(2, "index 39"), 10, "index 39 lies outside its log of 39"),
        (line(2, "index 37"), 10, "more hashes than its place"),
        (line(2, "index 4"), 13, "at index 4"),
        (line(3, HASH), 13, "does not hold these record bytes"),
        (line(3, b64(bytes(31))), 10, "path must be 32 bytes long, not 31"),
        (line(3, LINES[3] + "\r"), 10, "path is not base64"),
        (line(3, " " + LINES[3]), 10, "path is not base64"),
        (receipt(head=LINES[:-1]), 10, "fewer hashes than its place"),
        (receipt(head=LINES[:3]), 10, "fewer hashes than its place"),
        (receipt(head=[*LINES, HASH]), 10, "more hashes than its place"),
        (receipt(head=[*LINES[:3], *LINES[:2:-1]]), 13, "does not hold these record bytes"),
        (receipt(head=[*LINES, *[HASH] * 64]), 10, "longer than any log is deep"),
        (receipt(head=LINES[:2]), 10, "its third `index …`"),
        (HEAD, 10, "a checkpoint after an empty line"),
        (receipt(text=TEXT.replace("39", "039")), 10, "size is not a plain decimal"),
        (receipt(text=TEXT.replace("39", "-1")), 10, "size is not a plain decimal"),
        (receipt(text=TEXT.replace("39", "40")), 12, "does not fit the text"),
        (receipt(text=TEXT.replace(ROOT, HASH)), 12, "does not fit the text"),
        (receipt(text=TEXT.replace(ROOT, b64(bytes(31)))), 10, "root is not a SHA-256"),
        (receipt(text=TEXT.replace(ROOT, "====")), 10, "root is not base64"),
        (receipt(text=TEXT + "\nextension"), 10, "three lines"),
        (receipt(text=TEXT.replace("logs.example", "logs.other")), 11, "logs.other"),
        (receipt(text=TEXT.replace("\n", "\r\n")), 10, "control character"),
        (receipt(signed=""), 10, "signature"),
        (receipt(signed=SIGNED.replace("— ", "- ")), 10, "signature"),
        (receipt(signed=SIGNED.rstrip("\n")), 10, "signature"),
        (receipt(signed=SIGNED[:-6] + "\n"), 10, "signature"),
        ("", 10, "starts with the line"),
        ("\ufeff" + receipt(), 10, "starts with the line"),
        ("\n" + receipt(), 10, "starts with the line"),
        (receipt().replace("\n", "\r\n"), 10, "starts with the line"),
        (line(0, LINES[0].replace("v1", "v2")), 10, "starts with the line"),
        (line(1, LINES[1] + "="), 10, "nonce is not base64"),
        (line(1, f"extra {b64(bytes(31))}"), 10, "nonce must be 32 bytes long, not 31"),
        (line(2, "index 5 "), 10, "index is not a plain decimal"),
        (line(2, "index 0x5"), 10, "index is not a plain decimal"),
        (line(2, f"index {2**63}"), 10, "lies outside its log of 39"),
        (line(3, ""), 10, "three lines"),
        (line(3, LINES[3].rstrip("=")), 10, "path is not base64"),
        (receipt(head=[*LINES, HASH[:-1]]), 10, "path is not base64"),
        (receipt(text=TEXT.replace("39", "")), 10, "size is not a plain decimal"),
        (receipt(text=TEXT.replace("39", "0")), 12, "does not fit the text"),
        (receipt(text=TEXT.replace("39", str(10**19))), 10, "size is not a plain decimal"),
        (receipt(text=TEXT.partition("\n")[2]), 10, "three lines"),
        (receipt(text="\n" + TEXT.partition("\n")[2]), 10, "three lines"),
        (receipt(text=TEXT.rpartition("\n")[0]), 10, "three lines"),
        (receipt(text=TEXT.replace(ROOT, ROOT.rstrip("="))), 10, "root is not base64"),
        (receipt(signed=SIGNED + "\n"), 10, "signature"),
        (receipt(signed=SIGNED + "and more\n"), 10, "signature"),
        (receipt(signed=SIGNED.rstrip("\n") + "x"), 10, "no signature block"),
        (receipt(signed=SIGNED.removeprefix("— ")), 10, "is not a signature line"),
        (receipt(signed="—\n" + SIGNED), 10, "signature"),
        (receipt(signed=f"— {ORIGIN}\n"), 10, "signature"),
        (receipt(signed=f"— {ORIGIN} \n"), 10, "too short"),
        (receipt(signed=f"— {ORIGIN} {b64(SIGNATURE[:4])}\n"), 10, "too short"),
        (receipt(signed=f"— {ORIGIN} {b64(SIGNATURE)[:-1]}\n"), 10, "signature"),
        (receipt(signed=f"— {ORIGIN}+1 {b64(SIGNATURE)}\n"), 10, "signature"),
        (receipt(signed=f"— {ORIGIN} {b64(SIGNATURE[:-1])}\n"), 12, "does not fit the text"),
        (receipt(signed=f"— {ORIGIN} {b64(SIGNATURE + bytes(1))}\n"), 12, "does not fit the text"),
        (receipt(signed=f"— {ORIGIN} {b64(bytes(4) + SIGNATURE[4:])}\n"), 12, "No key that the policy gives"),
        (receipt(signed=f"— {ORIGIN}x {b64(SIGNATURE)}\n"), 12, "No key that the policy gives"),
        (receipt(signed=SIGNED + SIGNED.replace(b64(SIGNATURE), b64(SIGNATURE[:4] + bytes(64)))), 12, "does not fit"),
    ],
)
def test_l16_each_malformed_field_is_refused_with_its_sentence(tmp_path, capsys, text, code, says):
    assert judged(tmp_path, capsys, receipt())[0] == 0
    found, said = judged(tmp_path, capsys, text)
    assert (found, said.partition(":")[0]) == (code, "NOT PROVED")
    assert says in said


def altered(text):
    """Yield a text with each of its characters changed, left out and doubled, and cut before each of them."""
    for place, character in enumerate(text):
        before, after = text[:place], text[place + 1 :]
        yield before + chr(ord(character) ^ 1) + after
        yield before + after
        yield before + character * 2 + after
        yield before


def test_l16_no_character_of_a_receipt_can_be_changed_left_out_doubled_or_cut_off():
    policy, record = TrustPolicy.parse(VECTORS["policy"]), EVIDENCE["record"].encode()
    assert verify_receipt(receipt(), record, policy).checkpoint.size == 39
    tried = 0
    for text in altered(receipt()):
        if text != receipt():
            with pytest.raises(EvidenceFault):
                verify_receipt(text, record, policy)
            tried += 1
    assert tried > 3 * len(receipt())


@pytest.mark.parametrize("size", [0, 5, 2**63 - 1])
def test_l16_a_size_that_the_log_did_sign_but_that_cannot_hold_the_entry(tmp_path, capsys, size):
    text = Checkpoint(ORIGIN, size, unb64(ROOT)).text
    signed = signature_line(signer().key, signer().private.sign(text.encode()))
    policy = f"log {signer().key.vkey}\nquorum none\n"
    code, said = judged(tmp_path, capsys, receipt(text=text.rstrip("\n"), signed=signed), policy)
    assert code == 10
    assert "lies outside its log" in said or "fewer hashes" in said


def test_l17_an_interior_node_is_no_entry():
    left, right = leaf_hash(entry_of(bytes(32), b"a")), leaf_hash(entry_of(bytes(32), b"b"))
    # The bytes that the root is the hash of, given out as the one entry of a log with that root.
    node = left + right
    root = node_hash(left, right)
    assert leaf_hash(node) != root
    assert hashlib.sha256(b"\x01" + node).digest() == root
    # And as the nonce and record of a receipt, cut wherever an entry could be.
    policy = TrustPolicy((signer().key,))
    for size, path in ((1, ()), (2, (right,)), (2, (left,))):
        note = Checkpoint(ORIGIN, size, root).sign(signer())
        for nonce, record in ((node[:32], node[32:]), (left, right), (bytes(32), node), (bytes(32), left)):
            with pytest.raises(RecordNotInLog):
                verify_receipt(Receipt(nonce, 0, path, note).text, record, policy)
    good = Receipt(bytes(32), 0, (right,), Checkpoint(ORIGIN, 2, root).sign(signer()))
    assert verify_receipt(good.text, b"a", policy).checkpoint.size == 2


def test_l18_without_its_nonce_a_known_record_is_not_found_among_all_that_it_could_be():
    nonce = seeded_bytes(18)(32)
    badges = [json.dumps({"badge": f"{number:04}"}).encode() for number in range(10_000)]
    kept = commitment(nonce, badges[4711])
    guesses = (bytes(32), hashlib.sha256(kept).digest(), kept, b"")
    assert not any(commitment(guess, badge) == kept for guess in guesses for badge in badges)
    assert [badge for badge in badges if commitment(nonce, badge) == kept] == [badges[4711]]
