"""Check the formats against their vectors with as little of our own code as will do."""

import base64
import hashlib
import json
from importlib.resources import files
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError
from referencing import Registry, Resource

from tests.vectors.generate_records import vectors
from verify_service.errors import (
    EvidenceFault,
    LogNotTrusted,
    ReceiptMalformed,
    RecordNotInLog,
    SignatureInvalid,
)
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.merkle import check_consistency
from verify_service.record_log.receipt import Receipt, verify_receipt
from verify_service.record_log.record import parse_record
from verify_service.record_log.trust import TrustPolicy

HERE = Path(__file__).parent.parent / "vectors"
SCHEMAS = {
    "record/v1": ("verification", "event-v1"),
    "access": ("access", "access-v1"),
    "statement/v1": ("record_log", "statement-v1"),
    "envelope": ("record_log", "record-v1"),
}
ACCESS_KINDS = {"read", "listed", "searched", "exported", "refused", "acted"}


def document(room, name):
    return json.loads(files(f"verify_service.{room}").joinpath("schemas", f"{name}.schema.json").read_text("utf-8"))


REGISTRY = Registry().with_resources(
    [(schema["$id"], Resource.from_contents(schema)) for schema in (document(*at) for at in SCHEMAS.values())]
)


def check_schema(record):
    """Raise ValidationError unless a record's text is a closed document of its format."""
    parsed = json.loads(record)
    form = "access" if parsed.get("kind") in ACCESS_KINDS else parsed["v"]
    Draft202012Validator(document(*SCHEMAS[form]), registry=REGISTRY).validate(parsed)


def read(name):
    return json.loads((HERE / name).read_text("utf-8"))


RECORDS = read("record.json")["cases"]
LOG = read("receipt.json")


@pytest.mark.parametrize("name", ["record.json", "sealed_field.json", "receipt.json"])
def test_the_vectors_are_what_their_generator_writes(name):
    assert (HERE / name).read_text("utf-8") == vectors()[name]


@pytest.mark.parametrize("case", RECORDS, ids=lambda case: case["name"])
def test_a_record_is_committed_to_as_the_format_says(case):
    record, nonce = case["record"].encode(), bytes.fromhex(case["nonce"])
    commitment = hashlib.sha256(b"officer-verify/commit/v1\0" + nonce + record).digest()
    assert commitment.hex() == case["commitment"]
    assert (b"\x01" + commitment).hex() == case["entry"]
    assert hashlib.sha256(b"\x00\x01" + commitment).hexdigest() == case["leaf_hash"]
    assert parse_record(record).encode() == record


@pytest.mark.parametrize("case", RECORDS, ids=lambda case: case["name"])
def test_every_kind_is_closed(case):
    check_schema(case["record"])
    parsed = json.loads(case["record"])
    for spoiled in ({**parsed, "extra": None}, {name: value for name, value in parsed.items() if name != "department"}):
        with pytest.raises(ValidationError):
            check_schema(json.dumps(spoiled))
    if isinstance(parsed.get("body"), dict):
        with pytest.raises(ValidationError):
            check_schema(json.dumps({**parsed, "body": {**parsed["body"], "extra": None}}))
        with pytest.raises(ValidationError):
            check_schema(json.dumps({**parsed, "body": {}}))
    with pytest.raises(ValueError, match="no known record format|every field of its format and no other"):
        parse_record(json.dumps({**parsed, "extra": 1}).encode())


def test_every_kind_of_the_schema_has_a_vector():
    kinds = {json.loads(case["record"]).get("kind") for case in RECORDS} - {None}
    declared = set()
    for room, name in (SCHEMAS["record/v1"], SCHEMAS["access"]):
        declared |= set(document(room, name)["properties"]["kind"]["enum"])
    assert kinds == declared


@pytest.mark.parametrize("case", read("sealed_field.json")["cases"], ids=lambda case: case["name"])
def test_a_sealed_field_is_a_salted_digest(case):
    value = json.dumps(case["value"], ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    content = b"officer-verify/field/v1\0" + bytes.fromhex(case["salt"]) + value
    assert hashlib.sha256(content).hexdigest() == case["digest"]


@pytest.mark.parametrize("index", range(len(LOG["receipts"])))
def test_every_receipt_verifies(index):
    case = LOG["receipts"][index]
    accepted = verify_receipt(case["receipt"], case["record"].encode(), TrustPolicy.parse(LOG["policy"]))
    assert accepted.checkpoint.size == len(LOG["receipts"])
    assert Receipt.parse(case["receipt"]).text == case["receipt"]


def spoil(text, old, new):
    assert old in text
    return text.replace(old, new, 1)


CASE = LOG["receipts"][5]
LINES = CASE["receipt"].split("\n")
FAULTS = {
    "another header": (spoil(CASE["receipt"], "@v1", "@v2"), ReceiptMalformed),
    "no extra line": ("\n".join([LINES[0], *LINES[2:]]), ReceiptMalformed),
    "a short nonce": (spoil(CASE["receipt"], LINES[1], "extra AAAA"), ReceiptMalformed),
    "another nonce": (
        spoil(CASE["receipt"], LINES[1], f"extra {base64.b64encode(bytes(32)).decode()}"),
        RecordNotInLog,
    ),
    "a leading zero": (spoil(CASE["receipt"], "index 5", "index 05"), ReceiptMalformed),
    "a negative index": (spoil(CASE["receipt"], "index 5", "index -5"), ReceiptMalformed),
    "an index past the end": (spoil(CASE["receipt"], "index 5", "index 5000"), ReceiptMalformed),
    "a neighbour's index": (spoil(CASE["receipt"], "index 5", "index 4"), RecordNotInLog),
    "a hash too few": ("\n".join([*LINES[:3], *LINES[4:]]), ReceiptMalformed),
    "a hash too many": ("\n".join([*LINES[:3], LINES[3], *LINES[3:]]), ReceiptMalformed),
    "a changed hash": (spoil(CASE["receipt"], LINES[3], base64.b64encode(bytes(32)).decode()), RecordNotInLog),
    "a hash that is no base64": (spoil(CASE["receipt"], LINES[3], "?"), ReceiptMalformed),
    "Windows line ends": (CASE["receipt"].replace("\n", "\r\n"), ReceiptMalformed),
    "another size": (spoil(CASE["receipt"], f"\n{len(RECORDS)}\n", f"\n{len(RECORDS) + 1}\n"), SignatureInvalid),
    "another origin": (CASE["receipt"].replace("logs.example", "evil.example"), LogNotTrusted),
    "no signature": (CASE["receipt"].rpartition("\n\n")[0] + "\n\n", ReceiptMalformed),
    "a signature of someone else's": (spoil(CASE["receipt"], "— logs", "— other"), SignatureInvalid),
    "an extension line": (spoil(CASE["receipt"], f"\n{len(RECORDS)}\n", f"\n{len(RECORDS)}\nmore\n"), ReceiptMalformed),
    "nothing": ("", ReceiptMalformed),
}


@pytest.mark.parametrize("name", FAULTS)
def test_every_malformed_field_is_its_own_fault(name):
    text, fault = FAULTS[name]
    with pytest.raises(fault):
        verify_receipt(text, CASE["record"].encode(), TrustPolicy.parse(LOG["policy"]))


def test_another_record_is_not_in_the_log():
    with pytest.raises(RecordNotInLog, match="altered"):
        verify_receipt(CASE["receipt"], CASE["record"].encode() + b" ", TrustPolicy.parse(LOG["policy"]))


def test_the_consistency_proof_verifies():
    old, _ = Checkpoint.parse(LOG["consistency"]["old"])
    new, _ = Checkpoint.parse(LOG["consistency"]["new"])
    proof = [base64.b64decode(node) for node in LOG["consistency"]["proof"]]
    check_consistency(old.size, old.root, new.size, new.root, proof)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log x\nquorum none\n",
        LOG["policy"] * 2,
        "quorum w\n",
        LOG["policy"].replace("+", "-"),
        "witness\nquorum none\n",
    ],
)
def test_a_policy_that_is_not_whole_is_refused(text):
    with pytest.raises(EvidenceFault, match="policy|key|quorum"):
        TrustPolicy.parse(text)
