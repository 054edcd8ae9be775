"""One event of every kind as records have it; everything in them is synthetic."""

from __future__ import annotations

import hashlib

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
