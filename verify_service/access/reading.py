"""Read verifications and incidents for a caller: only what is theirs, and never without its access event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from verify_service.access.visibility import Visibility, visibility
from verify_service.errors import Expunged, NotFound
from verify_service.record_log.absence import EXPUNGED
from verify_service.signing import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from verify_service.access.event import AccessEvents
    from verify_service.caller import Caller
    from verify_service.errors import ServiceError
    from verify_service.record_log.log import Subject
    from verify_service.record_log.logs import Logs
    from verify_service.record_log.record import SealedField
    from verify_service.record_log.record_log import RecordLog
    from verify_service.verification.case import Case
    from verify_service.verification.incident import Incident
    from verify_service.verification.statement import StatementLink

ID_LENGTH = 36
MOST_AGENTS = 500
IDENTIFYING = ("submitted", "corrected")
NO_SUCH = "There is no such verification or incident here."


@dataclass(frozen=True)
class EventPlace:
    """Where one event of a subject stands."""

    seq: int
    kind: str
    received_at: str
    log: str
    index: int


@dataclass(frozen=True)
class Criteria:
    """What a list is narrowed to; None narrows nothing. Times are RFC 3339 and compared with the opening."""

    outcome: str | None = None
    agency: str | None = None
    incident: str | None = None
    officer: str | None = None
    opened_from: str | None = None
    opened_before: str | None = None

    def document(self) -> dict[str, Any]:
        """Return the criteria that were given, for the access event."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Page:
    """Some verifications, newest first, and the cursor of the next page where there is one."""

    cases: Sequence[Case]
    after: int | None


@dataclass(frozen=True)
class CaseView:
    """A verification as a caller reads it; ``version`` changes with every event on it or its incident.

    ``identifier`` is the kind and value as last typed, None where none was given or it was destroyed.
    """

    case: Case
    incident: Incident
    version: str
    events: Sequence[EventPlace]
    identifier: Mapping[str, str] | None


@dataclass(frozen=True)
class IncidentView:
    """An incident as a caller reads it, with the verifications of it that they may see."""

    incident: Incident
    version: str
    cases: Sequence[Case]
    events: Sequence[EventPlace]


class CaseReader(Protocol):
    """Where read models are read; every call sees whole batches only."""

    def subject(self, department: str, ref: str) -> Subject:
        """Return a verification, or an incident by id or ``incident-number:``; its state is None where unknown."""

    def within(self, visible: Visibility, ref: str) -> Subject | None:
        """Return a verification or incident as ``subject`` does, None where it is not visible or unknown.

        The two take the same statement, so that neither its answer nor its time tells them apart.
        """

    def last_kind(self, department: str, subject: str) -> str | None:
        """Return the kind of a subject's newest event, None where it has none."""

    def events(self, department: str, subject: str) -> list[EventPlace]:
        """Return a subject's events in order."""

    def page(
        self, visible: Visibility, criteria: Criteria, identifier: bytes | None, before: int | None, limit: int
    ) -> list[tuple[int, Case]]:
        """Return up to ``limit`` verifications with their cursors, newest first, all of them visible."""

    def statement(self, code_sha256: str) -> tuple[str, StatementLink, int] | None:
        """Return (department, link, next seq) of the statement that a code opens."""


class Reading:
    """What callers read."""

    def __init__(self, store: CaseReader, logs: Logs, events: AccessEvents) -> None:
        self._store = store
        self._logs = logs
        self._events = events

    def find(self, caller: Caller, verification: str) -> tuple[Case, Incident, str]:
        """Return a verification, its incident and their version; raise NotFound where it is not this caller's."""
        ref = f"verification:{verification}"
        subject = self._store.within(visibility(caller), ref)
        if subject is None:
            raise self._missing(caller.department, ref)
        case: Case = subject.state
        incident = self._store.subject(caller.department, f"incident:{case.incident}")
        return case, incident.state, f"{subject.seq}.{incident.seq}"

    def case(self, caller: Caller, operation: str, verification: str, address: str | None) -> CaseView:
        """Return a verification for reading, its access event written."""
        case, incident, version = self.find(caller, verification)
        ref = f"verification:{verification}"
        self._events.read(caller, operation, ref, version, address)
        events = self._store.events(caller.department, ref)
        return CaseView(case, incident, version, events, self._identifier(caller, case, events))

    def find_incident(self, caller: Caller, name: str, *, entering: bool = False) -> tuple[Incident, str]:
        """Return an incident by its number or id, and its version; raise NotFound where it is not this caller's.

        With ``entering`` it need not be theirs yet, where they name it by its number.
        """
        by_id = len(name) == ID_LENGTH
        ref = f"incident:{name}" if by_id else f"incident-number:{name}"
        visible = Visibility(caller.department) if entering and not by_id else visibility(caller)
        subject = self._store.within(visible, ref)
        if subject is None:
            raise self._missing(caller.department, ref)
        return subject.state, str(subject.seq)

    def incident(self, caller: Caller, operation: str, name: str, address: str | None) -> IncidentView:
        """Return an incident for reading, its access event written."""
        incident, cases, version = self.scene(caller, name)
        self._events.read(caller, operation, f"incident:{incident.id}", version, address)
        return IncidentView(incident, version, cases, self._store.events(caller.department, f"incident:{incident.id}"))

    def incident_version(self, caller: Caller, name: str) -> str:
        """Return an incident's version as the caller sees it, without reading it."""
        return self.scene(caller, name)[2]

    def scene(self, caller: Caller, name: str) -> tuple[Incident, list[Case], str]:
        """Return an incident, the verifications of it that the caller may see, and their version, without reading it.

        Raises what ``find_incident`` raises.
        """
        incident, version = self.find_incident(caller, name)
        found = self._store.page(visibility(caller), Criteria(incident=incident.id), None, None, MOST_AGENTS)
        cases = [case for _, case in found]
        seen = " ".join(f"{case.id}.{len(case.events)}" for case in cases)
        return incident, cases, f"{version}.{sha256_hex(seen.encode())[:16]}"

    def page(
        self, caller: Caller, operation: str, criteria: Criteria, before: int | None, limit: int, address: str | None
    ) -> Page:
        """Return verifications by criteria, newest first, the list written as one access event."""
        page = self._page(caller, criteria, None, before, limit)
        self._events.listed(caller, operation, criteria.document(), [case.id for case in page.cases], address)
        return page

    def search(
        self,
        caller: Caller,
        operation: str,
        criteria: Criteria,
        identifier: SealedField | None,
        index: bytes | None,
        before: int | None,
        limit: int,
        address: str | None,
    ) -> Page:
        """Return verifications by criteria and the blind index of an identifier, as one access event."""
        page = self._page(caller, criteria, index, before, limit)
        found = [case.id for case in page.cases]
        self._events.searched(caller, operation, criteria.document(), identifier, found, address)
        return page

    def event_place(
        self, caller: Caller, operation: str, subject: str, seq: int, address: str | None
    ) -> tuple[RecordLog, int]:
        """Return the log and index of a subject's event that the caller may see, its access event written."""
        place = self._logs.locate(caller.department, subject, seq)
        self._events.read(caller, operation, subject, f"event {seq}", address)
        return place

    def _missing(self, department: str, ref: str) -> ServiceError:
        """Return the refusal of what does not exist for a caller, asking the same whether it does for others."""
        if self._store.last_kind(department, ref) == EXPUNGED:
            return Expunged("This was destroyed by order; the log keeps its commitments.")
        return NotFound(NO_SUCH)

    def _identifier(self, caller: Caller, case: Case, events: Sequence[EventPlace]) -> dict[str, str] | None:
        given = case.identifier
        if given is None:
            return None
        for place in reversed(events):
            if place.kind in IDENTIFYING:
                field = self._logs.named(caller.department, place.log).record(place.index)[1].get(given["typed"])
                if field is not None:
                    return {"kind": given["kind"], "value": field.value}
        return None

    def _page(self, caller: Caller, criteria: Criteria, index: bytes | None, before: int | None, limit: int) -> Page:
        found = self._store.page(visibility(caller), criteria, index, before, limit + 1)
        cursor = found[limit - 1][0] if len(found) > limit else None
        return Page([case for _, case in found[:limit]], cursor)
