"""Say how a subject's state follows from its records: what the log calls while it holds the tail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verify_service.record_log.absence import EXPUNGED, destroys_whole
from verify_service.record_log.record import Record
from verify_service.verification.case import followed, opened
from verify_service.verification.incident import incident_followed, incident_opened

if TYPE_CHECKING:
    from verify_service.record_log.record import Logged


class CaseProjection:
    """The states of verifications and incidents; other subjects keep what they have."""

    def fold(self, state: Any, record: Logged) -> Any:
        """Return the subject's state after one more record."""
        if not isinstance(record, Record) or record.subject is None:
            return state
        if record.kind == EXPUNGED and destroys_whole(record):
            return None
        if record.subject.startswith("verification:"):
            return opened(record) if state is None else followed(state, record)
        if record.subject.startswith("incident:"):
            return incident_opened(record) if state is None else incident_followed(state, record)
        return state
