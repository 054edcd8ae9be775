"""The wire shapes of what is recorded of a scene, and how they become the domain's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verify_service.clock import rfc3339
from verify_service.errors import InvalidRequest
from verify_service.verification.checklist import ANSWERS
from verify_service.verification.incident import AUTHORITIES, FORCE_ACTIONS, FORCE_SEEN, PLACE_TYPES
from verify_service.verification.scene import (
    ChecklistAnswered,
    Force,
    NumberAssigned,
    OfficerAssigned,
    SceneCorrected,
    SceneFacts,
    SupervisorArrived,
    SupervisorRequested,
)
from verify_service.web.fields import Code, Document, Flag, Many, Moment, Note, Part, Text, Whole
from verify_service.web.verification_fields import DAY_MS, INCIDENT_NUMBER, MOST_EVENTS, Occasion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verify_service.verification.scene import SceneEvent

# Entering an incident's number puts the caller on it, on record.
ASSIGNING = "officer_assigned"
INCIDENT_EVENT_KINDS = (
    "scene_facts",
    "checklist_answered",
    "supervisor_requested",
    "supervisor_arrived",
    "number_assigned",
    "corrected",
    ASSIGNING,
)
WITHOUT_PART = ("supervisor_requested", "supervisor_arrived", ASSIGNING)


class ScenePart(Document):
    """Facts of the scene, each optional; a fact left out stays as it is."""

    agents_present = Whole(0, 999, allow_none=True)
    place_type = Code(PLACE_TYPES, allow_none=True)
    dispatched_at = Moment(allow_none=True)
    arrived_at = Moment(allow_none=True)
    person_removed = Flag(allow_none=True)
    destination_asked = Flag(allow_none=True)
    destination_answered = Flag(allow_none=True)
    dependents_left = Flag(allow_none=True)
    authority_claimed = Code(AUTHORITIES, allow_none=True)
    crime_alleged = Flag(allow_none=True)


class ForcePart(Document):
    """What was seen of force and done about it."""

    seen = Code(FORCE_SEEN, required=True)
    video_offset_ms = Whole(0, DAY_MS, load_default=None, allow_none=True)
    actions = Many(Code(FORCE_ACTIONS), most=len(FORCE_ACTIONS), load_default=list)
    could_not_because = Note(lines=True, load_default=None, allow_none=True)


class AnsweredPart(Document):
    """An answer to one item of the checklist."""

    item = Text(48, required=True)
    answer = Code(ANSWERS, required=True)
    reason = Note(lines=True, load_default=None, allow_none=True)
    entered_late = Flag(load_default=False)
    force = Part(ForcePart(), load_default=None, allow_none=True)


class NumberPart(Document):
    """The incident's number."""

    number = Text(20, pattern=INCIDENT_NUMBER, expects="the incident number", required=True)


class SceneCorrectedPart(Document):
    """Facts of the scene stated anew; null withdraws one."""

    corrects_seq = Whole(0, MOST_EVENTS, required=True)
    facts = Part(ScenePart(), required=True)


class AtPart(Document):
    """When it was, where that is not now."""

    at = Moment(load_default=None, allow_none=True)


class IncidentEventDocument(Occasion):
    """One more event on an incident: its ``kind`` and the part of that kind."""

    kind = Code(INCIDENT_EVENT_KINDS, required=True)
    scene_facts = Part(ScenePart(), load_default=None, allow_none=True)
    checklist_answered = Part(AnsweredPart(), load_default=None, allow_none=True)
    supervisor_requested = Part(AtPart(), load_default=None, allow_none=True)
    supervisor_arrived = Part(AtPart(), load_default=None, allow_none=True)
    number_assigned = Part(NumberPart(), load_default=None, allow_none=True)
    corrected = Part(SceneCorrectedPart(), load_default=None, allow_none=True)


def scene_event(body: Mapping[str, Any], serial: str) -> SceneEvent:
    """Read one more event of the caller with this serial.

    Raises InvalidRequest where its part is missing or another one came along.
    """
    kind: str = body["kind"]
    for other in INCIDENT_EVENT_KINDS:
        if other != kind and body.get(other) is not None:
            raise InvalidRequest.at(f"/{other}", f"This does not belong to an event of kind `{kind}`: leave it out.")
    part: Any = body.get(kind)
    if part is None and kind not in WITHOUT_PART:
        raise InvalidRequest.at(f"/{kind}", f"An event of kind `{kind}` needs this part.")
    match kind:
        case "scene_facts":
            made: SceneEvent = SceneFacts(_written(part))
        case "checklist_answered":
            made = ChecklistAnswered(**{**part, "force": _force(part["force"])})
        case "supervisor_requested":
            made = SupervisorRequested(**(part or {}))
        case "supervisor_arrived":
            made = SupervisorArrived(**(part or {}))
        case "number_assigned":
            made = NumberAssigned(**part)
        case "officer_assigned":
            made = OfficerAssigned(serial)
        case _:
            made = SceneCorrected(part["corrects_seq"], _written(part["facts"]))
    return made


def _written(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: rfc3339(value) if hasattr(value, "tzinfo") else value for name, value in facts.items()}


def _force(part: Mapping[str, Any] | None) -> Force | None:
    return None if part is None else Force(**{**part, "actions": tuple(dict.fromkeys(part["actions"]))})
