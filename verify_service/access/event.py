"""Write who looked at what into the department's access log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verify_service.clock import rfc3339
from verify_service.record_log.log import Append, Composition, Draft, RetryKey
from verify_service.record_log.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from verify_service.caller import Caller
    from verify_service.clock import Clock
    from verify_service.record_log.log import Placed, Subject
    from verify_service.record_log.logs import Logs
    from verify_service.record_log.record import SealedField
    from verify_service.vault import Vault

NO_BODY = bytes(32)


class AccessEvents:
    """The access logs of this deployment.

    Each method returns once the event is durable; where it cannot be written it raises Unavailable, and the
    answer it belongs to must not be given.
    """

    def __init__(self, logs: Logs, vault: Vault, clock: Clock) -> None:
        self._logs = logs
        self._vault = vault
        self._clock = clock

    def read(self, caller: Caller, operation: str, subject: str, version: str, address: str | None) -> None:
        """Record a caller's first read of a version; reading the same version again adds nothing."""
        seen = f"{caller.identity}\0{operation}\0{subject}\0{version}"
        key = RetryKey(self._vault.index(caller.department, "read", seen), NO_BODY)
        body = {"operation": operation, "object": subject, "version": version, "address": address}
        self._append(caller, "read", body, key=key)

    def listed(
        self, caller: Caller, operation: str, criteria: Mapping[str, Any], ids: Sequence[str], address: str | None
    ) -> None:
        """Record a list as one event with the ids it returned."""
        body = {"operation": operation, "criteria": dict(criteria), "ids": list(ids), "address": address}
        self._append(caller, "listed", body)

    def searched(
        self,
        caller: Caller,
        operation: str,
        criteria: Mapping[str, Any],
        identifier: SealedField | None,
        ids: Sequence[str],
        address: str | None,
    ) -> None:
        """Record a search; the identifier searched for stands as a salted digest."""
        body = {
            "operation": operation,
            "criteria": dict(criteria),
            "identifier": None if identifier is None else identifier.digest,
            "ids": list(ids),
            "address": address,
        }
        self._append(caller, "searched", body, fields=() if identifier is None else (identifier,))

    def exported(
        self,
        caller: Caller,
        operation: str,
        subjects: Sequence[str],
        form: str,
        reason: SealedField,
        address: str | None,
    ) -> None:
        """Record the export of each subject before any is handed out, all of them or none.

        Why it was made stands as a salted digest, the same for what was handed out together.
        """
        bodies = [
            {"operation": operation, "object": subject, "form": form, "reason": reason.digest, "address": address}
            for subject in subjects
        ]
        self._append(caller, "exported", *bodies, fields=(reason,))

    def _append(
        self,
        caller: Caller,
        kind: str,
        *bodies: Mapping[str, Any],
        fields: tuple[SealedField, ...] = (),
        key: RetryKey | None = None,
    ) -> None:
        records = [self._record(caller, kind, body) for body in bodies]

        def compose(_: Mapping[str, Subject]) -> Composition:
            return Composition(tuple(Draft(record, fields) for record in records), _no_reply)

        self._logs.access(caller.department).append(Append(frozenset(), compose, key))

    def _record(self, caller: Caller, kind: str, body: Mapping[str, Any]) -> Record:
        return Record(
            kind=kind,
            department=caller.department,
            actor={
                "issuer": caller.issuer,
                "serial": caller.serial,
                "command": caller.command,
                "role": caller.role,
            },
            client={"id": caller.client_id, "jkt": caller.jkt},
            received_at=rfc3339(self._clock.now()),
            body=body,
        )


def _no_reply(_: Sequence[Placed], __: Mapping[str, Subject]) -> bytes:
    return b""
