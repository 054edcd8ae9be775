"""Follow one scene: its number, who is on it, its facts and the answers to its checklist."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from verify_service.verification.event import said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verify_service.record_log.record import Record
    from verify_service.verification.case import Case
    from verify_service.verification.outcome import Facts

PLACE_TYPES = ("street", "home", "worksite", "courthouse", "school", "health", "worship", "transport", "other")
AUTHORITIES = ("judicial_warrant", "other", "none_stated", "not_asked")
FORCE_SEEN = ("yes", "no", "view_blocked")
FORCE_ACTIONS = ("voice", "confronted", "physically_stopped", "recorded", "told_dispatch", "told_watch_commander")


@dataclass(frozen=True)
class Incident:
    """The state of one incident after its events so far.

    ``scene`` holds the latest value of each fact stated; ``answers`` the latest answer of each checklist item;
    ``assigned`` the serials of those on it. ``number`` is None while the incident is provisional.
    """

    id: str
    number: str | None
    opened_at: str
    assigned: tuple[str, ...]
    command: str | None = None
    scene: Mapping[str, Any] = field(default_factory=dict)
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    supervisor_requested_at: str | None = None
    supervisor_arrived_at: str | None = None


def incident_opened(record: Record) -> Incident:
    """Return the state after an ``incident_opened`` record."""
    number = said(record.facts, "observed")["number"]
    command = (record.actor or {}).get("command")
    return Incident(
        str(record.subject).removeprefix("incident:"), number, record.received_at, _on_scene(record), command
    )


def incident_followed(incident: Incident, record: Record) -> Incident:
    """Return the state after one more record of the same incident."""
    content = record.facts
    observed = said(content["facts"] if record.kind == "corrected" else content, "observed")
    incident = replace(incident, assigned=tuple(dict.fromkeys((*incident.assigned, *_on_scene(record)))))
    match record.kind:
        case "scene_facts":
            stated = {name: value for name, value in observed.items() if value is not None}
            return replace(incident, scene={**incident.scene, **stated})
        case "corrected":
            # A correction states a fact anew, or withdraws it with null.
            return replace(incident, scene={**incident.scene, **observed})
        case "checklist_answered":
            return _answered(incident, record, observed)
        case "number_assigned":
            return replace(incident, number=observed["number"])
        case "supervisor_requested":
            return replace(incident, supervisor_requested_at=observed["at"])
        case "supervisor_arrived":
            return replace(incident, supervisor_arrived_at=observed["at"])
        case _:
            return incident


def incident_document(incident: Incident) -> dict[str, Any]:
    """Write a state as JSON-ready values."""
    return dict(vars(incident))


def incident_from_document(document: Mapping[str, Any]) -> Incident:
    """Read what ``incident_document`` wrote."""
    return Incident(**{**document, "assigned": tuple(document["assigned"])})


def checklist_facts(case: Case, facts: Facts, incident: Incident) -> dict[str, Any]:
    """Return the facts that the checklist's conditions read, of one verification and its incident."""
    observed = said(case.submitted, "observed")
    return {
        "identification": case.identification,
        "requested_by": observed["requested_by"],
        "held_number": bool(case.submitted["computed"]["held_numbers"]),
        "person_confirmed": facts.person_confirmed,
        "agency_denied": facts.agency_denied,
        "photo_mismatch": facts.photo_mismatch,
        "concluded": facts.concluded,
        **incident.scene,
    }


def _answered(incident: Incident, record: Record, observed: Mapping[str, Any]) -> Incident:
    answer = {
        "answer": observed["answer"],
        "at": record.occurred_at or record.received_at,
        "officer": record.relayed_by or (record.actor or {})["serial"],
        "entered_late": observed["entered_late"],
        "has_reason": observed["reason"] is not None,
        "force": observed["force"],
    }
    incident = replace(incident, answers={**incident.answers, observed["item"]: answer})
    if observed["force"] is None:
        return incident
    return replace(incident, scene={**incident.scene, "force_seen": observed["force"]["seen"] == "yes"})


def _on_scene(record: Record) -> tuple[str, ...]:
    """Return who an event puts on the incident: an officer or dispatcher by acting, another by assignment."""
    actor = record.actor or {}
    serials = [record.relayed_by, actor["serial"] if actor["role"] in {"officer", "dispatcher"} else None]
    if record.kind == "officer_assigned":
        serials.append(record.facts["computed"]["serial"])
    return tuple(serial for serial in serials if serial is not None)
