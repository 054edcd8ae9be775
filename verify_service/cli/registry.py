"""The commands about the registry: `ingest` and what belongs to it, `registry-status`, `registry-evidence`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verify_service.caller import Caller
from verify_service.cli.command import name_asker, service_with
from verify_service.cli.telling import Report, progress, quiet, say
from verify_service.clock import rfc3339
from verify_service.errors import NotFound, RegistryEvidenceMissing
from verify_service.evidence.exporting import Asked
from verify_service.evidence.registry_evidence import export_registry_evidence
from verify_service.operating_user import operating_user
from verify_service.record_log.record import parse_record
from verify_service.registry.hold import Decision

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from verify_service.cli.command import Add
    from verify_service.record_log.record import Logged
    from verify_service.registry.hold import Waiting
    from verify_service.registry.ingest import CycleReport
    from verify_service.wiring import Service

REGISTRY_EVIDENCE = "registry-evidence"
MINUTES_TOLD = 120
TAKEN = "takes it if it is still what the agency publishes"
BY_COUNTS = "The two are blinded with different keys: these are what the numbers of each kind and status show at least."
NOW_DECIDE = (
    "Call the agency on the number you hold, then `verify-service ingest approve {agency} --reason …`, or `reject`."
)


def ingest(service: Service, told: Callable[[str, int, int], None]) -> Report:
    """Run one cycle for each department."""
    service.check_schema()
    cycles, said = [], []
    for department in service.settings.departments:
        report = service.ingest(department).run(told)
        cycles.append({"department": department, **report.document()})
        said += _cycle(department, report)
    return Report({"cycles": cycles}, said)


def holds(service: Service) -> Report:
    """List what waits for a decision."""
    service.check_schema()
    waiting = service.holds().undecided()
    said = [line for each in waiting for line in _hold(each)] or ["No roster waits for a decision."]
    return Report({"holds": [each.document() for each in waiting]}, said)


def decide(service: Service, agency: str, reason: str, *, approved: bool, sha256: str | None = None) -> Report:
    """Approve or reject a roster that waits, on record first; raise RegistryRefused where it is not clear which."""
    service.check_schema()
    holds, user = service.holds(), operating_user()
    decision, decided = Decision(approved, reason, user, service.clock.now()), holds.meant(agency, sha256)

    def record(waiting: Waiting, decision: Decision) -> Decision:
        by = Caller.at_command_line(waiting.department, "command-line", user)
        return service.decision_record().put(by, waiting, decision)

    holds.decide(decided, decision, record)
    verb, then = ("approved", TAKEN) if approved else ("rejected", "refuses it")
    document = {**vars(decision), "at": rfc3339(decision.at), "decided": [each.document() for each in decided]}
    return Report(
        document,
        [
            f"{each.department}: {decision.by} {verb} the roster of {agency} with number {each.hold.to_seq} "
            f"({each.hold.sha256}): the next ingest {then}."
            for each in decided
        ],
    )


def status(service: Service) -> Report:
    """Tell how each department's registry stands; failed where something expired, was refused, is silent or waits."""
    service.check_schema()
    now = service.clock.now()
    found = {department: service.registry.status(department, now) for department in service.settings.departments}
    alerts = [
        f"{department}: {alert.sentence} {alert.for_operator}".rstrip()
        for department, each in found.items()
        for alert in each.alerts
    ]
    documents = [{"department": department, **each.document()} for department, each in found.items()]
    stand = [line for document in documents for line in _standing(document)]
    failed = not all(each.ok for each in found.values())
    return Report({"ok": not failed, "registries": documents}, [*alerts, *stand], failed)


def evidence(service: Service, record: Path, directory: Path, *, by: str, reason: str) -> Report:
    """Write the signed registry behind a record into a new directory; who asked and why is on record before."""
    service.check_schema()
    content = record.read_bytes()
    found = _ours(service, content)
    asked = Asked(Caller.at_command_line(found.department, "command-line", by), reason)
    service.exporting().record(asked, [str(found.subject)], REGISTRY_EVIDENCE)
    written = export_registry_evidence(content, service.registry_store, directory)
    said = [
        f"Wrote what the record's checks of {', '.join(written.agencies)} stood on to {directory}.",
        f"{directory / 'README.md'} says how to check it, from {written.first_root} on.",
        f"Compare that root's SHA-256 with what the trust authority says: {written.first_root_sha256}",
    ]
    return Report(written.document(), said)


def _ours(service: Service, content: bytes) -> Logged:
    """Return a record; raise RegistryEvidenceMissing where the log here does not hold it, byte for byte."""
    otherwise = RegistryEvidenceMissing(
        "The log here does not hold this record: give the exact bytes of one as served, on the database it is from."
    )
    try:
        record = parse_record(content)
        log, index = service.logs.locate(record.department, str(record.subject), record.seq or 0)
        held = log.record(index)[0]
    except (ValueError, NotFound) as error:
        raise otherwise from error
    if held != content:
        raise otherwise
    return record


def _standing(document: dict[str, Any]) -> list[str]:
    if document["edition"] is None:
        return []
    last = document["last_cycle"]
    ended = f"ended {last['ended_at']}" if last["ended_at"] else f"began {last['started_at']} and has not ended"
    synthetic = ", synthetic" if document["synthetic"] else ""
    said = f"{document['department']}: edition {document['edition']}, {len(document['agencies'])} agencies{synthetic}"
    good = f"the timestamp was last found good {_age(document['timestamp_age_seconds'])} ago"
    return ["", f"{said}; cycle {last['number']} {ended}; {good}.", *map(_agency, document["agencies"])]


def _agency(agency: dict[str, Any]) -> str:
    roster, setback = agency["roster"], agency["setback"]
    said = f"  {agency['agency']:<24} level {agency['enrolment_level']}"
    if roster is not None:
        said += f"  number {roster['seq']} of {roster['issued_at']}, {_age(roster['age_seconds'])} old"
    said += f"  fresh until {agency['fresh_until']}"
    if setback is not None:
        said += f"  last {'held' if setback['held'] else 'refused'} {setback['at']}"
    return said


def _age(seconds: int) -> str:
    minutes = seconds // 60
    return f"{minutes} min" if minutes < MINUTES_TOLD else f"{minutes // 60} h"


def _cycle(department: str, report: CycleReport) -> list[str]:
    edition, entries = report.edition, sum(count for _, count in report.loaded)
    synthetic = ", synthetic" if edition.synthetic else ""
    said = f"{department}: edition {edition.number}, {len(edition.agencies)} agencies, {entries} entries newly loaded"
    return [
        f"{said}{synthetic}.",
        *([f"  took in blinding keys of {', '.join(report.keyed)}"] if report.keyed else []),
        *(f"  CHANGED {notice.subject}. {notice.sentence}" for notice in report.end.notices),
        *(f"  refused {refusal.agency}: {refusal.reason}" for refusal in report.refusals),
        *(f"  held {hold.agency}: {hold.reason} See `verify-service ingest holds`." for hold in report.holds),
    ]


def _hold(waiting: Waiting) -> list[str]:
    hold, change, until = waiting.hold, waiting.hold.change, waiting.answers_until
    what = f"{waiting.department}: {hold.agency}, number {hold.from_seq} to number {hold.to_seq}"
    counts = f"{change.before} entries before, {change.after} after"
    changed = f"{change.added} added, {change.removed} removed, {change.altered} altered"
    newly = ", ".join(f"{count} newly {status}" for status, count in change.newly.items())
    stands = "nothing" if until is None else f"number {hold.from_seq}, until {rfc3339(until)}"
    return [
        f"{what}, waits since {rfc3339(waiting.held.since)}; {hold.signatures} keys signed for it.",
        f"  {counts}: {changed}; {newly}.",
        *([f"  {BY_COUNTS}"] if change.by_counts else []),
        *(f"  {ground}" for ground in hold.grounds),
        f"  Meanwhile answers: {stands}. SHA-256 of what waits: {hold.sha256}.",
        f"  {NOW_DECIDE.format(agency=hold.agency)}",
    ]


def _ingest(given: argparse.Namespace) -> int:
    service = service_with("VERIFY_DEPARTMENTS", "VERIFY_REGISTRY", "VERIFY_REGISTRY_ROOT")
    return say(given.json, ingest(service, progress if sys.stderr.isatty() else quiet))


def _ingest_holds(given: argparse.Namespace) -> int:
    return say(given.json, holds(service_with("VERIFY_DEPARTMENTS")))


def _ingest_decide(given: argparse.Namespace) -> int:
    service = service_with("VERIFY_DEPARTMENTS", "VERIFY_LOG_HOST")
    report = decide(service, given.agency, given.reason, approved=given.approved, sha256=given.sha256)
    return say(given.json, report)


def _registry_status(given: argparse.Namespace) -> int:
    return say(given.json, status(service_with("VERIFY_DEPARTMENTS")))


def _registry_evidence(given: argparse.Namespace) -> int:
    service = service_with("VERIFY_DEPARTMENTS", "VERIFY_LOG_HOST")
    return say(given.json, evidence(service, given.record, given.directory, by=given.by, reason=given.reason))


def add_to(add: Add) -> None:
    """Add the commands."""
    ingest = add("ingest", _ingest, "fetch, check and swap in the registry; or decide about what it holds")
    ingest.add_argument("--once", action="store_true", help="run one cycle (the default; a timer runs the next)")
    under = ingest.add_subparsers(metavar="COMMAND")
    add("holds", _ingest_holds, "list the rosters that wait for a person, since too much of them changed", under)
    for name, approved, what in (
        ("approve", True, "let the next ingest take a roster that waits"),
        ("reject", False, "have a roster that waits refused for good"),
    ):
        decided = add(name, _ingest_decide, what, under)
        decided.set_defaults(approved=approved)
        decided.add_argument("agency", metavar="AGENCY")
        decided.add_argument("--reason", required=True, help="why, and whom you asked; it is kept")
        decided.add_argument("--sha256", help="which roster is meant, where several of the agency wait")
    add("registry-status", _registry_status, "say what of the registry expired, was not taken, and expires next")
    evidence = add(REGISTRY_EVIDENCE, _registry_evidence, "write the signed registry that a record quotes")
    evidence.add_argument("record", type=Path, metavar="RECORD.json", help="the exact bytes of a submission's record")
    evidence.add_argument("directory", type=Path, metavar="DIR", help="a directory to be made")
    name_asker(evidence)
