"""Follow one verification: the state its events add up to, and the finite facts they reduce to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from verify_service.verification.claim import NO_AGENCY
from verify_service.verification.event import said
from verify_service.verification.outcome import Facts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from verify_service.record_log.record import Record

WORDS = ("row", "explanation", "next_steps")
OTHER_AGENCY = "other"
CREDENTIAL_KINDS = ("badge", "credential")


@dataclass(frozen=True)
class CaseEvent:
    """One event as it stands now: its body with later corrections laid over it, or withdrawn."""

    seq: int
    kind: str
    received_at: str
    body: Mapping[str, Any]
    withdrawn: bool = False


@dataclass(frozen=True)
class Case:
    """The state of one verification ("Agent 2") after its events so far."""

    id: str
    incident: str
    opened_at: str
    opened_by: str
    command: str | None
    synthetic: bool
    events: tuple[CaseEvent, ...]
    outcome: str
    explanation: str
    next_steps: tuple[str, ...]
    # The outcome that a supervisor released to the person who asked; any other is not released.
    released: str | None = None
    sealed: bool = False
    # The references of the holds that supervisors placed.
    holds: tuple[str | None, ...] = ()

    @property
    def submitted(self) -> Mapping[str, Any]:
        """The body of the first event as it stands now."""
        return self.events[0].body

    @property
    def agency(self) -> str:
        """The claimed agency's code, ``other`` or ``none_stated``."""
        code: str = said(self.submitted, "told_by_agent")["claimed_agency"]
        return code

    @property
    def agencies(self) -> tuple[str, ...]:
        """The claimed and home agencies, where they were stated."""
        told = said(self.submitted, "told_by_agent")
        stated = [told[name] for name in ("claimed_agency", "home_agency") if told[name]]
        return tuple(code for code in dict.fromkeys(stated) if code not in NO_AGENCY)

    @property
    def names_other(self) -> bool:
        """Whether the agent named an agency without a code: it has no roster to be absent from."""
        told = said(self.submitted, "told_by_agent")
        return OTHER_AGENCY in (told["claimed_agency"], told["home_agency"])

    @property
    def identification(self) -> str:
        """How the agent identified: ``presented``, ``declined`` and so on."""
        value: str = said(self.submitted, "observed")["identification"]
        return value

    @property
    def identifier(self) -> Mapping[str, Any] | None:
        """The identifier's kind and the digests of its sealed values, None where none was given."""
        given: Mapping[str, Any] | None = said(self.submitted, "told_by_agent")["identifier"]
        return given

    @property
    def checks(self) -> tuple[Mapping[str, Any], ...]:
        """Every registry check of the submission."""
        return tuple(self.submitted["computed"]["checks"])

    @property
    def own_checks(self) -> tuple[Mapping[str, Any], ...]:
        """The checks at the claimed or home agency; a match anywhere else concludes nothing."""
        agencies = self.agencies
        return tuple(check for check in self.checks if check["agency"] in agencies)

    def standing(self, kind: str) -> Iterator[CaseEvent]:
        """Yield the events of a kind that were not withdrawn, oldest first."""
        return (event for event in self.events if event.kind == kind and not event.withdrawn)

    def latest(self, kind: str) -> CaseEvent | None:
        """Return the newest event of a kind that was not withdrawn."""
        found = list(self.standing(kind))
        return found[-1] if found else None


def facts_of(case: Case) -> Facts:
    """Reduce a verification's events to the finite facts that the outcome table reads."""
    checks, agencies = case.own_checks, case.agencies
    calls = [(said(event.body, "told_by_agency"), event.body["computed"]) for event in case.standing("agency_callback")]
    # What another agency said, before the claim was corrected, is not about this one.
    answers = [(told["result"], computed) for told, computed in calls if told["agency"] in agencies]
    photos = [
        (said(event.body, "observed")["result"], event.received_at, event.seq)
        for event in case.standing("photo_credential_compared")
    ]
    identified = identified_at(case)
    active = [check for check in checks if check["result"] == "match_active"]
    credentials = [check for check in active if check["kind"] in CREDENTIAL_KINDS]
    fresh_until = min((check["fresh_until"] for check in credentials), default="")
    conclusion = case.latest("concluded")
    return Facts(
        concluded=conclusion.body["outcome"] if conclusion else None,
        agency_denied=any(result == "denied" for result, _ in answers),
        photo_mismatch=any(result == "does_not_match" for result, _, _ in photos),
        registry_inactive=any(check["result"] == "match_inactive" for check in checks),
        person_confirmed=any(
            result == "person_confirmed" and computed["words_matched"] for result, computed in answers
        ),
        registry_active_credential=bool(credentials),
        photo_match_in_time=any(
            result == "matches" and received < fresh_until and seq > identified for result, received, seq in photos
        ),
        operation_confirmed=any(result == "operation_confirmed" for result, _ in answers),
        op_code_activated=any(check["kind"] == "op_code" and check["op_code_activated"] is True for check in active),
        registry_active=any(check["kind"] != "op_code" for check in active),
        registry_absent=bool(checks)
        and not case.names_other
        and all(check["result"] == "no_match" and check["coverage"] == "complete" for check in checks),
        declined=case.identification == "declined",
        interrupted=case.identification == "interrupted" or case.latest("interrupted") is not None,
        not_required=case.identification == "not_required",
    )


def identified_at(case: Case) -> int:
    """Return the ``seq`` of the event that gave the identifier as it stands: a photo before it bore another one."""
    given = [e.seq for e in case.standing("corrected") if "identifier" in said(e.body["facts"], "told_by_agent")]
    return max(given, default=0)


def opened(record: Record) -> Case:
    """Return the state after a ``submitted`` record; raise KeyError where it is not one."""
    computed, actor = record.facts["computed"], record.actor or {}
    return Case(
        id=str(record.subject).removeprefix("verification:"),
        incident=computed["incident"],
        opened_at=record.received_at,
        opened_by=record.relayed_by or actor["serial"],
        command=actor["command"],
        synthetic=any(check["synthetic"] for check in computed["checks"]),
        events=(CaseEvent(0, record.kind, record.received_at, _without_words(record.facts)),),
        outcome=str(record.outcome_after),
        explanation=computed["explanation"],
        next_steps=tuple(computed["next_steps"]),
    )


def followed(case: Case, record: Record) -> Case:
    """Return the state after one more record of the same verification."""
    content = record.facts
    words = (content["facts"] if record.kind == "corrected" else content).get("computed") or {}
    earlier = case.events
    if record.kind == "corrected":
        content = {**content, "facts": _without_words(content["facts"])}
        earlier = tuple(_corrected(before, content) for before in earlier)
    event = CaseEvent(record.seq or 0, record.kind, record.received_at, _without_words(content))
    case = replace(case, outcome=record.outcome_after or case.outcome, events=(*earlier, event))
    if "explanation" in words:
        case = replace(case, explanation=words["explanation"], next_steps=tuple(words["next_steps"]))
    match record.kind:
        case "released":
            return replace(case, released=content["outcome"])
        case "concluded":
            # A new conclusion has to be released anew.
            return replace(case, released=None)
        case "corrected" if any(e.kind == "released" and e.seq == content["corrects_seq"] for e in case.events):
            # What stood before a withdrawn release was not what the supervisor then saw: it is released anew.
            return replace(case, released=None)
        case "sealed" | "unsealed":
            return replace(case, sealed=record.kind == "sealed")
        case "hold_placed":
            return replace(case, holds=(*case.holds, content["reference"]))
        case "hold_lifted":
            return replace(case, holds=tuple(hold for hold in case.holds if hold != content["reference"]))
        case _:
            return case


def case_document(case: Case) -> dict[str, Any]:
    """Write a state as JSON-ready values."""
    # Not dataclasses.asdict: it copies every value of every body.
    return {**vars(case), "events": [vars(event) for event in case.events]}


def case_from_document(document: Mapping[str, Any]) -> Case:
    """Read what ``case_document`` wrote."""
    events = tuple(CaseEvent(**event) for event in document["events"])
    lists = {name: tuple(document.get(name, ())) for name in ("next_steps", "holds")}
    return Case(**{**document, **lists, "events": events})


def _corrected(event: CaseEvent, correction: Mapping[str, Any]) -> CaseEvent:
    if event.seq != correction["corrects_seq"]:
        return event
    facts = dict(correction["facts"])
    withdrawn = facts.pop("withdrawn", False)
    content = dict(event.body)
    # A corrected group stands at the top, before what was relayed.
    for source, group in _without_words(facts).items():
        content[source] = {**said(content, source), **group}
    return replace(event, body=content, withdrawn=event.withdrawn or withdrawn)


def _without_words(content: Mapping[str, Any]) -> dict[str, Any]:
    kept = dict(content)
    if kept.get("computed"):
        kept["computed"] = {name: fact for name, fact in kept["computed"].items() if name not in WORDS}
    return kept
