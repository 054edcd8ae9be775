"""Write the vectors of records, sealed fields, statements and receipts: `python -m tests.vectors.generate_records`.

Everything in them is synthetic. The bytes are final: a change here is a new version of a format.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.vectors.sample_events import (
    ACCESS_EVENTS,
    AT,
    AUDITOR,
    CASE_EVENTS,
    INCIDENT,
    LOG_EVENTS,
    OFFICER,
    ORIGIN,
    SCENE_EVENTS,
    SUPERVISOR,
    VERIFICATION,
    digest,
)
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.merkle import Peaks, consistency_path, fold_complete, inclusion_path, leaf_hash
from verify_service.record_log.receipt import Receipt
from verify_service.record_log.record import Record, SealedField, Statement, cover, entry_of
from verify_service.record_log.trust import TrustPolicy
from verify_service.signing import NoteSigner
from verify_service.verification.event import rules

HERE = Path(__file__).parent


def envelope(kind, body, subject=None, actor=None, **more):
    return Record(
        kind=kind,
        department="LAPD",
        subject=subject,
        seq=None if subject is None else 1,
        prev=None if subject is None else digest("previous"),
        actor=actor,
        client=None if actor is None else {"id": "officer-phone", "jkt": None},
        received_at=AT,
        offline=None if actor is None else False,
        body=body,
        **more,
    )


def records():
    """Yield (name, record or statement) for every kind."""
    for name, body in CASE_EVENTS.items():
        kind = name.partition(",")[0]
        actor = SUPERVISOR if kind in {"concluded", "released", "sealed", "expunged"} else OFFICER
        relayed = {"relayed_by": "38211"} if "relayed" in name else {}
        yield (
            name,
            envelope(kind, body, VERIFICATION, actor, rules=rules(), outcome_after="identifier_listed", **relayed),
        )
    for name, body in SCENE_EVENTS.items():
        yield name, envelope(name.partition(",")[0], body, INCIDENT, OFFICER, rules=rules())
    for name, body in LOG_EVENTS.items():
        partner = {**OFFICER, "serial": "DHS-ICE-desk", "command": None, "role": "partner"}
        yield name, envelope(name, body, actor=partner if name == "op_code_activated" else None)
    for name, body in ACCESS_EVENTS.items():
        yield name, envelope(name, body, actor=AUDITOR)
    yield "cover", cover("LAPD", AT)
    told = {"department": "LAPD", "agency": "DHS-ICE", "time": "2026-11-25T05:04:00.000Z"}
    yield "statement", Statement(outcome="identifier_listed", receipt_number="abcdefghij234567", **told)
    yield (
        "statement, replacing",
        Statement(outcome="verified", receipt_number="abcdefghij234567", seq=1, replaces=0, **told),
    )


def record_cases():
    for number, (name, logged) in enumerate(records()):
        content, nonce = logged.encode(), hashlib.sha256(f"nonce {number}".encode()).digest()
        entry = entry_of(nonce, content)
        yield {
            "name": name,
            "record": content.decode(),
            "nonce": nonce.hex(),
            "commitment": entry[1:].hex(),
            "entry": entry.hex(),
            "leaf_hash": leaf_hash(entry).hex(),
        }


def field_cases():
    tags = {"DHS-ICE": {"epoch": 3, "tag": digest("a tag")}}
    for name, value in (("as typed", " b 12-345 "), ("canonical", "B12345"), ("note", "Niño — “ok”"), ("tags", tags)):
        sealed = SealedField(value, hashlib.sha256(f"salt {name}".encode()).digest())
        yield {"name": name, "value": value, "salt": sealed.salt.hex(), "digest": sealed.digest}


def log_cases():
    """A log of the records above, each with its receipt against the whole log and the policy to check it by."""
    signer = NoteSigner(ORIGIN, Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"vector key").digest()))
    cases = list(record_cases())
    hashes = [bytes.fromhex(case["leaf_hash"]) for case in cases]
    peaks = Peaks()
    for leaf in hashes:
        peaks = peaks.append(leaf)
    note = Checkpoint(ORIGIN, peaks.size, peaks.root).sign(signer)

    def subtree(level, index):
        return fold_complete(hashes[index << level : (index + 1) << level])

    def receipt(index):
        path = tuple(inclusion_path(index, peaks.size, subtree))
        return Receipt(bytes.fromhex(cases[index]["nonce"]), index, path, note).text

    half = Peaks()
    for leaf in hashes[: len(hashes) // 2]:
        half = half.append(leaf)
    proof = consistency_path(half.size, peaks.size, subtree)
    return {
        "policy": TrustPolicy((signer.key,)).text(),
        "vkey": signer.key.vkey,
        "checkpoint": note,
        "receipts": [{"record": case["record"], "receipt": receipt(index)} for index, case in enumerate(cases)],
        "consistency": {
            "old": Checkpoint(ORIGIN, half.size, half.root).sign(signer),
            "new": note,
            "proof": [base64.b64encode(node).decode() for node in proof],
        },
    }


def vectors():
    """Return every vector file's name and text."""
    documents = {
        "record.json": {"cases": list(record_cases())},
        "sealed_field.json": {"cases": list(field_cases())},
        "receipt.json": log_cases(),
    }
    return {name: json.dumps(document, indent=1, ensure_ascii=False) + "\n" for name, document in documents.items()}


if __name__ == "__main__":
    for name, text in vectors().items():
        (HERE / name).write_text(text, "utf-8")
