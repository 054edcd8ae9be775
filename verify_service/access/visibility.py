"""Say which verifications and incidents a caller may see; everything else does not exist for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.access.reach import VERIFICATION, Reach
from verify_service.errors import NotAllowed

if TYPE_CHECKING:
    from verify_service.caller import Caller


@dataclass(frozen=True)
class Visibility:
    """A department's verifications and incidents; None narrows nothing.

    ``officer`` narrows them to the incidents that this officer is assigned to and the verifications that they opened,
    ``command`` to those of one command, and without ``sealed`` no sealed verification is among them.
    """

    department: str
    officer: str | None = None
    command: str | None = None
    sealed: bool = True


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
