"""Say which roles, with which scope, may call which operation; what is not named here is refused to everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.errors import NotAllowed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verify_service.caller import Caller

OFFICER = "officer"
DISPATCHER = "dispatcher"
SUPERVISOR = "supervisor"
AUDITOR = "auditor"
PARTNER = "partner"
OPERATOR = "operator"
ROLES = (OFFICER, DISPATCHER, SUPERVISOR, AUDITOR, PARTNER, OPERATOR)

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

    ``public`` operations ask for no token. Which cases a caller may see is decided further in.
    """

    roles: frozenset[str]
    scope: str | None = None
    public: bool = False


def _only(*roles: str, scope: str | None = None) -> Rule:
    return Rule(frozenset(roles), scope)


PUBLIC = Rule(frozenset(), public=True)
ANY_CALLER = _only(*ROLES)
SUBMITTERS = _only(OFFICER, DISPATCHER, scope=SUBMIT)
READERS = _only(OFFICER, DISPATCHER, SUPERVISOR, AUDITOR, scope=READ)

RULES: Mapping[str, Rule] = {
    "submitVerification": SUBMITTERS,
    "listVerifications": READERS,
    "searchVerifications": READERS,
    "getVerification": READERS,
    "getVerificationRecord": READERS,
    "getVerificationReceipt": READERS,
    # The kind of the event decides the scope, since partners dispute and supervisors conclude.
    "addVerificationEvent": _only(OFFICER, DISPATCHER, SUPERVISOR, PARTNER),
    "issueCallbackWord": _only(DISPATCHER, scope=SUBMIT),
    "getIncident": READERS,
    "getIncidentRecord": READERS,
    "getIncidentReceipt": READERS,
    "addIncidentEvent": _only(OFFICER, DISPATCHER, SUPERVISOR, scope=SUBMIT),
    "orderExpunge": _only(SUPERVISOR, scope=DECIDE),
    "getExpungeOrder": _only(SUPERVISOR, AUDITOR, scope=READ),
    "approveExpungeOrder": _only(SUPERVISOR, scope=DECIDE),
    "listHolds": _only(SUPERVISOR, AUDITOR, scope=READ),
    "exportEvidence": _only(SUPERVISOR, AUDITOR, scope=EXPORT),
    "activateOpCode": _only(PARTNER, scope=ACTIVATE),
    "reissueRequesterCode": _only(SUPERVISOR, scope=DECIDE),
    "listRosterHolds": _only(OPERATOR, scope=OPERATE),
    "getRosterHold": _only(OPERATOR, scope=OPERATE),
    "decideAboutRoster": _only(OPERATOR, scope=OPERATE),
    "listAgencies": ANY_CALLER,
    "getRegistry": ANY_CALLER,
    "getChecklist": ANY_CALLER,
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
