"""Sign a log's checkpoints with two keys, a retired one, an unknown one, or another's name: the policy decides."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verify_service.errors import LogNotTrusted, SignatureInvalid
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.merkle import Peaks, inclusion_path, leaf_hash
from verify_service.record_log.receipt import Receipt, verify_receipt
from verify_service.record_log.record import entry_of
from verify_service.record_log.term import Bound, Term
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


def receipt(*lines, size=1):
    """Return the receipt of the first record, against a checkpoint of a size with these signature lines."""
    leaf = leaf_hash(entry_of(NONCE, RECORD))
    peaks, leaves = Peaks(), [leaf] * size
    for one in leaves:
        peaks = peaks.append(one)
    text = Checkpoint(ORIGIN, size, peaks.root).text
    note = f"{text}\n{''.join(make(text) for make in lines)}"
    path = inclusion_path(0, size, lambda level, start: subtree(leaves, level, start))
    return Receipt(NONCE, 0, tuple(path), note).text


def subtree(leaves, level, start):
    peaks = Peaks()
    for one in leaves[start << level : (start + 1) << level]:
        peaks = peaks.append(one)
    return peaks.root


def by(signer):
    return lambda text: line(signer, text)


def forged_by(signer):
    return lambda text: forged(signer, text)


def policy(*signers, **terms):
    return TrustPolicy.parse(TrustPolicy(tuple(signer.key for signer in signers), **terms).text())


def rotated(*, retired=True):
    """Return the policy of a log whose new key came at 2 entries and whose old one went at 4."""
    until = Bound(4, "2026-12-01T10:00:00.000Z") if retired else None
    terms = {OLD.key: Term(until=until), NEW.key: Term(after=Bound(2, "2026-11-24T10:00:00.000Z"))}
    return policy(OLD, NEW, terms=terms)


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


@pytest.mark.parametrize(
    ("size", "lines"),
    [(1, (OLD,)), (2, (OLD,)), (3, (OLD, NEW)), (4, (NEW, OLD)), (4, (OLD,)), (5, (NEW,)), (5, (NEW, OLD))],
)
def test_l14_each_key_vouches_in_its_term_and_one_policy_takes_every_receipt(size, lines):
    verify_receipt(receipt(*map(by, lines), size=size), RECORD, rotated())


def test_l14_a_retired_key_used_after_its_date_is_refused_and_the_sentence_says_when_it_was_retired():
    verify_receipt(receipt(by(OLD), size=5), RECORD, rotated(retired=False))
    with pytest.raises(
        SignatureInvalid, match=r"retired at 2026-12-01T10:00:00\.000Z, when the log had 4 entries.*Ask"
    ):
        verify_receipt(receipt(by(OLD), size=5), RECORD, rotated())


def test_l14_a_new_key_does_not_vouch_for_what_was_signed_before_it():
    with pytest.raises(SignatureInvalid, match=r"signs since 2026-11-24T10:00:00\.000Z"):
        verify_receipt(receipt(by(NEW), size=2), RECORD, rotated())


@pytest.mark.parametrize("size", [1, 3, 5])
def test_l14_a_forged_line_of_a_retired_key_spoils_the_checkpoint_in_and_out_of_its_term(size):
    with pytest.raises(SignatureInvalid, match="does not fit"):
        verify_receipt(receipt(by(NEW), forged_by(OLD), size=size), RECORD, rotated())


def test_l14_an_unknown_key_does_not_replace_one_that_was_retired():
    with pytest.raises(SignatureInvalid, match="retired at"):
        verify_receipt(receipt(by(OTHER), by(OLD), size=5), RECORD, rotated())
