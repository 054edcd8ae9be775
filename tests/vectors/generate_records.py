"""Write the vectors of records, sealed fields, statements and receipts: `python -m tests.vectors.generate_records`.

Everything in them is synthetic. The bytes are final: a change here is a new version of a format.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.merkle import Peaks, consistency_path, fold_complete, inclusion_path, leaf_hash
from verify_service.record_log.receipt import Receipt
from verify_service.record_log.record import Record, SealedField, Statement, cover, entry_of
from verify_service.record_log.trust import TrustPolicy
from verify_service.signing import NoteSigner
from verify_service.verification.event import rules

HERE = Path(__file__).parent
ORIGIN = "logs.example/log/LAPD/records"
VERIFICATION = "verification:0193a000-0000-7000-8000-000000000001"
INCIDENT = "incident:0193a000-0000-7000-8000-0000000000aa"
WORD = "0193a000-0000-7000-8000-0000000000ff"
AT = "2026-11-25T05:04:09.000Z"
OFFICER = {"issuer": "https://id.example", "serial": "38211", "command": "CENTRAL", "role": "officer"}
SUPERVISOR = {**OFFICER, "serial": "21007", "role": "supervisor"}
AUDITOR = {**OFFICER, "serial": "10002", "command": None, "role": "auditor"}
WORDS = {"row": "5", "explanation": "An explanation as shown.", "next_steps": ["Keep body-worn video on."]}


def digest(label):
    return hashlib.sha256(label.encode()).hexdigest()


def signed(label, version=1):
    return {"version": version, "sha256": digest(label)}


CHECK = {
    "agency": "DHS-ICE",
    "enrolment_level": 4,
    "result": "match_active",
    "kind": "badge",
    "coverage": "complete",
    "edition": 41,
    "profile_sha256": digest("profile"),
    "roster_sha256": digest("roster"),
    "roster_issued_at": "2026-11-24T02:00:00.000Z",
    "refreshed_at": "2026-11-25T04:50:00.000Z",
    "metadata": {name: signed(name, 3) for name in ("root", "timestamp", "snapshot", "targets", "role")},
    "checked_at": AT,
    "fresh_until": "2026-11-26T04:50:00.000Z",
    "synthetic": True,
    "op_code_activated": None,
}


def groups(**given):
    return dict.fromkeys(("observed", "told_by_agent", "told_by_agency", "relayed", "computed")) | given


OBSERVED = {
    "agent_label": "Agent 2",
    "requested_by": "person_subject_to_enforcement",
    "identification": "presented",
    "face_covered": True,
    "plain_clothes": True,
    "agency_marking_visible": False,
    "vehicle_marked": False,
    "photo_credential": "not_shown",
    "body_worn_video": {"reference": "BWV-77", "offset_ms": 1500},
    "note": digest("note"),
}
TOLD = {
    "claimed_agency": "DHS-ICE",
    "home_agency": None,
    "role": "lead",
    "identifier": {"kind": "badge", "typed": digest("typed"), "canonical": digest("canonical")},
}
COMPUTED = {
    "incident": INCIDENT.removeprefix("incident:"),
    "checks": [CHECK],
    "tags": digest("tags"),
    "held_numbers": ["DHS-ICE"],
    **WORDS,
}
SCENE = {
    "agents_present": 6,
    "place_type": "street",
    "dispatched_at": None,
    "arrived_at": "2026-11-25T04:59:00.000Z",
    "person_removed": False,
    "destination_asked": None,
    "destination_answered": None,
    "dependents_left": None,
    "authority_claimed": "none_stated",
    "crime_alleged": None,
}
FORCE = {"seen": "view_blocked", "video_offset_ms": None, "actions": ["voice", "recorded"], "could_not_because": None}
PHOTO = {"result": "matches", "face_seen": True, "credential_number_matches": True, "note": None}
GROUND = {"ground": "Court order", "reference": "BH-2026-1"}
CALL = {"agency": "DHS-ICE", "result": "person_confirmed"}
CASE_EVENTS = {
    "submitted": groups(observed=OBSERVED, told_by_agent=TOLD, computed=COMPUTED),
    "submitted, relayed": groups(
        relayed={"observed": OBSERVED, "told_by_agent": TOLD, "told_by_agency": None}, computed=COMPUTED
    ),
    "photo_credential_compared": groups(observed=PHOTO, computed=WORDS),
    "callback_word_issued": groups(
        computed={"agency": "DHS-ICE", "word_id": WORD, "words": digest("words"), "valid_seconds": 300}
    ),
    "callback_word_read_back": groups(told_by_agency={"agency": "DHS-ICE", "word_id": WORD}),
    "agency_callback": groups(
        told_by_agent={"words_heard": digest("heard")},
        told_by_agency=CALL,
        computed={"word_id": WORD, "words_matched": True, **WORDS},
    ),
    "interrupted": groups(observed={"reason": "left_scene", "note": None}, computed=WORDS),
    "concluded": {
        "outcome": "impersonation_suspected",
        "facts_relied_on": [0, 2],
        "reason": digest("reason"),
        "computed": {**WORDS, "computed_outcome": "contradicted"},
    },
    "released": {"outcome": "not_listed"},
    "disputed": {"source": "agency", "statement": digest("dispute")},
    "dispute_answered": {"disputes_seq": 4, "answer": "not_upheld", "reason": digest("answer")},
    "referred": {"to": "Inspector General", "reference": None},
    "sealed": GROUND,
    "unsealed": GROUND,
    "hold_placed": {"ground": "Records request", "reference": "CPRA-2026-7"},
    "hold_lifted": {"ground": "Request answered", "reference": None},
    "corrected": {
        "corrects_seq": 0,
        "facts": {"told_by_agent": {"claimed_agency": "DHS-CBP"}, "computed": WORDS},
    },
    "corrected, withdrawn": {"corrects_seq": 3, "facts": {"withdrawn": True, "computed": WORDS}},
    "expunged": {"ground": "Court order", "reference": "BH-2026-2", "approvers": ["21007", "21008"], "indexes": [7, 9]},
}
SCENE_EVENTS = {
    "incident_opened": groups(observed={"number": "261124001234", "provisional": False}),
    "officer_assigned": groups(computed={"serial": "40117"}),
    "scene_facts": groups(observed=SCENE),
    "scene_facts, relayed": groups(relayed={"observed": SCENE, "told_by_agent": None, "told_by_agency": None}),
    "checklist_answered": groups(
        observed={"item": "force", "answer": "done", "reason": None, "entered_late": True, "force": FORCE}
    ),
    "supervisor_requested": groups(observed={"at": AT}),
    "supervisor_arrived": groups(observed={"at": AT}),
    "number_assigned": groups(observed={"number": "261124009999"}),
    "corrected, scene": {"corrects_seq": 2, "facts": {"observed": {"agents_present": 5}}},
}
LOG_EVENTS = {
    "op_code_activated": groups(
        told_by_agency={
            "agency": "DHS-ICE",
            "identifier": {"kind": "op_code", "typed": digest("typed"), "canonical": digest("canonical")},
        },
        computed={"tags": digest("tags"), "edition": 41, "roster_sha256": digest("roster")},
    ),
    "succession": {
        "old_origin": ORIGIN,
        "old_checkpoint": f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "reason": "Signing key lost",
    },
}
ADDRESS = "192.0.2.7"
ACCESS_EVENTS = {
    "read": {"operation": "getVerification", "object": VERIFICATION, "version": "3.7", "address": ADDRESS},
    "listed": {"operation": "listVerifications", "criteria": {"outcome": "declined"}, "ids": [], "address": ADDRESS},
    "searched": {
        "operation": "searchVerifications",
        "criteria": {},
        "identifier": digest("identifier"),
        "ids": [VERIFICATION.removeprefix("verification:")],
        "address": ADDRESS,
    },
    "exported": {
        "operation": "exportEvidence",
        "object": VERIFICATION,
        "form": "evidence",
        "reason": digest("why"),
        "address": None,
    },
    "refused": {
        "operation": "getVerification",
        "object": VERIFICATION,
        "reason": "not_found",
        "count": 1,
        "address": ADDRESS,
    },
    "acted": {"operation": "approveIngest", "object": "edition:42", "detail": {"approved": True}, "address": None},
}


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
