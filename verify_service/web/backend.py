"""Hold what a request reaches: the domain's objects, filled in once by the wiring."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import current_app

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import time
    from zoneinfo import ZoneInfo

    from verify_service.access.event import AccessEvents
    from verify_service.access.legal_holds import HeldCases
    from verify_service.access.reading import CaseReader, Reading
    from verify_service.access.refusals import Refusals
    from verify_service.access.requester_code import RequesterCodes
    from verify_service.access.roster_decision import DecisionRecord
    from verify_service.access.trail import Trail
    from verify_service.clock import Clock
    from verify_service.evidence.exporting import Exporting
    from verify_service.record_log.log import LogId
    from verify_service.record_log.logs import Logs
    from verify_service.record_log.public_log import PublicLog
    from verify_service.registry.hold import Holds
    from verify_service.registry.registry import Registry
    from verify_service.vault import Vault
    from verify_service.verification.desk import Desk
    from verify_service.verification.expunge import Expunging
    from verify_service.web.auth import Authenticator
    from verify_service.web.step_up import StepUp

EXTENSION = "verify_service"


@dataclass(frozen=True)
class Backend:
    """Everything that routes use.

    ``readiness`` names what must work before requests are let in; each check raises a ServiceError whose words say
    what does not. ``synthetic`` tells whether the registry is an invented one now, which every page then says.
    ``contact`` is whom the person who asked can call, empty where not known; ``public_url`` is the address at which
    clients reach the service, whatever proxy stands before it. ``step_up`` is the sign-in that grave acts ask for.
    """

    authenticator: Authenticator
    step_up: StepUp
    vault: Vault
    clock: Clock
    random_bytes: Callable[[int], bytes]
    readiness: Mapping[str, Callable[[], None]]
    synthetic: Callable[[], bool]
    zone: ZoneInfo
    publish_at: time
    contact: str
    public_url: str
    access_events: AccessEvents
    refusals: Refusals
    trail: Trail
    desk: Desk
    reading: Reading
    expunging: Expunging
    exporting: Exporting
    requester_codes: RequesterCodes
    held_cases: HeldCases
    holds: Holds
    decision_record: DecisionRecord
    case_reader: CaseReader
    registry: Registry
    logs: Logs
    public_logs: Mapping[LogId, PublicLog]


def current_backend() -> Backend:
    """Return the backend of the app that serves this request."""
    return cast("Backend", current_app.extensions[EXTENSION])
