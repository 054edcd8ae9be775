"""Witnesses' keys that are the same in every run, and the notes that they cosign."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.fakes.clock import START
from verify_service.record_log.cosignature import Cosigner
from verify_service.signing import Note


def cosigner(number, name=None):
    return Cosigner(name or f"witness.example/w{number}", Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32))


def cosigned(note, *cosigners, moment=START):
    return note + "".join(by.cosign(Note.parse(note).text, moment) for by in cosigners)
