"""Turn facts into an answer: the outcome and words that go into the record, and what the caller is shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from verify_service.clock import parse_rfc3339
from verify_service.verification.case import facts_of, followed, opened
from verify_service.verification.checklist import checklist
from verify_service.verification.incident import checklist_facts
from verify_service.verification.outcome import Decision, outcome_table
from verify_service.verification.words import explain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from zoneinfo import ZoneInfo

    from verify_service.record_log.log import Placed
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


if TYPE_CHECKING:
    Render = Callable[[Answer], bytes]


def settled(record: Record, before: Case | None, zone: ZoneInfo) -> tuple[Record, Case]:
    """Complete a record with the outcome its facts support and the words shown, and return the state after it."""
    group = record.facts["facts"] if record.kind == "corrected" else record.facts
    blank = {"row": "", "explanation": "", "next_steps": []}
    case = _after(_with_words(record, group, blank), before)
    facts, table = facts_of(case), outcome_table()
    decision, computed = table.decide(facts), table.decide(facts.without_conclusion())
    words = explain(case, facts, decision, computed, parse_rfc3339(record.received_at), zone)
    shown = {"row": decision.row, "explanation": words.explanation, "next_steps": list(words.next_steps)}
    if record.kind == "concluded":
        shown["computed_outcome"] = computed.outcome
    complete = replace(_with_words(record, group, shown), outcome_after=decision.outcome)
    return complete, _after(complete, before)


def answer(case: Case, incident: Incident, placed: Sequence[Placed] = (), requester_code: str | None = None) -> Answer:
    """Gather what the caller is told."""
    facts = facts_of(case)
    computed = outcome_table().decide(facts.without_conclusion())
    applying = checklist().applying(checklist_facts(case, facts, incident))
    own = tuple(place for place in placed if place.logged.subject == f"verification:{case.id}")
    return Answer(case, incident, computed, applying, own, requester_code)


def _after(record: Record, before: Case | None) -> Case:
    return opened(record) if before is None else followed(before, record)


def _with_words(record: Record, group: Any, words: dict[str, Any]) -> Record:
    group = {**group, "computed": {**(group.get("computed") or {}), **words}}
    content = {**record.facts, "facts": group} if record.kind == "corrected" else group
    return replace(record, body=content)
