"""Make the requester's statement: what the person who asked may hold and check, and how it is found."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from verify_service.clock import parse_rfc3339, rfc3339
from verify_service.record_log.append import Draft
from verify_service.record_log.record import Statement
from verify_service.verification.outcome import TOLD_BY_SUPERVISOR

if TYPE_CHECKING:
    from collections.abc import Callable

    from verify_service.verification.case import Case

CODE_BYTES = 16
NUMBER_BYTES = 10


@dataclass(frozen=True)
class StatementLink:
    """How a verification and its statements belong together: primary data, in the database alone.

    The code that opens the page is kept only as its SHA-256. ``pending`` says that a supervisor has to tell the
    present outcome first.
    """

    verification: str
    receipt_number: str
    code_sha256: str
    pending: bool

    @property
    def ref(self) -> str:
        """The statement subject's name."""
        return f"statement:{self.receipt_number}"

    @property
    def alias(self) -> str:
        """The name by which it is found from its verification."""
        return by_verification(self.verification)


@dataclass(frozen=True)
class FurtherCode:
    """One more code for a verification's statement; with ``ends_earlier`` the only one from then on."""

    verification: str
    code_sha256: str
    ends_earlier: bool
    ref: None = None
    alias: None = None


def by_verification(verification: str) -> str:
    """Name a verification's statement subject where its receipt number is not known."""
    return f"statement-of:{verification}"


def new_link(verification: str, random_bytes: Callable[[int], bytes]) -> tuple[StatementLink, str]:
    """Return a fresh link and the 128-bit code that opens the requester's page."""
    code = new_code(random_bytes)
    number = base64.b32encode(random_bytes(NUMBER_BYTES)).decode().lower()
    return StatementLink(verification, number, code_sha256(code), pending=False), code


def new_code(random_bytes: Callable[[int], bytes]) -> str:
    """Return a fresh 128-bit code."""
    return base64.b32encode(random_bytes(CODE_BYTES)).decode().rstrip("=").lower()


def code_sha256(code: str) -> str:
    """Return what is kept of a code; at 128 random bits nobody finds the code from it."""
    return hashlib.sha256(code.encode()).hexdigest()


def waits(case: Case) -> bool:
    """Tell whether a supervisor has to release the outcome first."""
    return case.outcome in TOLD_BY_SUPERVISOR and case.released != case.outcome


def stated(
    case: Case, link: StatementLink, department: str, received_at: str
) -> tuple[StatementLink, tuple[Draft, ...]]:
    """Return the link and the statement, if any, that follow from a change of outcome.

    An outcome that a supervisor has to tell waits for their release; until then the page says so.
    """
    if waits(case):
        return replace(link, pending=True), ()
    minute = rfc3339(parse_rfc3339(received_at).replace(second=0, microsecond=0))
    statement = Statement(
        department=department, agency=case.agency, outcome=case.outcome, time=minute, receipt_number=link.receipt_number
    )
    return replace(link, pending=False), (Draft(statement),)
