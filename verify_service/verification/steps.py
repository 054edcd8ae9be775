"""Say what an officer can do next: what helps first, and nothing that was done already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify_service.verification.callback import MOST_WRONG_WORDS
from verify_service.verification.case import identified_at
from verify_service.verification.event import said
from verify_service.verification.outcome import TOLD_BY_SUPERVISOR
from verify_service.verification.texts import of, texts

if TYPE_CHECKING:
    from verify_service.verification.case import Case, CaseEvent
    from verify_service.verification.outcome import Facts

UNANSWERED = frozenset({"unreachable", "not_possible"})
PUBLIC = frozenset({"person_subject_to_enforcement", "bystander"})
READ_AGAIN = frozenset({"possible_match", "match_inactive", "no_match"})


def next_steps(case: Case, facts: Facts, outcome: str) -> tuple[str, ...]:
    """Return the steps that an outcome leaves open, the most useful first."""
    text = texts()
    if outcome == "not_required":
        return (text["step_checklist"],)
    if outcome == "interrupted":
        return (text["step_when_safe"], text["step_bwv"], *_telling(case, False), text["step_checklist"])
    by_supervisor = outcome in TOLD_BY_SUPERVISOR
    supervisor_first = by_supervisor or words_used_up(case)
    steps = [text["step_supervisor"]] if supervisor_first else []
    steps += [*_reading_again(case, facts), *_calling(case, facts)]
    if not (facts.person_confirmed or facts.photo_mismatch or compared(case)):
        steps.append(text["step_credential"])
    if outcome not in {"verified", "credential_consistent"}:
        steps.append(text["step_lead"])
    steps.append(text["step_bwv"])
    if outcome == "declined":
        steps.append(text["step_document_refusal"])
    steps += [] if supervisor_first else [text["step_supervisor"]]
    return (*steps, *_telling(case, by_supervisor), text["step_checklist"])


def last_call(case: Case) -> CaseEvent | None:
    """Return the last call to an agency that this person claims now, None where there was none."""
    calls = [
        call
        for call in case.standing("agency_callback")
        if said(call.body, "told_by_agency")["agency"] in case.agencies
    ]
    return calls[-1] if calls else None


def words_differed(call: CaseEvent) -> bool:
    """Whether an agency confirmed a person and that person said other words."""
    return call.body["computed"]["words_matched"] is False


def compared(case: Case) -> bool:
    """Whether a photo matched on a credential with the number as it stands now."""
    return any(
        said(event.body, "observed")["result"] == "matches" and event.seq > identified_at(case)
        for event in case.standing("photo_credential_compared")
    )


def words_used_up(case: Case) -> bool:
    """Whether wrong words were heard so often that no more are taken, and a supervisor decides."""
    return sum(words_differed(call) for call in case.events if call.kind == "agency_callback") >= MOST_WRONG_WORDS


def _telling(case: Case, by_supervisor: bool) -> list[str]:
    if by_supervisor:
        return [texts()["step_supervisor_tells"]]
    asked = said(case.submitted, "observed")["requested_by"] in PUBLIC
    return [texts()["step_tell"]] if asked else []


def _reading_again(case: Case, facts: Facts) -> list[str]:
    text = texts()
    if not case.agencies:
        return [] if case.names_other else [text["step_which_agency"]]
    if any(check["result"] in READ_AGAIN for check in case.own_checks) and not facts.registry_active:
        return [text["step_read_again"]]
    idle = [check["agency"] for check in case.own_checks if check["op_code_activated"] is False]
    return [of(text["step_activation"], agency) for agency in idle]


def _calling(case: Case, facts: Facts) -> list[str]:
    if facts.person_confirmed or words_used_up(case):
        return []
    text, call = texts(), last_call(case)
    told = [said(call.body, "told_by_agency") for call in case.standing("agency_callback")]
    denied = {answer["agency"] for answer in told if answer["result"] == "denied"}
    asked = [agency for agency in case.agencies if agency not in denied]
    held = case.submitted["computed"]["held_numbers"]
    steps = [of(text["step_callback" if agency in held else "step_no_number"], agency) for agency in asked]
    return [text["step_new_words"], *steps] if steps and call is not None and words_differed(call) else steps
