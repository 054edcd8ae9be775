"""Run the service and look after it: `verify-service COMMAND`."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verify_service import __version__, database_commands, demo, evidence_commands, registry_commands, settings
from verify_service.access.policy import ROLES
from verify_service.errors import ServiceError
from verify_service.evidence.audit import audit
from verify_service.evidence.case_export import DISCOVERY, EVIDENCE, PUBLIC_RECORDS
from verify_service.evidence.export_log import export_log
from verify_service.evidence.retention import YEARS
from verify_service.log_keeping import LOG_NAMES
from verify_service.server import serve
from verify_service.telling import CHECK_FAILED, counting, progress, quiet, report, say
from verify_service.web.app import api_description
from verify_service.wiring import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Command = Callable[[argparse.Namespace], int]

CANNOT_RUN = 3
# What a shell gives for a command that Ctrl-C ended (128 + SIGINT).
INTERRUPTED = 130
CODES = "exit codes: 0 fine, 1 check failed, 2 usage, 3 it could not run (the text says why), 130 stopped with Ctrl-C"

EXPORTS = (
    ("evidence-export", EVIDENCE, "export a verification for a court, with all that proves it"),
    ("discovery-export", DISCOVERY, "export it for discovery, with an index for counsel to mark"),
    ("public-records-export", PUBLIC_RECORDS, "export it for the public, what could expose a person withheld"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    given = _parser().parse_args(arguments)
    run: Command = given.run
    try:
        return run(given)
    except ServiceError as error:
        print(f"{error.title}: {error.diagnosis}", file=sys.stderr)
        return CANNOT_RUN
    except OSError as error:
        # Such as a file that a setting names, or a full disk.
        print(f"A file cannot be used: {error}", file=sys.stderr)
        return CANNOT_RUN
    except KeyboardInterrupt:
        print("Stopped before it was done.", file=sys.stderr)
        return INTERRUPTED


def _demo(given: argparse.Namespace) -> int:
    return demo.run(once=given.once, rosters=not given.no_rosters, as_json=given.json)


def _serve(_: argparse.Namespace) -> int:
    serve(settings.from_environment())
    return 0


def _keys_generate(given: argparse.Namespace) -> int:
    service = _service("VERIFY_DEPARTMENTS", "VERIFY_LOG_HOST")
    made = service.generate_keys()
    said = [f"Made {path}: back it up where the database is not." for path in made] or [
        "Every key file is there already."
    ]
    return report(given.json, {"made": [str(path) for path in made]}, *said)


def _on_logs(do: Callable[[Service], registry_commands.Report]) -> Command:
    """Return the command that does something with the logs and says what it found."""
    return lambda given: say(given.json, do(_service("VERIFY_DEPARTMENTS", "VERIFY_LOG_HOST")))


def _db_rebuild_read_models(given: argparse.Namespace) -> int:
    said = counting if sys.stderr.isatty() else quiet
    return _on_logs(lambda service: database_commands.rebuild_read_models(service, said))(given)


def _db_backup(given: argparse.Namespace) -> int:
    return say(given.json, database_commands.backup(_service("VERIFY_DEPARTMENTS", "VERIFY_LOG_HOST"), given.file))


def _db_succeed(given: argparse.Namespace) -> int:
    service, department = _of_department(given)
    report = database_commands.succeed(
        service, department, given.log, given.reason, compromised=given.compromised, checkpoint=given.checkpoint
    )
    return say(given.json, report)


def _ingest(given: argparse.Namespace) -> int:
    service = _service("VERIFY_DEPARTMENTS", "VERIFY_REGISTRY", "VERIFY_REGISTRY_ROOT")
    return say(given.json, registry_commands.ingest(service, progress if sys.stderr.isatty() else quiet))


def _ingest_holds(given: argparse.Namespace) -> int:
    return say(given.json, registry_commands.holds(_service("VERIFY_DEPARTMENTS")))


def _ingest_decide(given: argparse.Namespace) -> int:
    service = _service("VERIFY_DEPARTMENTS")
    report = registry_commands.decide(service, given.agency, given.reason, approved=given.approved, sha256=given.sha256)
    return say(given.json, report)


def _registry_status(given: argparse.Namespace) -> int:
    return say(given.json, registry_commands.status(_service("VERIFY_DEPARTMENTS")))


def _registry_evidence(given: argparse.Namespace) -> int:
    service = _service("VERIFY_DEPARTMENTS")
    return say(given.json, registry_commands.evidence(service, given.record, given.directory))


def _token(given: argparse.Namespace) -> int:
    service = _service("VERIFY_ISSUER", "VERIFY_AUDIENCE", "VERIFY_DEPARTMENTS")
    lifetime = timedelta(minutes=given.minutes)
    token = service.token(given.role, department=given.department, serial=given.serial, lifetime=lifetime)
    return report(given.json, {"token": token}, token)


def _openapi(_: argparse.Namespace) -> int:
    print(json.dumps(api_description(), indent=2, ensure_ascii=False))
    return 0


def _audit(given: argparse.Namespace) -> int:
    service = _service("VERIFY_DEPARTMENTS", "VERIFY_LOG_HOST")
    service.check_schema()
    found = audit(service.audit_source(), service.vault, service.marks(), counting if sys.stderr.isatty() else quiet)
    report(given.json, found.document(), *found.sentences())
    return 0 if found.ok else CHECK_FAILED


def _retention(given: argparse.Namespace) -> int:
    service, department = _of_department(given)
    found = evidence_commands.retention(service, department, given.years, given.approver, carry_out=given.carry_out)
    return say(given.json, found)


def _export_case(given: argparse.Namespace) -> int:
    service, department = _of_department(given)
    report = evidence_commands.export(
        service, department, given.verification, given.form, given.file, by=given.by, reason=given.reason
    )
    return say(given.json, report)


def _of_department(given: argparse.Namespace) -> tuple[Service, str]:
    service = _service("VERIFY_DEPARTMENTS", "VERIFY_LOG_HOST")
    return service, given.department or service.settings.departments[0]


def _export_log(given: argparse.Namespace) -> int:
    service = _service("VERIFY_DEPARTMENTS", "VERIFY_LOG_HOST")
    department = given.department or service.settings.departments[0]
    written = export_log(service.public_log(department, given.log), given.directory)
    return report(
        given.json, {"files": written}, f"Wrote {written} files to {given.directory}: any web server can serve them."
    )


def _trust_policy(given: argparse.Namespace) -> int:
    service = _service("VERIFY_DEPARTMENTS", "VERIFY_LOG_HOST")
    service.check_schema()
    print(service.policy(access=given.access).text(), end="")
    return 0


def _publish_log(given: argparse.Namespace) -> int:
    service = _service("VERIFY_DEPARTMENTS", "VERIFY_LOG_HOST")
    service.check_schema()
    sizes = {d: service.logs.records(d).publish() for d in service.settings.departments}
    said = [f"{service.logs.records(d).log}: published at {size} entries." for d, size in sizes.items()]
    return report(given.json, {"published": sizes}, *said)


def _service(*needs: str) -> Service:
    return Service(settings.from_environment(frozenset(needs)))


def _add_db(add: Callable[..., argparse.ArgumentParser], commands: Any) -> None:
    db = commands.add_parser("db", help="look after the database").add_subparsers(required=True, metavar="COMMAND")
    add(
        "upgrade",
        _on_logs(database_commands.upgrade),
        "bring the database to this release and create the logs that are missing",
        db,
    )
    add("rebuild-read-models", _db_rebuild_read_models, "make the read models anew from the records", db)
    add(
        "accept-high-water",
        _on_logs(database_commands.accept_high_water),
        "on a new host, mark the logs where the database stands",
        db,
    )
    backup = add("backup", _db_backup, "copy a SQLite database to a new file while it serves", db)
    backup.add_argument("file", metavar="FILE", type=Path, help="the file to be made")
    succeed = add("succeed", _db_succeed, "close a log that lost its end or its key, and begin its successor", db)
    succeed.add_argument("--department")
    succeed.add_argument("--log", choices=LOG_NAMES, help="the log; without it, those whose promised end is missing")
    succeed.add_argument("--reason", required=True, help="why; it is in the new log's first entry for ever")
    succeed.add_argument("--compromised", action="store_true", help="commit to what was published last, not to the end")
    succeed.add_argument("--checkpoint", type=Path, metavar="FILE", help="a later checkpoint, such as a witness has")
    add(
        "restore-check",
        _on_logs(database_commands.restore_check),
        "say what a restored database lacks of what this host promised",
        db,
    )


def _add_registry(add: Callable[..., argparse.ArgumentParser]) -> None:
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
    evidence = add("registry-evidence", _registry_evidence, "write the signed registry that a record quotes")
    evidence.add_argument("record", type=Path, metavar="RECORD.json", help="the exact bytes of a submission's record")
    evidence.add_argument("directory", type=Path, metavar="DIR", help="a directory to be made")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("verify-service", description=__doc__, epilog=CODES)
    parser.add_argument("--version", action="version", version=__version__)
    parser.set_defaults(json=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Command, what: str, under: Any = commands) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = under.add_parser(name, help=what, description=what, epilog=CODES)
        command.set_defaults(run=run)
        # Without a default of its own, a command under another does not undo what was given to that one.
        command.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON document")
        return command

    demonstration = add("demo", _demo, "start everything with a synthetic registry, or play one encounter")
    demonstration.add_argument("--once", action="store_true", help="play one encounter, prove it offline, and end")
    demonstration.add_argument("--no-rosters", action="store_true", help="with no roster in the world, as today")
    add("serve", _serve, "serve the API")
    keys = commands.add_parser("keys", help="look after key files").add_subparsers(required=True, metavar="COMMAND")
    add("generate", _keys_generate, "make the key files that are missing", keys)
    _add_db(add, commands)
    _add_registry(add)
    token = add("token", _token, "print an access token of the development issuer")
    token.add_argument("--role", choices=ROLES, required=True)
    token.add_argument("--department")
    token.add_argument("--serial", help="the caller's serial; each role has one of its own")
    token.add_argument("--minutes", type=int, default=480, help="how long it holds (default 480)")
    add("openapi", _openapi, "print the API's description")
    _add_evidence(add)
    return parser


def _add_evidence(add: Callable[..., argparse.ArgumentParser]) -> None:
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
        exported.add_argument("--by", required=True, metavar="SERIAL", help="who asks for it; it is on record")
        exported.add_argument("--reason", required=True, help="such as the number of the order; it is on record")
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


if __name__ == "__main__":
    sys.exit(main())
