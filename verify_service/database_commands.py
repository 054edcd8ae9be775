"""Do what `verify-service db` is asked, and say it: as a document and in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify_service.record_log.restored import compare
from verify_service.registry_commands import Report

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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
    marked = service.accept_high_water()
    said = [f"{log} is marked at {size} entries." for log, size in marked] or ["Every log has its mark already."]
    return Report({"marked": [{"log": str(log), "size": size} for log, size in marked]}, said)


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
    """Compare a restored database with what this host promised."""
    service.check_schema()
    marks = service.marks()
    found = [compare(log, service.log_store, mark) for log, mark in marks.items()]
    failed = not all(one.ok for one in found)
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
    verdict = (
        "Do not serve this database yet: restore a newer backup. Where none is newer, see docs/operate.md, Restore."
        if failed
        else "Nothing that this host acknowledged is missing. Run `verify-service audit`, then serve."
    )
    return Report({"ok": not failed, "logs": logs}, [*(one.sentence for one in found), verdict], failed=failed)
