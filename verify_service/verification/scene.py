"""Describe what may be recorded of a scene: its facts, its checklist's answers, its supervisor, its number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from verify_service.clock import rfc3339
from verify_service.errors import InvalidRequest
from verify_service.verification.checklist import checklist
from verify_service.verification.event import body

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from verify_service.verification.event import Moments
    from verify_service.verification.incident import Incident
    from verify_service.verification.sealing import SealedFields

SCENE_FACTS = (
    "agents_present",
    "place_type",
    "dispatched_at",
    "arrived_at",
    "person_removed",
    "destination_asked",
    "destination_answered",
    "dependents_left",
    "authority_claimed",
    "crime_alleged",
)


class SceneEvent(Protocol):
    """Something that may be appended to an incident."""

    kind: ClassVar[str]

    def body(self, incident: Incident, sealed: SealedFields, moments: Moments, *, relayed: bool) -> dict[str, Any]:
        """Return the event's body; raise InvalidRequest where it cannot stand on this incident."""


@dataclass(frozen=True)
class SceneFacts:
    """Facts of the scene, each optional; None where nobody stated it."""

    facts: Mapping[str, Any]
    kind: ClassVar[str] = "scene_facts"

    def body(self, incident: Incident, sealed: SealedFields, moments: Moments, *, relayed: bool) -> dict[str, Any]:  # noqa: ARG002
        """Return the body; raise InvalidRequest where nothing is stated."""
        if all(value is None for value in self.facts.values()):
            raise InvalidRequest.at("/scene_facts", "State at least one fact of the scene.")
        return body(relayed=relayed, observed={name: self.facts.get(name) for name in SCENE_FACTS})


@dataclass(frozen=True)
class SceneCorrected:
    """Facts of the scene stated anew; None withdraws one."""

    corrects_seq: int
    facts: Mapping[str, Any]
    kind: ClassVar[str] = "corrected"

    def body(self, incident: Incident, sealed: SealedFields, moments: Moments, *, relayed: bool) -> dict[str, Any]:  # noqa: ARG002
        """Return the body; raise InvalidRequest where nothing is corrected."""
        if not self.facts:
            raise InvalidRequest.at("/corrected/facts", "Name at least one fact, with its new value or null.")
        return {"corrects_seq": self.corrects_seq, "facts": {"observed": dict(self.facts)}}


@dataclass(frozen=True)
class Force:
    """What the officer saw of force and did about it; legal evaluation is the supervisor's."""

    seen: str
    video_offset_ms: int | None = None
    actions: tuple[str, ...] = ()
    could_not_because: str | None = None


@dataclass(frozen=True)
class ChecklistAnswered:
    """An answer to one item of the checklist."""

    item: str
    answer: str
    reason: str | None = None
    entered_late: bool = False
    force: Force | None = None
    kind: ClassVar[str] = "checklist_answered"

    def body(self, incident: Incident, sealed: SealedFields, moments: Moments, *, relayed: bool) -> dict[str, Any]:  # noqa: ARG002
        """Return the body; raise InvalidRequest for an item the checklist lacks or an answer that is not whole."""
        if self.item not in checklist().items:
            raise InvalidRequest.at("/checklist_answered/item", f"The checklist has no item {self.item!r}.")
        if self.answer == "not_possible" and not self.reason:
            raise InvalidRequest.at("/checklist_answered/reason", "Say in a few words why it was not possible.")
        if self.force is not None and self.item != "force":
            raise InvalidRequest.at("/checklist_answered/force", "Force is answered with the item `force` only.")
        force = self.force
        return body(
            relayed=relayed,
            observed={
                "item": self.item,
                "answer": self.answer,
                "reason": sealed.seal(self.reason),
                "entered_late": self.entered_late,
                "force": force
                and {
                    "seen": force.seen,
                    "video_offset_ms": force.video_offset_ms,
                    "actions": list(force.actions),
                    "could_not_because": sealed.seal(force.could_not_because),
                },
            },
        )


@dataclass(frozen=True)
class SupervisorRequested:
    """A supervisor was requested, now or at ``at``."""

    at: datetime | None = None
    kind: ClassVar[str] = "supervisor_requested"

    def body(self, incident: Incident, sealed: SealedFields, moments: Moments, *, relayed: bool) -> dict[str, Any]:  # noqa: ARG002
        """Return the body."""
        return body(relayed=relayed, observed={"at": rfc3339(self.at or moments.occurred_at or moments.received_at)})


@dataclass(frozen=True)
class SupervisorArrived(SupervisorRequested):
    """A supervisor arrived, now or at ``at``."""

    kind: ClassVar[str] = "supervisor_arrived"


@dataclass(frozen=True)
class OfficerAssigned:
    """Somebody put themselves on the incident by entering its number."""

    serial: str
    kind: ClassVar[str] = "officer_assigned"

    def body(self, incident: Incident, sealed: SealedFields, moments: Moments, *, relayed: bool) -> dict[str, Any]:  # noqa: ARG002
        """Return the body; raise InvalidRequest where they are on it already."""
        if self.serial in incident.assigned:
            raise InvalidRequest.at("/kind", "You are on this incident already.")
        return body(computed={"serial": self.serial})


@dataclass(frozen=True)
class NumberAssigned:
    """The incident's number, for a provisional incident or to correct it."""

    number: str
    kind: ClassVar[str] = "number_assigned"

    def body(self, incident: Incident, sealed: SealedFields, moments: Moments, *, relayed: bool) -> dict[str, Any]:  # noqa: ARG002
        """Return the body; raise InvalidRequest where it is the number already."""
        if incident.number == self.number:
            raise InvalidRequest.at("/number_assigned/number", "The incident has this number already.")
        return body(relayed=relayed, observed={"number": self.number})
