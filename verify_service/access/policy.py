"""Say which roles, with which scope, may call which operation; what is not named here is refused to everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.access.reach import (
    ACCESS_EVENT,
    AUDITOR,
    CHECKLIST,
    DISPATCHER,
    EXPUNGE_ORDER,
    INCIDENT,
    OFFICER,
    OP_CODE,
    OPERATOR,
    PARTNER,
    REGISTRY,
    ROLES,
    ROSTER_HOLD,
    SUPERVISOR,
    VERIFICATION,
)
from verify_service.errors import NotAllowed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verify_service.access.reach import Kind
    from verify_service.caller import Caller

__all__ = ["AUDITOR", "DISPATCHER", "OFFICER", "OPERATOR", "PARTNER", "ROLES", "SUPERVISOR"]

SUBMIT = "verify:submit"
READ = "case:read"
DECIDE = "case:decide"
AUDIT = "audit:read"
EXPORT = "evidence:export"
CHANGES = "partner:changes"
OPERATE = "registry:operate"
ACTIVATE = "op_code:activate"
SCOPES = (SUBMIT, READ, DECIDE, AUDIT, EXPORT, CHANGES, OPERATE, ACTIVATE)


@dataclass(frozen=True)
class Rule:
    """Who may call an operation: these roles, whose token also carries ``scope`` where one is named.

    ``of`` is the kind of object that it is about, which says how far each role reaches. What is out of a caller's reach
    does not exist for them. ``public`` operations ask for no token and are about nothing of anybody's.
    """

    roles: frozenset[str]
    scope: str | None = None
    of: Kind | None = None
    public: bool = False


def _only(*roles: str, scope: str | None = None, of: Kind) -> Rule:
    return Rule(frozenset(roles), scope, of)


def _submitters(of: Kind) -> Rule:
    return _only(OFFICER, DISPATCHER, scope=SUBMIT, of=of)


def _readers(of: Kind) -> Rule:
    return _only(OFFICER, DISPATCHER, SUPERVISOR, AUDITOR, scope=READ, of=of)


def _anybody(of: Kind) -> Rule:
    return _only(*ROLES, of=of)


PUBLIC = Rule(frozenset(), public=True)

RULES: Mapping[str, Rule] = {
    "submitVerification": _submitters(VERIFICATION),
    "listVerifications": _readers(VERIFICATION),
    "searchVerifications": _readers(VERIFICATION),
    "getVerification": _readers(VERIFICATION),
    "getVerificationRecord": _readers(VERIFICATION),
    "getVerificationReceipt": _readers(VERIFICATION),
    # The kind of the event decides the scope, since supervisors conclude.
    "addVerificationEvent": _only(OFFICER, DISPATCHER, SUPERVISOR, of=VERIFICATION),
    "issueCallbackWord": _only(DISPATCHER, scope=SUBMIT, of=VERIFICATION),
    "getIncident": _readers(INCIDENT),
    "getIncidentRecord": _readers(INCIDENT),
    "getIncidentReceipt": _readers(INCIDENT),
    "addIncidentEvent": _only(OFFICER, DISPATCHER, SUPERVISOR, scope=SUBMIT, of=INCIDENT),
    "orderExpunge": _only(SUPERVISOR, scope=DECIDE, of=EXPUNGE_ORDER),
    "getExpungeOrder": _only(SUPERVISOR, AUDITOR, scope=READ, of=EXPUNGE_ORDER),
    "approveExpungeOrder": _only(SUPERVISOR, scope=DECIDE, of=EXPUNGE_ORDER),
    "listHolds": _only(SUPERVISOR, AUDITOR, scope=READ, of=VERIFICATION),
    "exportEvidence": _only(SUPERVISOR, AUDITOR, scope=EXPORT, of=VERIFICATION),
    "listAccessEvents": _only(AUDITOR, scope=AUDIT, of=ACCESS_EVENT),
    "signOffAccessReview": _only(AUDITOR, scope=AUDIT, of=ACCESS_EVENT),
    "activateOpCode": _only(PARTNER, scope=ACTIVATE, of=OP_CODE),
    "reissueRequesterCode": _only(SUPERVISOR, scope=DECIDE, of=VERIFICATION),
    "listRosterHolds": _only(OPERATOR, scope=OPERATE, of=ROSTER_HOLD),
    "getRosterHold": _only(OPERATOR, scope=OPERATE, of=ROSTER_HOLD),
    "decideAboutRoster": _only(OPERATOR, scope=OPERATE, of=ROSTER_HOLD),
    "listAgencies": _anybody(REGISTRY),
    "getRegistry": _anybody(REGISTRY),
    "getChecklist": _anybody(CHECKLIST),
    "getLogCheckpoint": PUBLIC,
    "getPastLogCheckpoint": PUBLIC,
    "getLogTile": PUBLIC,
    "getRequesterPage": PUBLIC,
    "getRequesterStatement": PUBLIC,
    "getRequesterProof": PUBLIC,
    "getRequesterQr": PUBLIC,
    "getHealth": PUBLIC,
    "getReadiness": PUBLIC,
    "home": PUBLIC,
    "apiReference": PUBLIC,
    "apiDescription": PUBLIC,
}


def rule(operation: str) -> Rule:
    """Return the rule of an operation; raise LookupError where the table has none."""
    found = RULES.get(operation)
    if found is None:
        raise LookupError(f"{operation} has no rule: say who may call it in verify_service/access/policy.py.")
    return found


def check(operation: str, caller: Caller) -> None:
    """Raise NotAllowed unless the caller's role and scopes let them call the operation."""
    allowed = rule(operation)
    if allowed.public:
        return
    if caller.role not in allowed.roles:
        raise NotAllowed(f"This is for {either(allowed.roles)}; your token says {caller.role}.")
    if allowed.scope is not None and allowed.scope not in caller.scopes:
        raise NotAllowed(f"Your token lacks the scope {allowed.scope}: sign in again and ask for it.")


def either(roles: frozenset[str]) -> str:
    """Name roles in a sentence."""
    ordered = [role for role in ROLES if role in roles]
    return ordered[0] if len(ordered) == 1 else f"{', '.join(ordered[:-1])} or {ordered[-1]}"
