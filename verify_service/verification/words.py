"""Say an outcome and what to do next in words that an officer reads at a glance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verify_service.clock import parse_rfc3339
from verify_service.verification.event import said
from verify_service.verification.steps import UNANSWERED, compared, last_call, next_steps, words_differed, words_used_up
from verify_service.verification.texts import of, texts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from verify_service.verification.case import Case
    from verify_service.verification.outcome import Decision, Facts

# These outcomes must never be read as proof of an impostor (policy ground §5).
NOT_PROOF = frozenset({"contradicted", "not_listed", "declined", "inconclusive", "impersonation_suspected"})
# What a matching photo is no part of, and so has to be said beside.
WITHOUT_PHOTO = frozenset(
    {"contradicted", "agency_vouched", "identifier_listed", "not_listed", "declined", "inconclusive"}
)
TIED_OTHERWISE = frozenset({"verified", "credential_consistent", "agency_vouched", "identifier_listed"})
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SHOWN_AGENCIES = 8


@dataclass(frozen=True)
class Words:
    """What the officer is shown: how the outcome was reached, and what to do next."""

    explanation: str
    next_steps: tuple[str, ...]


def explain(case: Case, facts: Facts, decision: Decision, computed: Decision, now: datetime, zone: ZoneInfo) -> Words:
    """Put a decision into words; ``computed`` is what the events give without a supervisor's conclusion."""
    text = texts()
    if facts.concluded is not None:
        names = decision.outcome, computed.outcome
        concluded, alone = (text[f"outcome_{name}"] for name in names)
        sentences = [text["concluded"].format(outcome=concluded, computed=alone)]
    else:
        sentences = [*_grounds(case, facts, decision, now, zone), *_beside(case, facts, decision.outcome, now, zone)]
    if decision.outcome in NOT_PROOF:
        sentences.append(text["not_proof"])
    if decision.outcome == "verified":
        sentences.append(text["identity_only"])
    if case.synthetic:
        sentences.append(text["synthetic"])
    return Words(" ".join(sentences), next_steps(case, facts, decision.outcome))


def _grounds(case: Case, facts: Facts, decision: Decision, now: datetime, zone: ZoneInfo) -> list[str]:
    text, outcome = texts(), decision.outcome
    match outcome:
        case "verified":
            return [of(text["verified"], _calling(case, "person_confirmed")), text["not_checked"]]
        case "contradicted":
            return _contradictions(case, facts, now, zone)
        case "credential_consistent":
            return [_listed("listed", case, "match_active", now, zone), text["credential"], text["not_checked"]]
        case "agency_vouched" if facts.operation_confirmed:
            return [of(text["operation"], _calling(case, "operation_confirmed")), text["not_checked"]]
        case "agency_vouched":
            return [_listed("op_code", case, "match_active", now, zone), text["not_checked"]]
        case "identifier_listed":
            return [_listed("listed", case, "match_active", now, zone), text["listed_only"], text["not_checked"]]
        case "not_listed":
            return [_listed("not_listed", case, "no_match", now, zone)]
        case "declined" | "interrupted" | "not_required":
            return [text[outcome]]
        case _:
            return _open_reasons(case, now, zone)


def _contradictions(case: Case, facts: Facts, now: datetime, zone: ZoneInfo) -> list[str]:
    text, sentences = texts(), []
    if facts.agency_denied:
        sentences.append(of(text["denied"], _calling(case, "denied")))
    if facts.photo_mismatch:
        sentences.append(text["photo_mismatch"])
    if facts.registry_inactive:
        sentences.append(_listed("inactive", case, "match_inactive", now, zone))
    if facts.registry_active:
        sentences.append(_listed("listed", case, "match_active", now, zone))
    if facts.person_confirmed:
        sentences.append(of(text["yet_confirmed"], _calling(case, "person_confirmed")))
    return sentences


def _beside(case: Case, facts: Facts, outcome: str, now: datetime, zone: ZoneInfo) -> list[str]:
    """Say what did not give the outcome and still has to be known beside it."""
    text, sentences = texts(), []
    if outcome in TIED_OTHERWISE:
        # The number given may be another's, or the person another agency's than was claimed.
        sentences += [_why_open(check, now, zone) for check in case.own_checks if check["result"] == "no_match"]
    if compared(case) and outcome in WITHOUT_PHOTO and not facts.photo_mismatch:
        sentences.append(text["photo_alone"])
    if words_used_up(case):
        return [*sentences, text["words_used_up"]]
    return sentences + _last_call(case)


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
    """Say what the last call to the claimed agency came to where it decided nothing."""
    call = last_call(case)
    if call is None:
        return []
    if words_differed(call):
        return [texts()["words_differ"]]
    told = said(call.body, "told_by_agency")
    if told["result"] not in UNANSWERED:
        return []
    held = told["agency"] in case.submitted["computed"]["held_numbers"]
    return [
        of(
            texts()["call_not_possible" if held and told["result"] == "not_possible" else told["result"]],
            told["agency"],
        )
    ]


def _calling(case: Case, result: str) -> str:
    calls = [said(event.body, "told_by_agency") for event in case.standing("agency_callback")]
    agency: str = next(call["agency"] for call in reversed(calls) if call["result"] == result)
    return agency


def _listed(words: str, case: Case, result: str, now: datetime, zone: ZoneInfo) -> str:
    text, check = texts(), next(check for check in case.own_checks if check["result"] == result)
    # Where coverage is partial, a newer roster may be known and not taken, so nothing is said of there being none.
    sentence = text[words] if check["coverage"] == "complete" else text.get(f"{words}_partial", text[words])
    return _dated(sentence, check, now, zone)


def _dated(sentence: str, check: Mapping[str, Any], now: datetime, zone: ZoneInfo) -> str:
    return sentence.format(
        agency=check["agency"],
        as_of=_day_and_time(parse_rfc3339(check["roster_issued_at"]), zone),
        age=_age(parse_rfc3339(check["refreshed_at"]), now),
    )


def _day_and_time(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local.day} {MONTHS[local.month - 1]} {local:%H:%M}"


def _age(since: datetime, now: datetime) -> str:
    minutes = max(0, int((now - since).total_seconds()) // 60)
    for size, unit in ((1440, "day"), (60, "hour"), (1, "minute")):
        if count := minutes // size:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "now"
