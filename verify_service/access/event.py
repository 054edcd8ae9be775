"""Write who looked at what into the department's access log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verify_service.clock import rfc3339
from verify_service.record_log.append import Append, Composition, Draft, RetryKey
from verify_service.record_log.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from verify_service.caller import Caller
    from verify_service.clock import Clock
    from verify_service.record_log.append import Link
    from verify_service.record_log.logs import Logs
    from verify_service.record_log.record import SealedField
    from verify_service.vault import Vault

NO_BODY = bytes(32)
LONGEST_OBJECT = 128


@dataclass(frozen=True)
class Act:
    """What a caller did beside reading: what ``detail`` says, with the values behind its digests.

    ``reply`` is what the one who did it is told, destroyed with the subject ``reply_of``; ``links`` are the rows that
    change in the transaction of the event.
    """

    operation: str
    object: str | None
    detail: Mapping[str, Any]
    reply: bytes = b""
    fields: tuple[SealedField, ...] = ()
    address: str | None = None
    links: tuple[Link, ...] = ()
    reply_of: str | None = None


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
        self._write(caller, "read", body, key=key)

    def listed(
        self, caller: Caller, operation: str, criteria: Mapping[str, Any], ids: Sequence[str], address: str | None
    ) -> None:
        """Record a list as one event with the ids it returned."""
        body = {"operation": operation, "criteria": dict(criteria), "ids": list(ids), "address": address}
        self._write(caller, "listed", body)

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
        self._write(caller, "searched", body, fields=() if identifier is None else (identifier,))

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
        self._write(caller, "exported", *bodies, fields=(reason,))

    def acted(self, caller: Caller, act: Act, key: RetryKey) -> bytes:
        """Record what a caller did, and return the act's reply; to the same key again, the first one's."""
        body = {"operation": act.operation, "object": act.object, "detail": dict(act.detail), "address": act.address}
        draft = Draft(self._record(caller, "acted", body), act.fields)
        composition = Composition((draft,), lambda _, __: act.reply, act.links, act.reply_of)
        return self._append(caller, composition, key)

    def once(self, caller: Caller, operation: str, subject: str) -> RetryKey:
        """Return the key by which an operation on a subject is recorded once, whoever asks for it."""
        return RetryKey(self._vault.index(caller.department, "once", f"{operation}\0{subject}"), NO_BODY)

    def refused(
        self,
        caller: Caller,
        operation: str,
        reason: str,
        count: int,
        subject: str | None,
        address: str | None,
    ) -> None:
        """Record refusals for one reason, so many since the last such event; object and address are the newest's."""
        body = {"operation": operation, "object": subject, "reason": reason, "count": count, "address": address}
        self._write(caller, "refused", body)

    def _write(
        self,
        caller: Caller,
        kind: str,
        *bodies: Mapping[str, Any],
        fields: tuple[SealedField, ...] = (),
        key: RetryKey | None = None,
    ) -> None:
        drafts = tuple(Draft(self._record(caller, kind, body), fields) for body in bodies)
        self._append(caller, Composition(drafts, lambda _, __: b""), key)

    def _append(self, caller: Caller, composition: Composition, key: RetryKey | None) -> bytes:
        append = Append(frozenset(), lambda _: composition, key)
        return self._logs.access(caller.department).append(append).reply

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
