"""Say how far each role reaches into each kind of object; what is not named here is out of reach for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

OFFICER = "officer"
DISPATCHER = "dispatcher"
SUPERVISOR = "supervisor"
AUDITOR = "auditor"
PARTNER = "partner"
OPERATOR = "operator"
ROLES = (OFFICER, DISPATCHER, SUPERVISOR, AUDITOR, PARTNER, OPERATOR)


class Reach(Enum):
    """How much of a kind of object a role reaches, always within its own department."""

    ASSIGNED = "own, and of incidents assigned to"
    COMMAND = "their command's"
    DEPARTMENT = "the department's"
    AGENCY = "their agency's"


@dataclass(frozen=True)
class Kind:
    """A kind of object that operations are about; a role that ``reach`` does not name reaches none of it."""

    name: str
    reach: Mapping[str, Reach]


_CASES = {
    OFFICER: Reach.ASSIGNED,
    DISPATCHER: Reach.ASSIGNED,
    SUPERVISOR: Reach.COMMAND,
    AUDITOR: Reach.DEPARTMENT,
}
VERIFICATION = Kind("verification", _CASES)
INCIDENT = Kind("incident", _CASES)
# An order is the department's, and is known by its id alone; what it may name is what its supervisor reaches.
EXPUNGE_ORDER = Kind("expunge-order", {SUPERVISOR: Reach.DEPARTMENT, AUDITOR: Reach.DEPARTMENT})
ACCESS_EVENT = Kind("access-event", {AUDITOR: Reach.DEPARTMENT})
OP_CODE = Kind("op-code", {PARTNER: Reach.AGENCY})
# Which rosters the department takes is its operator's to decide.
ROSTER_HOLD = Kind("roster-hold", {OPERATOR: Reach.DEPARTMENT})
REGISTRY = Kind("registry", dict.fromkeys(ROLES, Reach.DEPARTMENT))
CHECKLIST = Kind("checklist", dict.fromkeys(ROLES, Reach.DEPARTMENT))
