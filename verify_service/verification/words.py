"""Say an outcome and what to do next in words that an officer reads at a glance."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from verify_service.clock import parse_rfc3339
from verify_service.verification.event import said

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from verify_service.verification.case import Case
    from verify_service.verification.outcome import Decision, Facts

# These outcomes must never be read as proof of an impostor (policy ground §5).
NOT_PROOF = frozenset({"contradicted", "not_listed", "declined", "inconclusive", "impersonation_suspected"})
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SHOWN_AGENCIES = 8


@dataclass(frozen=True)
class Words:
    """What the officer is shown: how the outcome was reached, and what to do next."""

    explanation: str
    next_steps: tuple[str, ...]


@cache
def texts(language: str = "en") -> Mapping[str, str]:
    """Read the sentences of a language."""
    content = files(__package__).joinpath("words", f"{language}.json").read_bytes()
    sentences: dict[str, str] = json.loads(content)
    return sentences


def explain(case: Case, facts: Facts, decision: Decision, computed: Decision, now: datetime, zone: ZoneInfo) -> Words:
    """Put a decision into words; ``computed`` is what the events give without a supervisor's conclusion."""
    text = texts()
    if facts.concluded is not None:
        names = decision.outcome, computed.outcome
        concluded, alone = (text[f"outcome_{name}"] for name in names)
        sentences = [text["concluded"].format(outcome=concluded, computed=alone)]
    else:
        sentences = _grounds(case, facts, decision, now, zone)
    if decision.outcome in NOT_PROOF:
        sentences.append(text["not_proof"])
    if decision.outcome == "verified":
        sentences.append(text["identity_only"])
    if case.synthetic:
        sentences.append(text["synthetic"])
    return Words(" ".join(sentences), tuple(_next_steps(case, facts, decision)))


def _grounds(case: Case, facts: Facts, decision: Decision, now: datetime, zone: ZoneInfo) -> list[str]:
    text, outcome = texts(), decision.outcome
    match outcome:
        case "verified":
            return [_of(text["verified"], _calling(case, "person_confirmed")), text["not_checked"]]
        case "contradicted":
            return _contradictions(case, facts, now, zone)
        case "credential_consistent":
            return [_listed(text["listed"], case, "match_active", now, zone), text["credential"], text["not_checked"]]
        case "agency_vouched" if facts.operation_confirmed:
            return [_of(text["operation"], _calling(case, "operation_confirmed")), text["not_checked"]]
        case "agency_vouched":
            return [_listed(text["op_code"], case, "match_active", now, zone), text["not_checked"]]
        case "identifier_listed":
            return [_listed(text["listed"], case, "match_active", now, zone), text["listed_only"], text["not_checked"]]
        case "not_listed":
            return [_listed(text["not_listed"], case, "no_match", now, zone)]
        case "declined" | "interrupted" | "not_required":
            return [text[outcome], *_last_call(case)]
        case _:
            return [*_open_reasons(case, now, zone), *_last_call(case)]


def _contradictions(case: Case, facts: Facts, now: datetime, zone: ZoneInfo) -> list[str]:
    text, sentences = texts(), []
    if facts.agency_denied:
        sentences.append(_of(text["denied"], _calling(case, "denied")))
    if facts.photo_mismatch:
        sentences.append(text["photo_mismatch"])
    if facts.registry_inactive:
        sentences.append(_listed(text["inactive"], case, "match_inactive", now, zone))
    return sentences


def _open_reasons(case: Case, now: datetime, zone: ZoneInfo) -> list[str]:
    """Say why nothing was concluded: the identification, then each roster asked."""
    text = texts()
    if case.identification in {"unreadable", "exemption_claimed"}:
        return [text[case.identification]]
    if case.identifier is None:
        return [text["not_submitted"]]
    if not case.agencies:
        return [_coincidence(case)]
    return [_why_open(check, now, zone) for check in case.own_checks]


def _why_open(check: Mapping[str, Any], now: datetime, zone: ZoneInfo) -> str:
    text, agency = texts(), check["agency"]
    match check["result"]:
        case "registry_stale" if check["edition"] is None:
            sentence = text["no_registry"]
        case "registry_stale":
            since = _day_and_time(parse_rfc3339(check["fresh_until"]), zone)
            words = text["stale" if check["roster_sha256"] else "stale_registry"]
            sentence = words.format(agency=agency, since=since)
        case "possible_match":
            sentence = text["possible_match"].format(agency=agency)
        case "no_match":
            words = text["absent" if check["coverage"] == "complete" else "partial"]
            sentence = _dated(words, check, now, zone)
        case "match_active":
            sentence = text["not_activated"].format(agency=agency)
        case _:
            sentence = text["no_roster"]
    return sentence


def _coincidence(case: Case) -> str:
    text = texts()
    listed = [check["agency"] for check in case.checks if check["result"] in {"match_active", "match_inactive"}]
    if not listed:
        return text["not_asked_of_agency"]
    shown = ", ".join(listed[:SHOWN_AGENCIES]) + (" …" if len(listed) > SHOWN_AGENCIES else "")
    return text["elsewhere"].format(count=len(listed), agencies=shown)


def _last_call(case: Case) -> list[str]:
    """Say what a callback came to where it decided nothing."""
    call = case.latest("agency_callback")
    if call is None:
        return []
    told = said(call.body, "told_by_agency")
    if told["result"] == "person_confirmed" and call.body["computed"]["words_matched"] is False:
        return [texts()["words_differ"]]
    if told["result"] in {"unreachable", "not_possible"}:
        return [_of(texts()[told["result"]], told["agency"])]
    return []


def _next_steps(case: Case, facts: Facts, decision: Decision) -> list[str]:
    text, outcome = texts(), decision.outcome
    if outcome == "interrupted":
        return [text["step_when_safe"], text["step_bwv"], text["step_checklist"]]
    if outcome == "not_required":
        return [text["step_checklist"]]
    steps = [*_telling(outcome), *_asking_again(case, outcome)]
    if not facts.person_confirmed:
        steps += _calling_steps(case)
    if not facts.photo_match_in_time and (not facts.person_confirmed or _without_roster(case)):
        steps.append(text["step_credential"])
    if outcome == "declined":
        steps.append(text["step_document_refusal"])
    if outcome not in {"verified", "credential_consistent"}:
        steps.append(text["step_lead"])
    return [*steps, text["step_bwv"], text["step_supervisor"], text["step_checklist"]]


def _telling(outcome: str) -> list[str]:
    if outcome in {"contradicted", "not_listed", "impersonation_suspected"}:
        return [texts()["step_supervisor_tells"]]
    return [texts()["step_tell"]] if outcome == "verified" else []


def _asking_again(case: Case, outcome: str) -> list[str]:
    text, steps = texts(), []
    if case.identifier is not None and not case.agencies:
        steps.append(text["step_which_agency"])
    if outcome == "not_listed" or any(check["result"] == "possible_match" for check in case.own_checks):
        steps.append(text["step_read_again"])
    if case.latest("agency_callback") is not None and text["words_differ"] in _last_call(case):
        steps.append(text["step_new_words"])
    return steps


def _calling_steps(case: Case) -> list[str]:
    text = texts()
    numbers = case.submitted["computed"]["held_numbers"]
    return [_of(text["step_callback" if agency in numbers else "step_no_number"], agency) for agency in case.agencies]


def _without_roster(case: Case) -> bool:
    return any(check["result"] == "agency_not_enrolled" for check in case.own_checks)


def _calling(case: Case, result: str) -> str:
    calls = [said(event.body, "told_by_agency") for event in case.standing("agency_callback")]
    agency: str = next(call["agency"] for call in reversed(calls) if call["result"] == result)
    return agency


def _listed(sentence: str, case: Case, result: str, now: datetime, zone: ZoneInfo) -> str:
    check = next(check for check in case.own_checks if check["result"] == result)
    return _dated(sentence, check, now, zone)


def _dated(sentence: str, check: Mapping[str, Any], now: datetime, zone: ZoneInfo) -> str:
    return sentence.format(
        agency=check["agency"],
        as_of=_day_and_time(parse_rfc3339(check["roster_issued_at"]), zone),
        age=_age(parse_rfc3339(check["refreshed_at"]), now),
    )


def _of(sentence: str, agency: str) -> str:
    return sentence.format(agency=agency)


def _day_and_time(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local.day} {MONTHS[local.month - 1]} {local:%H:%M}"


def _age(since: datetime, now: datetime) -> str:
    minutes = max(0, int((now - since).total_seconds()) // 60)
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if count := minutes // size:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "less than a minute ago"
