"""Do what `verify-service` is asked about evidence, and say it: as a document and in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify_service.access.event import AccessEvents
from verify_service.caller import Caller
from verify_service.evidence.case_export import Sources, export_case
from verify_service.log_keeping import random_bytes
from verify_service.record_log.record import SealedField
from verify_service.registry_commands import Report

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from verify_service.wiring import Service

SALT_BYTES = 32
OPERATION = "exportEvidence"


def export(
    service: Service, department: str, verification: str, form: str, path: Path, *, by: str, reason: str
) -> Report:
    """Export a verification in one form; who made it and why is on record before the file is there."""
    service.check_schema()
    sources = Sources(
        service.logs, service.case_reader, service.registry_store, service.policy(), service.settings.timezone
    )
    sealed = SealedField(reason, random_bytes(SALT_BYTES))
    caller = Caller.at_command_line(department, "command-line", by)
    events = AccessEvents(service.logs, service.vault, service.clock)
    events.exported(caller, OPERATION, f"verification:{verification}", form, sealed, None)
    manifest = export_case(sources, department, verification, form, path, service.clock.now())
    said = [
        f"Wrote {path} with {len(manifest['files'])} files, readable by its owner alone.",
        "Its README.md says how to check it, and what it proves and does not. That it was made is on record.",
    ]
    return Report(manifest, said)


def retention(service: Service, department: str, years: int, approvers: Sequence[str], *, carry_out: bool) -> Report:
    """Say what is past its time, and destroy it where that is asked."""
    service.check_schema()
    job = service.retention(department, years)
    due = job.due()
    if carry_out:
        job.carry_out(due, approvers)
    did = "were destroyed" if carry_out else "would be destroyed; nothing was, without --carry-out"
    count = f"{len(due.verifications)} verifications and {len(due.incidents)} incidents"
    said = [
        f"{count} of {department} from before {due.before[:10]} {did}.",
        *(f"{name} is held: {', '.join(reasons)}." for name, reasons in due.held.items()),
    ]
    return Report(due.document() | {"carried_out": carry_out}, said)
