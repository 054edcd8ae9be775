"""Name every kind of event and write its record: the envelope from caller and times, the body by source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verify_service.clock import milliseconds_between, rfc3339
from verify_service.record_log.record import Record
from verify_service.verification.checklist import checklist
from verify_service.verification.outcome import outcome_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from verify_service.caller import Caller

SOURCES = ("observed", "told_by_agent", "told_by_agency", "relayed", "computed")
# What a dispatcher enters from the radio stands under `relayed`, each part with its own source.
RELAYABLE = ("observed", "told_by_agent", "told_by_agency")


@dataclass(frozen=True, kw_only=True)
class Moments:
    """When something was said to happen, by whose clock, and when it reached the service.

    ``occurred_at`` and ``device_at`` are claims; ``received_at`` is the service's own time; ``offline`` says that
    it waited on the device.
    """

    received_at: datetime
    occurred_at: datetime | None = None
    device_at: datetime | None = None
    offline: bool = False


@dataclass(frozen=True)
class Reporter:
    """Who reports an event, and when; ``relayed_by`` is the officer whose radio message a dispatcher enters."""

    caller: Caller
    moments: Moments
    relayed_by: str | None = None

    @property
    def relayed(self) -> bool:
        """Whether it came over the radio."""
        return self.relayed_by is not None


def body(relayed: bool = False, **groups: Mapping[str, Any] | None) -> dict[str, Any]:
    """Write a body of facts grouped by source, absent groups null."""
    whole: dict[str, Any] = dict.fromkeys(SOURCES) | groups
    if relayed:
        whole["relayed"] = {source: whole[source] for source in RELAYABLE}
        whole |= dict.fromkeys(RELAYABLE)
    return whole


def said(content: Mapping[str, Any], source: str) -> Mapping[str, Any]:
    """Return a group of facts wherever it came from, itself or relayed; empty where there is none."""
    group: Mapping[str, Any] | None = content.get(source) or (content.get("relayed") or {}).get(source)
    return group or {}


def rules() -> dict[str, Any]:
    """Return the names and digests of the table and checklist in force, which every event's record quotes."""
    return {"outcome_table": outcome_table().rule, "checklist": checklist().rule}


def event(
    kind: str,
    subject: str | None,
    content: Mapping[str, Any] | None,
    *,
    by: Reporter,
    checked_at: str | None = None,
    outcome_after: str | None = None,
) -> Record:
    """Write one event's record, complete but for its place among the subject's events."""
    caller, moments = by.caller, by.moments
    device_at = moments.device_at
    return Record(
        kind=kind,
        department=caller.department,
        subject=subject,
        actor={
            "issuer": caller.issuer,
            "serial": caller.serial,
            "command": caller.command,
            "role": caller.role,
        },
        client={"id": caller.client_id, "jkt": caller.jkt},
        relayed_by=by.relayed_by,
        occurred_at=rfc3339(moments.occurred_at) if moments.occurred_at else None,
        device_at=rfc3339(device_at) if device_at else None,
        device_offset_ms=milliseconds_between(device_at, moments.received_at) if device_at else None,
        received_at=rfc3339(moments.received_at),
        checked_at=checked_at,
        offline=moments.offline,
        rules=rules(),
        outcome_after=outcome_after,
        body=content,
    )
