"""Show requests as an officer's phone sends them; every value is invented."""

from __future__ import annotations

SUBMITTED = {
    "incident_number": "261124001234",
    "agent_label": "Agent 2",
    "requested_by": "person_subject_to_enforcement",
    "occurred_at": "2026-11-24T21:04:05-08:00",
    "device_at": "2026-11-24T21:04:09-08:00",
    "agent": {
        "claimed_agency": "DHS-ICE",
        "home_agency": None,
        "role": "lead",
        "face_covered": True,
        "plain_clothes": True,
        "agency_marking_visible": False,
        "vehicle_marked": False,
    },
    "identification": "presented",
    "identifier": {"kind": "badge", "value": "b 12345"},
    "photo_credential": {"result": "not_shown"},
    "body_worn_video": {"reference": "BWV-2026-11-24-0117", "offset_ms": 754000},
}
REFUSED = {
    "incident_number": "261124001234",
    "agent_label": "Agent 3",
    "requested_by": "bystander",
    "agent": {"claimed_agency": "none_stated", "face_covered": True},
    "identification": "declined",
}
SUBMISSIONS = {"presented": SUBMITTED, "declined": REFUSED}
SEARCHES = {"by identifier": {"identifier": {"kind": "badge", "value": "b 12345"}}}
ACTIVATIONS = {"at contact": {"identifier": {"kind": "op_code", "value": "K7M2 Q4PG"}}}
WORD_ID = "0193a000-0000-7000-8000-0000000000ff"
ACCESS_REVIEWS = {
    "of a week": {
        "reviewed_from": "2026-11-16T00:00:00-08:00",
        "reviewed_until": "2026-11-23T00:00:00-08:00",
        "finding": "nothing_unusual",
    }
}
EXPUNGE_ORDERS = {
    "by a court": {
        "ground": "Court order",
        "reference": "BH-2026-2",
        "verifications": ["0193a000-0000-7000-8000-0000000000aa"],
    }
}
EXPORTS = {
    "of one verification, for a court": {
        "form": "evidence",
        "verification": "0193a000-0000-7000-8000-0000000000aa",
        "reason": "Subpoena 26-114",
    },
    "of an incident, for the public": {
        "form": "public-records",
        "incident": "261124001234",
        "reason": "CPRA-2026-7",
    },
}
ROSTER_DECISIONS = {
    "approved": {"approved": True, "reason": "Field office closed, told by the registrar on the held number"},
    "rejected": {"approved": False, "reason": "Nobody at the agency knows of it"},
}
REISSUES = {
    "beside the earlier ones": {},
    "after a theft": {"verification": "0193a000-0000-7000-8000-0000000000aa", "ends_earlier": True},
}
EVENTS = {
    "the word came back": {
        "kind": "agency_callback",
        "agency_callback": {"result": "person_confirmed", "word_id": WORD_ID, "words_heard": "maple lantern"},
    },
    "the agency denied": {"kind": "agency_callback", "agency_callback": {"result": "denied"}},
    "face and photo compared": {
        "kind": "photo_credential_compared",
        "photo_credential": {"result": "matches", "face_seen": True, "credential_number_matches": True},
    },
    "left the scene": {"kind": "interrupted", "interrupted": {"reason": "left_scene"}},
    "the number was misread": {
        "kind": "corrected",
        "corrected": {"corrects_seq": 0, "facts": {"identifier": {"kind": "badge", "value": "B12346"}}},
    },
    "a supervisor concludes": {
        "kind": "concluded",
        "concluded": {"outcome": "inconclusive", "facts_relied_on": [0, 2], "reason": "The call was cut off."},
    },
    "a supervisor releases": {"kind": "released"},
}
CALLBACK_WORDS = {"the claimed agency": {}, "the home agency": {"agency": "DHS-CBP"}}
INCIDENT_EVENTS = {
    "agents present": {"kind": "scene_facts", "scene_facts": {"agents_present": 6, "place_type": "street"}},
    "video on": {"kind": "checklist_answered", "checklist_answered": {"item": "bwv-on", "answer": "done"}},
    "force": {
        "kind": "checklist_answered",
        "checklist_answered": {
            "item": "force",
            "answer": "done",
            "force": {"seen": "yes", "video_offset_ms": 801000, "actions": ["voice", "told_watch_commander"]},
        },
    },
    "I work this incident": {"kind": "officer_assigned"},
    "supervisor requested": {"kind": "supervisor_requested"},
    "the number followed": {"kind": "number_assigned", "number_assigned": {"number": "261124001234"}},
}
