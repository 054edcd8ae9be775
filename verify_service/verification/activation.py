"""Record that an agency activated an operation code for the contact that it is at (policy ground §5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from verify_service.clock import parse_rfc3339, rfc3339
from verify_service.record_log.append import Composition, Draft
from verify_service.verification.event import body, event
from verify_service.verification.sealing import SealedFields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from verify_service.record_log.append import Placed
    from verify_service.record_log.log import Subject
    from verify_service.record_log.record import Record, SealedField
    from verify_service.registry.check import CheckResult, RegistryCheck
    from verify_service.vault import Vault
    from verify_service.verification.claim import GivenIdentifier
    from verify_service.verification.event import Reporter

OP_CODE = "op_code"
OP_CODE_ACTIVATED = "op_code_activated"
OP_CODE_INDEX = "op_code"
# A contact is over by then. A code that stood active for longer would be worth stealing.
ACTIVATION_LASTS = timedelta(hours=1)


@dataclass(frozen=True)
class Activation:
    """An operation code that is active until a moment (RFC 3339), by the blind index of agency and code."""

    code: bytes
    until: str
    ref: None = None
    alias: None = None


def code_index(vault: Vault, department: str, agency: str, value: str) -> bytes:
    """Return the blind index under which an agency's code is kept."""
    return vault.index(department, OP_CODE_INDEX, f"{agency}/{value}")


def activation_of(record: Record, fields: Mapping[str, SealedField], vault: Vault) -> Activation | None:
    """Return the activation that a record made, None where its code is missing."""
    told = record.facts["told_by_agency"]
    field = fields.get(told["identifier"]["canonical"])
    if field is None:
        return None
    until = rfc3339(parse_rfc3339(record.received_at) + ACTIVATION_LASTS)
    return Activation(code_index(vault, record.department, told["agency"], str(field.value)), until)


class Activations(Protocol):
    """Where activations are found."""

    def active_until(self, department: str, code: bytes) -> str | None:
        """Return until when a code is or was active, None where it never was."""


@dataclass(frozen=True)
class Activating:
    """One code of one agency, found active in its roster and ready to be recorded.

    ``code`` is its blind index; ``render`` makes the reply from the agency and the times it is active from and until.
    """

    check: RegistryCheck
    result: CheckResult
    given: GivenIdentifier
    canonical: str
    code: bytes
    by: Reporter
    random_bytes: Callable[[int], bytes]
    render: Callable[[str, str, str], bytes]

    def compose(self, _: Mapping[str, Subject]) -> Composition:
        """Return the record, which is of no verification, and the activation itself."""
        at = self.by.moments.received_at
        until = rfc3339(at + ACTIVATION_LASTS)
        sealed = SealedFields(self.random_bytes)
        record = event(OP_CODE_ACTIVATED, None, self._body(sealed), by=self.by, checked_at=self.check.checked_at)

        def reply(_: Sequence[Placed], __: Mapping[str, Subject]) -> bytes:
            return self.render(self.check.agency, rfc3339(at), until)

        return Composition((Draft(record, tuple(sealed.fields)),), reply, (Activation(self.code, until),))

    def _body(self, sealed: SealedFields) -> dict[str, Any]:
        identifier = {
            "kind": OP_CODE,
            "typed": sealed.seal(self.given.value),
            "canonical": sealed.seal(self.canonical),
        }
        return body(
            told_by_agency={"agency": self.check.agency, "identifier": identifier},
            computed={
                "tags": sealed.seal(self.result.tags),
                "edition": self.check.edition,
                "roster_sha256": self.check.roster_sha256,
            },
        )
