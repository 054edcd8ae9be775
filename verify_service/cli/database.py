"""The commands that look after the database: `db`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verify_service.cli.command import group, of_department, on_logs, service_with
from verify_service.cli.telling import Report, counting, quiet, say
from verify_service.errors import ConfigurationError
from verify_service.log_keeping import LOG_NAMES
from verify_service.record_log.restored import compare

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Mapping

    from verify_service.cli.command import Add
    from verify_service.record_log.log import LogId
    from verify_service.wiring import Service


def upgrade(service: Service) -> Report:
    """Bring the database to this release."""
    created = service.upgrade()
    said = [f"Created the log {log}." for log in created]
    document = {"revision": "head", "created_logs": [str(log) for log in created]}
    return Report(document, ["The database has this release's schema.", *said])


def rebuild_read_models(service: Service, progress: Callable[[int, int], None]) -> Report:
    """Make every department's read models anew from its records."""
    service.check_schema()
    rebuilt = {department: service.rebuild(department, progress) for department in service.settings.departments}
    said = [
        f"{department}: {count} verifications and incidents were read anew." for department, count in rebuilt.items()
    ]
    return Report({"rebuilt": rebuilt}, [*said, "Run `verify-service audit` to compare."])


def accept_high_water(service: Service) -> Report:
    """Mark the logs that this host has no mark of where the database stands."""
    service.check_schema()
    marked = service.accept_high_water()
    said = [f"{log} is marked at {size} entries." for log, size in marked] or ["Every log has its mark already."]
    return Report({"marked": [{"log": str(log), "size": size} for log, size in marked]}, said)


def succeed(
    service: Service, department: str, name: str | None, reason: str, *, compromised: bool, checkpoint: Path | None
) -> Report:
    """Close a department's newest log of a name, or each whose promised end is missing, and begin its successor."""
    service.check_schema()
    known = None if checkpoint is None else checkpoint.read_text("utf-8")
    newest = {log.series: log for log in service.log_ids() if log.department == department}
    chosen = [newest[name]] if name is not None and name in newest else _behind(service, newest.values(), name)
    done = [service.succeed(log, reason, compromised=compromised, known=known) for log in chosen]
    said = [
        sentence
        for one in done
        for sentence in (
            f"{one.old} is closed; {one.new} goes on for it.",
            f"Entries {one.lost[0]} to {one.lost[-1]} of {one.old} are lost, and {one.new} says so."
            if one.lost
            else f"Nothing that this host promised of {one.old} is lost.",
        )
    ]
    document = [
        {
            "old": str(one.old),
            "new": str(one.new),
            "checkpoint": one.checkpoint,
            "lost": [one.lost[0], one.lost[-1]] if one.lost else None,
        }
        for one in done
    ]
    # The logs were opened before their successors were there.
    again = replace(service).destroy_again()
    said += _destroyed_again(again)
    last = "Back up the new keys, restart the service on every host, and hand out `verify-service trust-policy` anew."
    return Report({"succeeded": document, "destroyed_again": again}, [*said, last])


def _behind(service: Service, logs: Iterable[LogId], name: str | None) -> list[LogId]:
    behind = [log for log in logs if compare(log, service.log_store, service.high_water(log).mark()).missing]
    if name is not None or not behind:
        raise ConfigurationError(
            "No log of this department lacks what this host promised: name the one to be closed with --log, records or "
            "access, and --compromised where its key is no longer trusted."
        )
    return behind


def backup(service: Service, path: Path) -> Report:
    """Copy the database of a service that goes on serving, and say how far the copy goes."""
    service.check_schema()
    # Read before, so that the copy holds at least this much.
    sizes = {str(log): head.size for log in service.log_ids() if (head := service.log_store.head(log)) is not None}
    service.back_up(path)
    said = [f"Wrote {path}, readable by its owner alone, and read it whole once."]
    said += [f"{log}: {size} entries at least." for log, size in sizes.items()]
    return Report({"file": str(path), "logs": sizes}, [*said, "It is useless without the keys: keep those elsewhere."])


def restore_check(service: Service) -> Report:
    """Compare a restored database with what this host promised; where nothing is missing, destroy again what went."""
    service.check_schema()
    marks = service.marks()
    found = [compare(log, service.log_store, mark) for log, mark in marks.items()]
    ahead = list(service.sightings.ahead())
    failed = bool(ahead) or not all(one.ok for one in found)
    logs = [
        {
            "log": str(one.log),
            "size": one.size,
            "promised": one.promised,
            "same_history": one.same,
            "missing": [one.missing[0], one.missing[-1]] if one.missing else None,
        }
        for one in found
    ]
    # A log that lost its end takes nothing more; `succeed` destroys them after it has closed it.
    again = {} if failed else service.destroy_again()
    verdict = (
        "Do not serve this database yet: restore a newer backup. Where none is newer, see docs/operate.md, Restore."
        if failed
        else "Nothing that this host acknowledged is missing. Run `verify-service audit`, then serve."
    )
    said = [one.sentence for one in found] + [one.sentence for one in ahead] + [*_destroyed_again(again), verdict]
    seen = [{"log": str(one.log), "who": one.who, "seen": one.seen, "size": one.size} for one in ahead]
    return Report({"ok": not failed, "logs": logs, "ahead": seen, "destroyed_again": again}, said, failed=failed)


def _destroyed_again(count: Mapping[str, int]) -> list[str]:
    return [
        f"{department}: {subjects} verifications and incidents that were destroyed by order were back, and were "
        "destroyed again."
        for department, subjects in count.items()
        if subjects
    ]


def _rebuild_read_models(given: argparse.Namespace) -> int:
    said = counting if sys.stderr.isatty() else quiet
    return on_logs(lambda service: rebuild_read_models(service, said))(given)


def _backup(given: argparse.Namespace) -> int:
    return say(given.json, backup(service_with("VERIFY_DEPARTMENTS", "VERIFY_LOG_HOST"), given.file))


def _succeed(given: argparse.Namespace) -> int:
    service, department = of_department(given)
    report = succeed(
        service, department, given.log, given.reason, compromised=given.compromised, checkpoint=given.checkpoint
    )
    return say(given.json, report)


def add_to(add: Add, commands: Any) -> None:
    """Add the commands."""
    db = group(commands, "db", "look after the database")
    add(
        "upgrade",
        on_logs(upgrade),
        "bring the database to this release and create the logs that are missing",
        db,
    )
    add("rebuild-read-models", _rebuild_read_models, "make the read models anew from the records", db)
    add(
        "accept-high-water",
        on_logs(accept_high_water),
        "on a new host, mark the logs where the database stands",
        db,
    )
    backup = add("backup", _backup, "copy a SQLite database to a new file while it serves", db)
    backup.add_argument("file", metavar="FILE", type=Path, help="the file to be made")
    succeed = add("succeed", _succeed, "close a log that lost its end or its key, and begin its successor", db)
    succeed.add_argument("--department")
    succeed.add_argument("--log", choices=LOG_NAMES, help="the log; without it, those whose promised end is missing")
    succeed.add_argument("--reason", required=True, help="why; it is in the new log's first entry for ever")
    succeed.add_argument("--compromised", action="store_true", help="commit to what was published last, not to the end")
    succeed.add_argument("--checkpoint", type=Path, metavar="FILE", help="a later checkpoint, such as a witness has")
    add(
        "restore-check",
        on_logs(restore_check),
        "say what a restored database lacks of what this host promised",
        db,
    )
