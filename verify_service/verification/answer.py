"""Turn facts into an answer: the outcome and words that go into the record, and what the caller is shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from verify_service.clock import parse_rfc3339
from verify_service.verification.case import facts_of, followed, opened
from verify_service.verification.checklist import checklist
from verify_service.verification.incident import checklist_facts
from verify_service.verification.outcome import Decision, Facts, outcome_table
from verify_service.verification.words import explain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from zoneinfo import ZoneInfo

    from verify_service.record_log.append import Placed
    from verify_service.record_log.record import Record
    from verify_service.verification.case import Case
    from verify_service.verification.incident import Incident


@dataclass(frozen=True)
class Answer:
    """What a caller is told after a request: the verification and incident as they now stand.

    ``events`` are the verification's records that this request appended; ``computed`` is the decision without a
    supervisor's conclusion; ``requester_code`` opens the requester's page and is known only now.
    """

    case: Case
    incident: Incident
    computed: Decision
    applying: frozenset[str]
    events: tuple[Placed, ...] = ()
    requester_code: str | None = None

    def of(self, placed: Sequence[Placed], requester_code: str | None = None) -> Answer:
        """Return the answer with the places of the verification's own records among those that were appended."""
        subject = f"verification:{self.case.id}"
        own = tuple(place for place in placed if place.logged.subject == subject)
        return replace(self, events=own, requester_code=requester_code)


if TYPE_CHECKING:
    Render = Callable[[Answer], bytes]


@dataclass(frozen=True)
class Settled:
    """A complete record, the state after it, and what was decided on the way."""

    record: Record
    case: Case
    facts: Facts
    computed: Decision


def settled(record: Record, before: Case | None, zone: ZoneInfo) -> Settled:
    """Complete a record with the outcome its facts support and the words shown."""
    group = record.facts["facts"] if record.kind == "corrected" else record.facts
    blank = {"row": "", "explanation": "", "next_steps": []}
    case = _after(_with_words(record, group, blank), before)
    facts, table = facts_of(case), outcome_table()
    computed = table.decide(facts.without_conclusion())
    decision = computed if facts.concluded is None else table.decide(facts)
    words = explain(case, facts, decision, computed, parse_rfc3339(record.received_at), zone)
    shown = {"row": decision.row, "explanation": words.explanation, "next_steps": list(words.next_steps)}
    if record.kind == "concluded":
        shown["computed_outcome"] = computed.outcome
    complete = replace(_with_words(record, group, shown), outcome_after=decision.outcome)
    case = replace(case, outcome=decision.outcome, explanation=words.explanation, next_steps=words.next_steps)
    return Settled(complete, case, facts, computed)


def answer(case: Case, incident: Incident) -> Answer:
    """Gather what a caller is told of a verification as it stands."""
    facts = facts_of(case)
    return answered(case, facts, outcome_table().decide(facts.without_conclusion()), incident)


def answered(case: Case, facts: Facts, computed: Decision, incident: Incident) -> Answer:
    """Gather what a caller is told once it is decided."""
    return Answer(case, incident, computed, checklist().applying(checklist_facts(case, facts, incident)))


def _after(record: Record, before: Case | None) -> Case:
    return opened(record) if before is None else followed(before, record)


def _with_words(record: Record, group: Any, words: dict[str, Any]) -> Record:
    group = {**group, "computed": {**(group.get("computed") or {}), **words}}
    content = {**record.facts, "facts": group} if record.kind == "corrected" else group
    return replace(record, body=content)
