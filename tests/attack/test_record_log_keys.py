"""Sign a log's checkpoints with two keys, a retired one, an unknown one, or another's name: the policy decides."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verify_service.errors import LogNotTrusted, SignatureInvalid
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.merkle import Peaks, inclusion_path, leaf_hash
from verify_service.record_log.receipt import Receipt, verify_receipt
from verify_service.record_log.record import entry_of
from verify_service.record_log.trust import TrustPolicy
from verify_service.signing import NoteSigner, b64, unb64

ORIGIN = "logs.example/log/LAPD/records"
NONCE, RECORD = bytes(32), b'{"kind":"cover"}'
OLD, NEW, OTHER = (NoteSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32)) for n in (1, 2, 3))


def line(signer, text):
    return signer.sign(text).rpartition("\n\n")[2]


def forged(signer, text):
    """Return a line under a signer's name and key id whose signature another key made."""
    return f"— {ORIGIN} {b64(signer.key_id + unb64(line(OTHER, text).split(' ')[2].strip())[4:])}\n"


def receipt(*lines):
    """Return the receipt of the one record, against a checkpoint with these signature lines."""
    peaks = Peaks().append(leaf_hash(entry_of(NONCE, RECORD)))
    text = Checkpoint(ORIGIN, 1, peaks.root).text
    note = f"{text}\n{''.join(make(text) for make in lines)}"
    return Receipt(NONCE, 0, tuple(inclusion_path(0, 1, lambda *_: peaks.root)), note).text


def by(signer):
    return lambda text: line(signer, text)


def forged_by(signer):
    return lambda text: forged(signer, text)


def policy(*signers):
    return TrustPolicy.parse(TrustPolicy(tuple(signer.key for signer in signers)).text())


@pytest.mark.parametrize("trusted", [(OLD,), (NEW,), (OLD, NEW)], ids=["old", "new", "both"])
def test_l14_while_both_keys_sign_a_policy_with_either_is_enough(trusted):
    verify_receipt(receipt(by(OLD), by(NEW)), RECORD, policy(*trusted))


def test_l14_a_retired_key_is_refused_by_a_policy_that_no_longer_names_it_and_its_old_receipts_prove_by_the_old_one():
    verify_receipt(receipt(by(OLD)), RECORD, policy(OLD, NEW))
    with pytest.raises(SignatureInvalid, match="No key that the policy gives"):
        verify_receipt(receipt(by(OLD)), RECORD, policy(NEW))


def test_l14_an_unknown_key_neither_vouches_nor_spoils():
    with pytest.raises(SignatureInvalid, match="No key that the policy gives"):
        verify_receipt(receipt(by(OTHER)), RECORD, policy(OLD, NEW))
    verify_receipt(receipt(by(OTHER), by(OLD)), RECORD, policy(OLD))


@pytest.mark.parametrize("lines", [(forged_by(OLD),), (by(NEW), forged_by(OLD)), (forged_by(OLD), by(NEW))])
def test_l14_a_forged_line_under_a_known_key_id_spoils_the_checkpoint_though_another_key_signed(lines):
    with pytest.raises(SignatureInvalid, match="does not fit"):
        verify_receipt(receipt(*lines), RECORD, policy(OLD, NEW))


def test_l14_a_known_key_signs_for_no_other_origin():
    elsewhere = NoteSigner("logs.example/log/LAPD/records-2", OLD.private)
    with pytest.raises(LogNotTrusted):
        verify_receipt(receipt(by(OLD)), RECORD, policy(elsewhere))
