"""Compose what follows a submission: one event on a verification or an incident, and what it changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.clock import rfc3339
from verify_service.errors import InvalidRequest, NotAllowed, NotFound
from verify_service.record_log.append import Composition, Draft
from verify_service.verification.answer import answer, answered, settled
from verify_service.verification.case import followed
from verify_service.verification.correction import Corrected
from verify_service.verification.event import event
from verify_service.verification.incident import incident_followed
from verify_service.verification.scene import NumberAssigned
from verify_service.verification.sealing import SealedFields
from verify_service.verification.statement import by_verification, stated, waits
from verify_service.verification.submission import SearchKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any
    from zoneinfo import ZoneInfo

    from verify_service.record_log.append import Placed
    from verify_service.record_log.log import Subject
    from verify_service.record_log.record import Record
    from verify_service.verification.answer import Answer, Render
    from verify_service.verification.case import Case
    from verify_service.verification.event import Reporter
    from verify_service.verification.fact import Fact
    from verify_service.verification.incident import Incident
    from verify_service.verification.scene import SceneEvent
    from verify_service.verification.statement import StatementLink

SUPERVISED = frozenset(
    {"concluded", "released", "sealed", "unsealed", "hold_placed", "hold_lifted", "disputed", "dispute_answered"}
)
# The state is read, changed and written whole with each of them.
MOST_EVENTS = 500


@dataclass(frozen=True)
class FollowUp:
    """One more event on a verification."""

    verification: str
    incident: str
    fact: Fact
    by: Reporter
    zone: ZoneInfo
    random_bytes: Callable[[int], bytes]
    render: Render

    @property
    def needs(self) -> frozenset[str]:
        """The subjects to be read while the tail is held."""
        return frozenset({self._ref, f"incident:{self.incident}", by_verification(self.verification)})

    @property
    def _ref(self) -> str:
        return f"verification:{self.verification}"

    def compose(self, subjects: Mapping[str, Subject]) -> Composition:
        """Return the event, and the statement where the outcome changed or was released."""
        subject = subjects[self._ref]
        case: Case | None = subject.state
        if case is None:
            raise NotFound("There is no such verification here.")
        self._check_corrector(case)
        # A supervisor can always seal, conclude and correct, whatever was piled up here.
        if len(case.events) >= MOST_EVENTS and self.by.caller.role != "supervisor":
            raise InvalidRequest.at("", f"This verification has its {MOST_EVENTS} events: submit this agent anew.")
        sealed = SealedFields(self.random_bytes)
        content = self.fact.body(case, sealed, self.by.moments, relayed=self.by.relayed)
        record, told = self._recorded(content, subject, case, subjects[f"incident:{self.incident}"].state)
        after = told.case
        link: StatementLink = subjects[by_verification(self.verification)].state
        statement: tuple[Draft, ...] = ()
        links: list[Any] = self._search_keys()
        if (after.outcome, after.agency) != (case.outcome, case.agency) or link.pending != waits(after):
            link, statement = stated(after, link, self.by.caller.department, rfc3339(self.by.moments.received_at))
            links.append(link)

        def reply(placed: Sequence[Placed], _: Mapping[str, Subject]) -> bytes:
            return self.render(told.of(placed))

        drafts = (Draft(record, tuple(sealed.fields), after), *statement)
        return Composition(drafts, reply, tuple(links), self._ref)

    def _recorded(
        self, content: dict[str, Any], subject: Subject, case: Case, incident: Incident
    ) -> tuple[Record, Answer]:
        checked = self.fact.checked if isinstance(self.fact, Corrected) else None
        record = event(
            self.fact.kind,
            self._ref,
            content,
            by=self.by,
            checked_at=None if checked is None else checked.checked_at,
            outcome_after=case.outcome,
        ).at(subject.seq, subject.prev)
        if self.fact.decides:
            final = settled(record, case, self.zone)
            return final.record, answered(final.case, final.facts, final.computed, incident)
        return record, answer(followed(case, record), incident)

    def _check_corrector(self, case: Case) -> None:
        if not isinstance(self.fact, Corrected) or self.by.caller.role == "supervisor":
            return
        corrected = {e.kind for e in case.events if e.seq == self.fact.corrects_seq}
        if corrected & SUPERVISED:
            raise NotAllowed("Only a supervisor corrects what a supervisor entered.")

    def _search_keys(self) -> list[Any]:
        checked = self.fact.checked if isinstance(self.fact, Corrected) else None
        if checked is None or checked.search_key is None:
            return []
        return [SearchKey(self.verification, checked.search_key)]


@dataclass(frozen=True)
class SceneFollowUp:
    """One more event on an incident."""

    incident: str
    scene_event: SceneEvent
    by: Reporter
    random_bytes: Callable[[int], bytes]
    render: Callable[[Incident, Sequence[Placed]], bytes]

    @property
    def needs(self) -> frozenset[str]:
        """The subjects to be read while the tail is held."""
        names = {self._ref}
        if isinstance(self.scene_event, NumberAssigned):
            names.add(f"incident-number:{self.scene_event.number}")
        return frozenset(names)

    @property
    def _ref(self) -> str:
        return f"incident:{self.incident}"

    def compose(self, subjects: Mapping[str, Subject]) -> Composition:
        """Return the event."""
        subject = subjects[self._ref]
        incident: Incident | None = subject.state
        if incident is None:
            raise NotFound("There is no such incident here.")
        alias = self._alias(incident, subjects)
        sealed = SealedFields(self.random_bytes)
        content = self.scene_event.body(incident, sealed, self.by.moments, relayed=self.by.relayed)
        record = event(
            self.scene_event.kind,
            self._ref,
            content,
            by=self.by,
        )
        after = incident_followed(incident, record)

        def reply(placed: Sequence[Placed], _: Mapping[str, Subject]) -> bytes:
            return self.render(after, placed)

        return Composition((Draft(record, tuple(sealed.fields), alias=alias),), reply, reply_of=self._ref)

    def _alias(self, incident: Incident, subjects: Mapping[str, Subject]) -> str | None:
        if not isinstance(self.scene_event, NumberAssigned):
            return None
        alias = f"incident-number:{self.scene_event.number}"
        if incident.number is not None and self.by.caller.role == "officer":
            raise NotAllowed("The incident has a number: ask dispatch or a supervisor to correct it.")
        if subjects[alias].state is not None:
            raise InvalidRequest.at("/number_assigned/number", "Another incident has this number.")
        return alias
