"""Say which verifications and incidents a caller may see; everything else does not exist for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.access.reach import VERIFICATION, Reach
from verify_service.errors import NotAllowed

if TYPE_CHECKING:
    from verify_service.caller import Caller
    from verify_service.verification.case import Case
    from verify_service.verification.incident import Incident


@dataclass(frozen=True)
class Visibility:
    """A department's verifications, narrowed to one officer's incidents or one command; None narrows nothing."""

    department: str
    officer: str | None = None
    command: str | None = None
    sealed: bool = True

    def shows(self, case: Case, assigned: tuple[str, ...]) -> bool:
        """Tell whether a verification, on an incident that ``assigned`` work, is within it."""
        if case.sealed and not self.sealed:
            return False
        if self.officer is not None:
            return self.officer == case.opened_by or self.officer in assigned
        return self.command is None or self.command == case.command

    def shows_incident(self, incident: Incident) -> bool:
        """Tell whether an incident is within it."""
        if self.officer is not None:
            return self.officer in incident.assigned
        return self.command is None or self.command == incident.command


def visibility(caller: Caller) -> Visibility:
    """Return what a caller's role lets them see; raise NotAllowed for a role that reads no cases."""
    match VERIFICATION.reach.get(caller.role):
        case Reach.ASSIGNED:
            return Visibility(caller.department, officer=caller.serial, sealed=False)
        case Reach.COMMAND if caller.command is None:
            raise NotAllowed("Your token names no command, so it is not known what you supervise.")
        case Reach.COMMAND:
            return Visibility(caller.department, command=caller.command)
        case Reach.DEPARTMENT:
            return Visibility(caller.department)
        case _:
            raise NotAllowed("Your role reads no verifications.")
