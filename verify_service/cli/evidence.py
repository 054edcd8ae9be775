"""The commands about evidence: `audit`, `retention`, the exports, and the public log."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from verify_service.caller import Caller
from verify_service.cli.command import name_asker, of_department, service_with
from verify_service.cli.telling import CHECK_FAILED, Report, counting, quiet, report, say
from verify_service.errors import ConfigurationError
from verify_service.evidence.audit import audit
from verify_service.evidence.case_export import DISCOVERY, EVIDENCE, PUBLIC_RECORDS
from verify_service.evidence.export_log import export_log
from verify_service.evidence.exporting import Asked
from verify_service.evidence.retention import YEARS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from verify_service.cli.command import Add
    from verify_service.wiring import Service

OWNER_ONLY = 0o600
EXPORTS = (
    ("evidence-export", EVIDENCE, "export a verification for a court, with all that proves it"),
    ("discovery-export", DISCOVERY, "export it for discovery, with an index for counsel to mark"),
    ("public-records-export", PUBLIC_RECORDS, "export it for the public, what could expose a person withheld"),
)


def export(
    service: Service, department: str, verification: str, form: str, path: Path, *, by: str, reason: str
) -> Report:
    """Export a verification in one form; who made it and why is on record before the file is there."""
    service.check_schema()
    if path.exists():
        raise ConfigurationError(f"{path} is there already: name a file that is not.")
    asked = Asked(Caller.at_command_line(department, "command-line", by), reason)
    (made,) = service.exporting().export(asked, [verification], form)
    half = path.with_name(f"{path.name}.part")
    half.touch(mode=OWNER_ONLY)
    half.write_bytes(made.content)
    half.replace(path)
    said = [
        f"Wrote {path} with {len(made.manifest['files'])} files, readable by its owner alone.",
        "Its README.md says how to check it, and what it proves and does not. That it was made is on record.",
    ]
    return Report(made.manifest, said)


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


def _audit(given: argparse.Namespace) -> int:
    service = service_with("VERIFY_DEPARTMENTS", "VERIFY_LOG_HOST")
    service.check_schema()
    found = audit(service.audit_source(), service.vault, service.marks(), counting if sys.stderr.isatty() else quiet)
    report(given.json, found.document(), *found.sentences())
    return 0 if found.ok else CHECK_FAILED


def _retention(given: argparse.Namespace) -> int:
    service, department = of_department(given)
    found = retention(service, department, given.years, given.approver, carry_out=given.carry_out)
    return say(given.json, found)


def _export_case(given: argparse.Namespace) -> int:
    service, department = of_department(given)
    report = export(service, department, given.verification, given.form, given.file, by=given.by, reason=given.reason)
    return say(given.json, report)


def _export_log(given: argparse.Namespace) -> int:
    service = service_with("VERIFY_DEPARTMENTS", "VERIFY_LOG_HOST")
    department = given.department or service.settings.departments[0]
    written = export_log(service.public_log(department, given.log), given.directory)
    return report(
        given.json, {"files": written}, f"Wrote {written} files to {given.directory}: any web server can serve them."
    )


def _trust_policy(given: argparse.Namespace) -> int:
    service = service_with("VERIFY_DEPARTMENTS", "VERIFY_LOG_HOST")
    service.check_schema()
    print(service.policy(access=given.access).text(), end="")
    return 0


def _publish_log(given: argparse.Namespace) -> int:
    service = service_with("VERIFY_DEPARTMENTS", "VERIFY_LOG_HOST")
    service.check_schema()
    service.sightings.check()
    sizes = {d: service.logs.records(d).publish() for d in service.settings.departments}
    said = [f"{service.logs.records(d).log}: published at {size} entries." for d, size in sizes.items()]
    return report(given.json, {"published": sizes}, *said)


def add_to(add: Add) -> None:
    """Add the commands."""
    add("audit", _audit, "re-read everything and compare")
    retention = add("retention", _retention, "say what is kept long enough, and destroy it with --carry-out")
    retention.add_argument("--department")
    retention.add_argument("--years", type=int, default=YEARS, help=f"how long records are kept (default {YEARS})")
    retention.add_argument("--carry-out", action="store_true", help="destroy it; without this nothing is changed")
    retention.add_argument("--approver", action="append", default=[], help="who approves, by serial; give it twice")
    for name, form, what in EXPORTS:
        exported = add(name, _export_case, what)
        exported.add_argument("verification", metavar="VERIFICATION", help="its id")
        exported.add_argument("file", metavar="FILE", type=Path, help="the zip file to be made")
        name_asker(exported)
        exported.add_argument("--department")
        exported.set_defaults(form=form)
    export = add("export-log", _export_log, "write the published log as files for any web server")
    export.add_argument("directory", type=Path, metavar="DIR")
    export.add_argument("--department")
    export.add_argument("--log", help="such as records, after records-2 goes on for it (default: the newest)")
    add("trust-policy", _trust_policy, "print the policy file by which others check receipts").add_argument(
        "--access", action="store_true", help="name the access logs too, for an auditor and the auditor's witness"
    )
    add("publish-log", _publish_log, "publish the log now, not only at the daily hour")
