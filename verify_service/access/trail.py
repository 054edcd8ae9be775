"""Tell an auditor who looked at a record, and what a person looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from verify_service.access.reading import ID_LENGTH
from verify_service.record_log.record import Record, parse_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verify_service.access.event import AccessEvents
    from verify_service.caller import Caller
    from verify_service.record_log.log import Subject
    from verify_service.record_log.logs import Logs
    from verify_service.record_log.record import Logged
    from verify_service.vault import Vault

EVERYTHING = "everything"
INDEX = "access"


def names(logged: Logged) -> frozenset[str]:
    """Return by whom and what an access event is found; none where it is nobody's, as a cover or a succession.

    A person is found by serial, an object as its events name it, each verification of a list by its id, an act by its
    operation.
    """
    if not isinstance(logged, Record) or logged.actor is None:
        return frozenset()
    found = {EVERYTHING, f"person:{logged.actor['serial']}"}
    if logged.facts.get("object") is not None:
        found.add(logged.facts["object"])
    if logged.kind == "acted":
        found.add(f"act:{logged.facts['operation']}")
    # What is not a verification says so in its name, and is not asked for.
    found |= {f"verification:{name}" for name in logged.facts.get("ids", ()) if ":" not in name}
    return frozenset(found)


def index(vault: Vault, department: str, name: str) -> bytes:
    """Return the blind index under which the events that a name is found by stand."""
    return vault.index(department, INDEX, name)


@dataclass(frozen=True)
class TrailPlace:
    """Where an access event stands: ``cursor`` counts the entries of its log and of those before it."""

    cursor: int
    log: str
    index: int


@dataclass(frozen=True)
class AccessEvent:
    """An access event as an auditor reads it."""

    place: TrailPlace
    record: Record

    @property
    def name(self) -> str:
        """The event's own name, for the event that says that it was read."""
        return f"access-event:{self.place.log}/{self.place.index}"


@dataclass(frozen=True)
class Inquiry:
    """What is asked: by whom or of what; None asks for everything. An incident is named by its number or its id."""

    person: str | None = None
    verification: str | None = None
    incident: str | None = None
    act: str | None = None

    def criteria(self) -> dict[str, str]:
        """Return what was given, for the access event."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class TrailPage:
    """Some access events, newest first, and the cursor of the next page where there is one."""

    events: Sequence[AccessEvent]
    after: int | None


class TrailReader(Protocol):
    """Where access events are found."""

    def trail(self, department: str, about: Sequence[bytes], before: int | None, limit: int) -> list[TrailPlace]:
        """Return where up to ``limit`` events of any of these indexes stand, newest first."""

    def subject(self, department: str, ref: str) -> Subject:
        """Return an incident by id or ``incident-number:``; its state is None where unknown."""


class Trail:
    """What auditors ask of a department's access logs."""

    def __init__(self, store: TrailReader, logs: Logs, events: AccessEvents, vault: Vault) -> None:
        self._store = store
        self._logs = logs
        self._events = events
        self._vault = vault

    def page(
        self, caller: Caller, operation: str, asked: Inquiry, before: int | None, limit: int, address: str | None
    ) -> TrailPage:
        """Return access events, newest first; that they were asked for, and which were shown, is one event itself."""
        about = [index(self._vault, caller.department, name) for name in self._names(caller.department, asked)]
        places = self._store.trail(caller.department, about, before, limit + 1)
        events = [self._read(caller.department, place) for place in places[:limit]]
        self._events.listed(caller, operation, asked.criteria(), [event.name for event in events], address)
        return TrailPage(events, places[limit - 1].cursor if len(places) > limit else None)

    def _names(self, department: str, asked: Inquiry) -> list[str]:
        if asked.person is not None:
            return [f"person:{asked.person}"]
        if asked.verification is not None:
            return [f"verification:{asked.verification}"]
        if asked.act is not None:
            return [f"act:{asked.act}"]
        if asked.incident is None:
            return [EVERYTHING]
        # A refusal names an incident as it was asked for: by its number too.
        form = "incident" if len(asked.incident) == ID_LENGTH else "incident-number"
        incident = self._store.subject(department, f"{form}:{asked.incident}").state
        known = () if incident is None else (incident.id, incident.number)
        return [f"incident:{name}" for name in dict.fromkeys((asked.incident, *known)) if name is not None]

    def _read(self, department: str, place: TrailPlace) -> AccessEvent:
        record = parse_record(self._logs.named(department, place.log).record(place.index)[0])
        if not isinstance(record, Record):
            raise TypeError(f"The entry {place.index} of {department}/{place.log} is no access event: run an audit.")
        return AccessEvent(place, record)
