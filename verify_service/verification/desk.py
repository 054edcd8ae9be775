"""Take a claim or an event to the registry and the log, and return the answer once it is durable."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from verify_service.clock import rfc3339, uuid7
from verify_service.errors import InvalidRequest, NotAllowed
from verify_service.record_log.append import Append
from verify_service.registry.check import MATCH_ACTIVE
from verify_service.registry.identifier import parse_identifier
from verify_service.verification.activation import OP_CODE, Activating, code_index
from verify_service.verification.callback import AgencyCallback, WordIssued, mint_phrase
from verify_service.verification.claim import GivenIdentifier
from verify_service.verification.correction import FACTS, Corrected, claim_of
from verify_service.verification.follow_up import FollowUp, SceneFollowUp
from verify_service.verification.submission import Checked, Submission

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from verify_service.clock import Clock
    from verify_service.record_log.append import Appended, Placed, RetryKey
    from verify_service.record_log.logs import Logs
    from verify_service.registry.check import RegistryCheck
    from verify_service.registry.identifier import Identifier
    from verify_service.registry.profile import Callback
    from verify_service.registry.registry import Registry
    from verify_service.vault import Vault
    from verify_service.verification.activation import Activations
    from verify_service.verification.answer import Answer, Render
    from verify_service.verification.case import Case
    from verify_service.verification.claim import Agent, Claim
    from verify_service.verification.event import Reporter
    from verify_service.verification.fact import Fact
    from verify_service.verification.incident import Incident
    from verify_service.verification.scene import SceneEvent

IDENTIFIER_INDEX = "identifier"
HOME_AGENCY = "/agent/home_agency"


@dataclass(frozen=True)
class IssuedWords:
    """A phrase for one call: what the dispatcher reads to the agency, and on which held number.

    ``outdated_since`` is when the registry that holds the number went out of date, None where it is fresh.
    """

    word_id: str
    phrase: str
    agency: str
    callback: Callback
    outdated_since: datetime | None


class Desk:
    """Where claims are checked and recorded; it keeps nothing itself."""

    def __init__(
        self,
        registry: Registry,
        logs: Logs,
        vault: Vault,
        activations: Activations,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
        zone: ZoneInfo,
    ) -> None:
        self._registry = registry
        self._logs = logs
        self._vault = vault
        self._activations = activations
        self._clock = clock
        self._random_bytes = random_bytes
        self._zone = zone

    def verify(self, claim: Claim, by: Reporter, key: RetryKey, render: Render) -> Appended:
        """Check a claim against the registry and record it.

        Raises InvalidRequest for an agency or identifier that cannot be meant, and what ``RecordLog.append`` raises.
        """
        checked = self._check(by.caller.department, claim.agent, claim.identifier)
        received_at = by.moments.received_at
        if claim.incident_number is not None:
            incident = f"incident-number:{claim.incident_number}"
        else:
            incident = f"incident:{claim.incident_id or uuid7(received_at, self._random_bytes)}"
        submission = Submission(
            claim=claim,
            by=by,
            checked=checked,
            zone=self._zone,
            random_bytes=self._random_bytes,
            render=render,
            id=uuid7(received_at, self._random_bytes),
            incident_name=incident,
        )
        append = Append(frozenset({incident}), submission.compose, key)
        return self._logs.records(by.caller.department).append(append)

    def follow_up(self, case: Case, fact: Fact, by: Reporter, key: RetryKey, render: Render) -> Appended:
        """Record one more event on a verification; raise InvalidRequest where it cannot stand."""
        if isinstance(fact, Corrected) and fact.asks_registry:
            agent, identifier = fact.claim_after(case, self._standing_identifier(by.caller.department, case))
            try:
                checked = self._check(by.caller.department, agent, identifier)
            except InvalidRequest as fault:
                raise fault.under(FACTS) from None
            fact = replace(fact, checked=checked, made_on=claim_of(case))
        if isinstance(fact, AgencyCallback) and fact.word_id is not None:
            fact = replace(fact, phrase=self._phrase(by.caller.department, case, fact.word_id))
        composer = FollowUp(
            verification=case.id,
            incident=case.incident,
            fact=fact,
            by=by,
            zone=self._zone,
            random_bytes=self._random_bytes,
            render=render,
        )
        return self._logs.records(by.caller.department).append(Append(composer.needs, composer.compose, key))

    def issue_words(
        self,
        case: Case,
        agency: str | None,
        by: Reporter,
        key: RetryKey,
        render: Callable[[Answer, IssuedWords], bytes],
    ) -> Appended:
        """Mint a phrase for calling an agency on its held number and record that it was issued."""
        agency = agency or next(iter(case.agencies), "")
        edition = self._registry.edition(by.caller.department)
        state = edition.agencies.get(agency) if edition is not None else None
        if edition is None or state is None or state.profile.callback is None:
            raise InvalidRequest.at(
                "/agency",
                "There is no held number to call: record `not_possible`, and never call a number that an agent offers.",
            )
        word_id = uuid7(by.moments.received_at, self._random_bytes)
        end = edition.profiles_fresh_until
        issued = IssuedWords(
            word_id,
            mint_phrase(self._random_bytes),
            agency,
            state.profile.callback,
            end if end <= by.moments.received_at else None,
        )
        words = WordIssued(agency, issued.word_id, issued.phrase)
        return self.follow_up(case, words, by, key, lambda answer: render(answer, issued))

    def activate(
        self, given: GivenIdentifier, by: Reporter, key: RetryKey, render: Callable[[str, str, str], bytes]
    ) -> Appended:
        """Record that the calling partner's agency activated an operation code of its own.

        Raises NotAllowed where the caller is no agency of the registry, InvalidRequest unless its fresh roster lists
        the code as active.
        """
        caller, now = by.caller, self._clock.now()
        identifier = parse_identifier(given.kind, given.value)
        if caller.serial not in self._registry.agencies(caller.department):
            raise NotAllowed("Your token's serial is no agency's code in the registry here: ask the trust authority.")
        result = self._registry.check(caller.department, identifier, [caller.serial], now)
        (check,) = result.checks
        if check.result != MATCH_ACTIVE:
            raise InvalidRequest.at(
                "/identifier/value",
                "Your roster here, as far as it is fresh, does not list this code as active: publish one that does.",
            )
        activating = Activating(
            check=check,
            result=result,
            given=given,
            canonical=identifier.value,
            code=self._code(caller.department, check.agency, identifier),
            by=by,
            random_bytes=self._random_bytes,
            render=render,
        )
        return self._logs.records(caller.department).append(Append(frozenset(), activating.compose, key))

    def note_scene(
        self,
        incident: Incident,
        scene_event: SceneEvent,
        by: Reporter,
        key: RetryKey,
        render: Callable[[Incident, Sequence[Placed]], bytes],
    ) -> Appended:
        """Record one more event on an incident; raise InvalidRequest where it cannot stand."""
        composer = SceneFollowUp(
            incident=incident.id,
            scene_event=scene_event,
            by=by,
            random_bytes=self._random_bytes,
            render=render,
        )
        return self._logs.records(by.caller.department).append(Append(composer.needs, composer.compose, key))

    def given_identifier(self, department: str, case: Case) -> GivenIdentifier | None:
        """Return the identifier as it was last typed for a verification, opened from the vault."""
        return self._standing_identifier(department, case)

    def _check(self, department: str, agent: Agent, given: GivenIdentifier | None) -> Checked:
        now = self._clock.now()
        identifier = None if given is None else parse_identifier(given.kind, given.value)
        # Without an agency every roster is asked, and a match concludes nothing.
        agencies = agent.agencies or (None if identifier is not None else ())
        pointers = {code: HOME_AGENCY for code in agent.agencies if code != agent.claimed_agency}
        result = self._registry.check(department, identifier, agencies, now, pointers)
        known = {} if result.edition is None else result.edition.agencies
        checks = [self._activated(department, identifier, check) for check in result.checks]
        return Checked(
            given=given,
            checks=tuple(check.document() for check in checks),
            tags=result.tags,
            canonical=None if identifier is None else identifier.value,
            search_key=None
            if identifier is None
            else self._vault.index(department, IDENTIFIER_INDEX, identifier.value),
            held_numbers=tuple(code for code in agent.agencies if code in known and known[code].profile.callback),
            checked_at=rfc3339(now),
        )

    def _activated(self, department: str, identifier: Identifier | None, check: RegistryCheck) -> RegistryCheck:
        """Say whether an operation code was activated; it is asked for whether it is listed or not."""
        if identifier is None or identifier.kind != OP_CODE:
            return check
        until = self._activations.active_until(department, self._code(department, check.agency, identifier))
        active = until is not None and check.checked_at < until
        return replace(check, op_code_activated=active) if check.op_code_activated is not None else check

    def _code(self, department: str, agency: str, identifier: Identifier) -> bytes:
        return code_index(self._vault, department, agency, identifier.value)

    def _standing_identifier(self, department: str, case: Case) -> GivenIdentifier | None:
        if case.identifier is None:
            return None
        typed = self._opened(department, case, case.identifier["typed"], ("submitted", "corrected"))
        return None if typed is None else GivenIdentifier(case.identifier["kind"], str(typed))

    def _phrase(self, department: str, case: Case, word_id: str) -> str | None:
        for event in case.standing("callback_word_issued"):
            if event.body["computed"]["word_id"] == word_id:
                words = self._opened(department, case, event.body["computed"]["words"], (event.kind,))
                return None if words is None else str(words)
        return None

    def _opened(self, department: str, case: Case, digest: str, kinds: Sequence[str]) -> object:
        """Open a sealed value of a verification by its digest; None where it was destroyed."""
        for event in reversed(case.events):
            if event.kind in kinds:
                log, index = self._logs.locate(department, f"verification:{case.id}", event.seq)
                field = log.record(index)[1].get(digest)
                if field is not None:
                    return field.value
        return None
