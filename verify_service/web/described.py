"""Describe the answers for the API reference; their bytes are written in ``replies``."""

from __future__ import annotations

from typing import Any

from verify_service.registry.alert import KINDS as ALERT_KINDS
from verify_service.registry.identifier import KINDS
from verify_service.verification.claim import IDENTIFICATIONS
from verify_service.verification.outcome import OUTCOMES

Described = "Mapping[str, Any]"


def _object(**properties: Any) -> dict[str, Any]:
    """Describe an object whose fields are always there; more may come, for /v1 grows by addition."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    if isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    return {"oneOf": [schema, {"type": "null"}]}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


TEXT = {"type": "string"}
FLAG = {"type": "boolean"}
WHOLE = {"type": "integer", "minimum": 0}
TIME = {"type": "string", "format": "date-time"}
DIGEST = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
ID = {"type": "string", "format": "uuid"}
OUTCOME = {
    "type": "string",
    "description": f"Known today: {', '.join(OUTCOMES)}. Treat one you do not know as inconclusive.",
}
SIGNED = _object(version=WHOLE, sha256=DIGEST)
CHECK = _object(
    agency=TEXT,
    enrolment_level={"type": ["integer", "null"], "minimum": 0, "maximum": 4},
    result={
        "type": "string",
        "enum": [
            "match_active",
            "match_inactive",
            "possible_match",
            "no_match",
            "agency_not_enrolled",
            "registry_stale",
            "not_checked",
        ],
    },
    kind=_or_null(TEXT),
    coverage=_or_null(TEXT),
    edition=_or_null(WHOLE),
    profile_sha256=_or_null(DIGEST),
    roster_sha256=_or_null(DIGEST),
    roster_issued_at=_or_null(TIME),
    refreshed_at=_or_null(TIME),
    metadata=_or_null({"type": "object", "additionalProperties": _or_null(SIGNED)}),
    checked_at=TIME,
    fresh_until=_or_null(TIME),
    synthetic=FLAG,
    op_code_activated=_or_null(FLAG),
)
EVENT = _object(seq=WHOLE, kind=TEXT, log=_object(origin=TEXT, index=WHOLE), record=TEXT, receipt=TEXT)
CHECKLIST_ITEM = _object(
    id=TEXT,
    module=TEXT,
    text=TEXT,
    basis={"type": "string", "enum": ["law", "departmental", "good_practice", "requested"]},
    basis_note=_or_null(TEXT),
    sources=_list(_object(title=TEXT, citation=TEXT)),
    applies_when=TEXT,
    applies=FLAG,
    answer=_or_null({"type": "object"}),
)
CHECKLIST = _object(version=TEXT, approval=TEXT, title=TEXT, notice=TEXT, sha256=DIGEST, items=_list(CHECKLIST_ITEM))
IDENTIFIER = _object(kind={"type": "string", "enum": list(KINDS)}, value=TEXT)

VERIFICATION = _object(
    id=ID,
    incident=_object(id=ID, number=_or_null(TEXT)),
    agent_label=TEXT,
    claimed_agency=TEXT,
    home_agency=_or_null(TEXT),
    identification={"type": "string", "enum": list(IDENTIFICATIONS)},
    outcome=OUTCOME,
    computed_outcome={**OUTCOME, "description": "What the events give without a supervisor's conclusion."},
    explanation=TEXT,
    next_steps=_list(TEXT),
    registry_checks=_list(CHECK),
    events=_list(EVENT),
    opened_at=TIME,
    released=FLAG,
    synthetic={**FLAG, "description": "Whether a sample registry was asked."},
    checklist=CHECKLIST,
)
VERIFICATION["properties"] |= {
    "requester_receipt": {**TEXT, "description": "The requester's page; told once, with the submission."},
    "requester_receipt_qr": {**TEXT, "description": "Its address as a QR code to show on the officer's screen."},
    "identifier": {**_or_null(IDENTIFIER), "description": "As last typed; where a verification is read."},
}
OUTDATED = {
    **_or_null(TIME),
    "description": "When the registry that holds the number went out of date: confirm it another way before calling.",
}
CALLBACK_WORD = _object(
    word_id=ID,
    words={**_or_null(TEXT), "description": "For a dispatcher alone."},
    agency=TEXT,
    held_number=_object(
        number=TEXT, source=TEXT, tested_on={"type": "string", "format": "date"}, outdated_since=OUTDATED
    ),
    valid_seconds=WHOLE,
    say=TEXT,
    events=_list(EVENT),
    checklist=CHECKLIST,
)
ACTIVATION = _object(agency=TEXT, activated_at=TIME, active_until=TIME)
EXPUNGE_ORDER = _object(
    id=ID,
    ground=TEXT,
    reference=TEXT,
    verifications=_list(ID),
    incidents=_list(ID),
    statements=FLAG,
    releases_holds=FLAG,
    ordered_by=TEXT,
    ordered_at=TIME,
    approved_by=_or_null(TEXT),
    carried_out_at=_or_null(TIME),
)
HOLDS = _object(
    verifications=_list(
        _object(
            id=ID,
            incident=_object(id=ID, number=_or_null(TEXT)),
            outcome=OUTCOME,
            opened_at=TIME,
            holds=_list(
                _object(
                    ground=TEXT,
                    reference=_or_null(TEXT),
                    placed_at={**_or_null(TIME), "description": "Null where a fact of the case holds it by itself."},
                )
            ),
        )
    ),
    next=_or_null(WHOLE),
)
SUMMARY = _object(
    id=ID,
    incident_id=ID,
    agent_label=TEXT,
    claimed_agency=TEXT,
    identification=TEXT,
    outcome=OUTCOME,
    explanation=TEXT,
    opened_at=TIME,
    synthetic=FLAG,
)
PAGE = _object(verifications=_list(SUMMARY), next=_or_null(WHOLE))
REQUESTER_CODE = _object(
    requester_receipt=VERIFICATION["properties"]["requester_receipt"],
    requester_receipt_qr=VERIFICATION["properties"]["requester_receipt_qr"],
)
ACCESS_EVENT = _object(
    kind={"type": "string", "description": "read, listed, searched, exported, refused or acted"},
    received_at=TIME,
    actor=_object(issuer=TEXT, serial=TEXT, command=_or_null(TEXT), role=TEXT),
    client=_object(id=TEXT, jkt=_or_null(TEXT)),
    body={
        "type": "object",
        "description": "The operation, the address, and by kind the object and version, the criteria and ids, the "
        "form, or the reason of a refusal and how many there were. The identifier searched for, and why an export was "
        "made, stand as salted digests.",
    },
    log=_object(origin=TEXT, index=WHOLE),
)
ACCESS_EVENTS = _object(events=_list(ACCESS_EVENT), next=_or_null(WHOLE))
ACCESS_REVIEW = _object(reviewed_from=TIME, reviewed_until=TIME, finding=TEXT, signed_off_by=TEXT)
INCIDENT_EVENT = _object(
    id=ID,
    number=_or_null(TEXT),
    opened_at=TIME,
    assigned=_list(TEXT),
    scene={"type": "object", "description": "Each fact that was stated, at its latest value."},
    supervisor_requested_at=_or_null(TIME),
    supervisor_arrived_at=_or_null(TIME),
    events=_list(EVENT),
    checklist=CHECKLIST,
)
INCIDENT = {
    **INCIDENT_EVENT,
    "properties": {
        **INCIDENT_EVENT["properties"],
        "agents": _object(present=_or_null(WHOLE), checked=WHOLE),
        "verifications": _list(SUMMARY),
    },
}
RECORD = {"type": "object", "description": "Record v1, as the schema event-v1 describes it."}
RECEIPT = {"type": "string", "description": "A C2SP tlog-proof."}
EXPORT = {"type": "string", "format": "binary", "description": "A zip; its README.md says how to check what is in it."}
CHECKLIST_DOCUMENT = _object(version=TEXT, title=TEXT, approval=TEXT, notice=TEXT, items=_list({"type": "object"}))
HELD_NUMBER = _object(number=TEXT, source=TEXT, tested_on={"type": "string", "format": "date"})
AGENCIES = _object(
    edition=_or_null(WHOLE),
    agencies=_list(
        _object(
            agency=TEXT,
            name=TEXT,
            enrolment_level=CHECK["properties"]["enrolment_level"],
            kinds=_list(TEXT),
            formats={"type": "object"},
            held_number=_or_null(HELD_NUMBER),
            synthetic=FLAG,
        )
    ),
)
FRESH = _object(version=WHOLE, sha256=DIGEST, expires=TIME, expired=FLAG)
ALERT = _object(
    kind={**TEXT, "description": f"Known today: {', '.join(ALERT_KINDS)}."},
    agency={**_or_null(TEXT), "description": "Null where it is about every agency."},
    at=_or_null(TIME),
    sentence=TEXT,
)
CYCLE = _object(number=WHOLE, started_at=TIME, ended_at=_or_null(TIME), edition=_or_null(WHOLE))
SETBACK = _object(
    cycle=WHOLE,
    at=TIME,
    held={**FLAG, "description": "Whether it waits for a person to decide; else it was refused."},
    stands={
        **FLAG,
        "description": "Whether the newest good ingest met it, so that an earlier roster answers, or none.",
    },
)
REGISTRY = _object(
    edition=_or_null(WHOLE),
    synthetic=FLAG,
    refreshed_at=_or_null(TIME),
    timestamp_age_seconds={**_or_null(WHOLE), "description": "Since an ingest last found the timestamp good."},
    alerts={**_list(ALERT), "description": "To be read first: what expired, was not taken, and expires next."},
    last_cycle=_or_null(CYCLE),
    metadata=_or_null(_object(root=FRESH, timestamp=FRESH, snapshot=FRESH, targets=FRESH)),
    agencies=_list(
        _object(
            agency=TEXT,
            enrolment_level=CHECK["properties"]["enrolment_level"],
            role=_or_null(FRESH),
            roster=_or_null(
                _object(sha256=DIGEST, seq=WHOLE, issued_at=TIME, age_seconds=WHOLE, coverage={"type": "object"})
            ),
            fresh_until=TIME,
            setback={**_or_null(SETBACK), "description": "The last time that something of it was not taken."},
            synthetic=FLAG,
        )
    ),
)
ROSTER_HOLD = _object(
    agency=TEXT,
    sha256={**DIGEST, "description": "Of the roster that waits; ask the agency for it."},
    from_seq={**WHOLE, "description": "The number of the roster that answers meanwhile."},
    to_seq=WHOLE,
    signatures={**WHOLE, "description": "How many keys' signatures counted."},
    summary={**TEXT, "description": "Why it is held, and by what it differs, in words."},
    change=_object(
        before=WHOLE,
        after=WHOLE,
        added=WHOLE,
        removed=WHOLE,
        altered=WHOLE,
        newly={"type": "object", "additionalProperties": WHOLE},
        by_counts={**FLAG, "description": "Whether entries could not be told apart, so that these are the least."},
    ),
    grounds=_list(TEXT),
    since=TIME,
    answers_until={**_or_null(TIME), "description": "When what answers meanwhile expires; null where nothing does."},
    decision=_or_null(_object(approved=FLAG, reason=TEXT, by=TEXT, at=TIME)),
)
ROSTER_HOLDS = _object(holds=_list(ROSTER_HOLD))
