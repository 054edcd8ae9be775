"""Find a department's logs, and the log that holds an event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify_service.errors import NotAllowed, NotFound
from verify_service.record_log.log import ACCESS, RECORDS, LogId

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from verify_service.record_log.log import LogStore
    from verify_service.record_log.record_log import RecordLog


class Logs:
    """Every log of this deployment, given so that each comes after the one that it goes on for."""

    def __init__(self, logs: Iterable[RecordLog], store: LogStore) -> None:
        self._logs = {log.log: log for log in logs}
        # Each follows the one that it goes on for, so that the last of a series is its newest.
        self._newest = {(log.department, log.series): found for log, found in self._logs.items()}
        self._store = store

    def __iter__(self) -> Iterator[RecordLog]:
        return iter(self._logs.values())

    def records(self, department: str) -> RecordLog:
        """Return a department's newest log of verifications and incidents; raise NotAllowed where it has none."""
        return self._known(department, self._newest.get((department, RECORDS)))

    def access(self, department: str) -> RecordLog:
        """Return a department's newest log of who looked at what; raise NotAllowed where it has none."""
        return self._known(department, self._newest.get((department, ACCESS)))

    def named(self, department: str, name: str) -> RecordLog:
        """Return a department's log by its name; raise NotAllowed where it has none of that name."""
        return self._of(LogId(department, name))

    def origins(self, department: str) -> dict[str, str]:
        """Return the origin of each of a department's logs by its name."""
        return {log.name: found.origin for log, found in self._logs.items() if log.department == department}

    def locate(self, department: str, subject: str, seq: int) -> tuple[RecordLog, int]:
        """Return the log and index of a subject's event; raise NotFound where there is none."""
        place = self._store.locate(department, subject, seq)
        if place is None:
            raise NotFound("There is no such event here.")
        log, index = place
        return self._of(log), index

    def _of(self, log: LogId) -> RecordLog:
        return self._known(log.department, self._logs.get(log))

    def _known(self, department: str, found: RecordLog | None) -> RecordLog:
        if found is None:
            raise NotAllowed(f"This service keeps no log for the department {department}.")
        return found
