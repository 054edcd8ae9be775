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
    """Every log of this deployment."""

    def __init__(self, logs: Iterable[RecordLog], store: LogStore) -> None:
        self._logs = {log.log: log for log in logs}
        self._store = store

    def __iter__(self) -> Iterator[RecordLog]:
        return iter(self._logs.values())

    def records(self, department: str) -> RecordLog:
        """Return a department's log of verifications and incidents; raise NotAllowed where it has none."""
        return self._of(LogId(department, RECORDS))

    def access(self, department: str) -> RecordLog:
        """Return a department's log of who looked at what; raise NotAllowed where it has none."""
        return self._of(LogId(department, ACCESS))

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
        found = self._logs.get(log)
        if found is None:
            raise NotAllowed(f"This service keeps no log for the department {log.department}.")
        return found
