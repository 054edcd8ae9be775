"""Describe what may follow a submission, each kind with the body it writes and what it must not be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from verify_service.errors import InvalidRequest
from verify_service.verification.event import body
from verify_service.verification.outcome import CONCLUSIONS

if TYPE_CHECKING:
    from verify_service.verification.case import Case
    from verify_service.verification.claim import PhotoCredential
    from verify_service.verification.event import Moments
    from verify_service.verification.sealing import SealedFields

INTERRUPTIONS = ("left_scene", "stopped_for_safety", "other")
DISPUTE_SOURCES = ("agency", "agent", "other")
DISPUTE_ANSWERS = ("upheld", "partly_upheld", "not_upheld")


class Fact(Protocol):
    """Something that may be appended to a verification.

    ``kind`` is the event's kind; ``decides`` says that the outcome and words are computed anew; ``by_supervisor``
    that only a supervisor appends it (a partner may, where ``by_partner``).
    """

    kind: ClassVar[str]
    decides: ClassVar[bool]
    by_supervisor: ClassVar[bool]
    by_partner: ClassVar[bool]

    def body(self, case: Case, sealed: SealedFields, moments: Moments, *, relayed: bool) -> dict[str, Any]:
        """Return the event's body; raise InvalidRequest where it cannot stand on this verification."""


class OfficerFact:
    """What an officer or dispatcher appends, changing what the facts support."""

    decides: ClassVar[bool] = True
    by_supervisor: ClassVar[bool] = False
    by_partner: ClassVar[bool] = False


class SupervisorAct:
    """What a supervisor appends; it changes no fact."""

    decides: ClassVar[bool] = False
    by_supervisor: ClassVar[bool] = True
    by_partner: ClassVar[bool] = False


@dataclass(frozen=True)
class PhotoCompared(OfficerFact):
    """An uncovered face compared with the photo credential."""

    photo: PhotoCredential
    note: str | None = None
    kind: ClassVar[str] = "photo_credential_compared"

    def body(self, case: Case, sealed: SealedFields, moments: Moments, *, relayed: bool) -> dict[str, Any]:  # noqa: ARG002
        """Return the body; raise InvalidRequest where no number was given that a credential could bear."""
        if self.photo.result == "not_shown":
            raise InvalidRequest.at(
                "/photo_credential/result", "`not_shown` is no comparison: there is nothing to record."
            )
        if case.identifier is None:
            raise InvalidRequest.at(
                "/photo_credential/result",
                "No number was given yet: correct the submission with the credential's number.",
            )
        return photo_body(self.photo, relayed=relayed, note=sealed.seal(self.note))


@dataclass(frozen=True)
class Interrupted(OfficerFact):
    """The check stopped before it was finished."""

    reason: str
    note: str | None = None
    kind: ClassVar[str] = "interrupted"

    def body(self, case: Case, sealed: SealedFields, moments: Moments, *, relayed: bool) -> dict[str, Any]:  # noqa: ARG002
        """Return the body."""
        return body(relayed=relayed, observed={"reason": self.reason, "note": sealed.seal(self.note)}, computed={})


@dataclass(frozen=True)
class Concluded(SupervisorAct):
    """A supervisor's conclusion, with the events it relies on."""

    outcome: str
    facts_relied_on: tuple[int, ...]
    reason: str
    kind: ClassVar[str] = "concluded"
    decides: ClassVar[bool] = True

    def body(self, case: Case, sealed: SealedFields, moments: Moments, *, relayed: bool) -> dict[str, Any]:  # noqa: ARG002
        """Return the body; raise InvalidRequest for a conclusion that is nobody's to make or rests on nothing."""
        if self.outcome not in CONCLUSIONS:
            raise InvalidRequest.at(
                "/concluded/outcome", f"Conclude one of {', '.join(CONCLUSIONS)}; `verified` never."
            )
        standing = {event.seq for event in case.events if not event.withdrawn}
        if not self.facts_relied_on or not standing.issuperset(self.facts_relied_on):
            raise InvalidRequest.at(
                "/concluded/facts_relied_on", "Name the `seq` of at least one event that stands on this verification."
            )
        return {
            "outcome": self.outcome,
            "facts_relied_on": sorted(set(self.facts_relied_on)),
            "reason": sealed.seal(self.reason),
            "computed": {},
        }


@dataclass(frozen=True)
class Released(SupervisorAct):
    """Releases the present outcome to the person who asked."""

    kind: ClassVar[str] = "released"

    def body(self, case: Case, sealed: SealedFields, moments: Moments, *, relayed: bool) -> dict[str, Any]:  # noqa: ARG002
        """Return the body."""
        return {"outcome": case.outcome}


@dataclass(frozen=True)
class GroundedAct(SupervisorAct):
    """What a supervisor does on a ground, with the reference of its paper."""

    ground: str
    reference: str | None = None
    kind: ClassVar[str]

    def body(self, case: Case, sealed: SealedFields, moments: Moments, *, relayed: bool) -> dict[str, Any]:  # noqa: ARG002
        """Return the body; raise InvalidRequest where there is nothing to do."""
        self._check(case)
        return {"ground": self.ground, "reference": self.reference}

    def _check(self, case: Case) -> None:
        """Raise InvalidRequest where this cannot be done as the verification stands."""


@dataclass(frozen=True)
class Sealing(GroundedAct):
    """Seals a verification from officers and dispatchers."""

    kind: ClassVar[str] = "sealed"

    def _check(self, case: Case) -> None:
        if case.sealed:
            raise InvalidRequest.at("/kind", "This verification is sealed already.")


@dataclass(frozen=True)
class Unsealing(GroundedAct):
    """Lifts a seal."""

    kind: ClassVar[str] = "unsealed"

    def _check(self, case: Case) -> None:
        if not case.sealed:
            raise InvalidRequest.at("/kind", "This verification is not sealed.")


@dataclass(frozen=True)
class HoldPlaced(GroundedAct):
    """Keeps a verification from retention and expunging until it is lifted."""

    kind: ClassVar[str] = "hold_placed"


@dataclass(frozen=True)
class HoldLifted(GroundedAct):
    """Lifts every hold that was placed with the same reference."""

    kind: ClassVar[str] = "hold_lifted"

    def _check(self, case: Case) -> None:
        if self.reference not in case.holds:
            named = "without a reference" if self.reference is None else f"with the reference {self.reference}"
            raise InvalidRequest.at("/hold_lifted/reference", f"No hold {named} stands on this verification.")


@dataclass(frozen=True)
class Disputed(SupervisorAct):
    """Someone says that a check was wrong; an agency's partner enters it, or a supervisor for anyone."""

    source: str
    statement: str | None = None
    kind: ClassVar[str] = "disputed"
    by_partner: ClassVar[bool] = True

    def body(self, case: Case, sealed: SealedFields, moments: Moments, *, relayed: bool) -> dict[str, Any]:  # noqa: ARG002
        """Return the body."""
        return {"source": self.source, "statement": sealed.seal(self.statement)}


@dataclass(frozen=True)
class DisputeAnswered(SupervisorAct):
    """A supervisor's answer to a dispute."""

    disputes_seq: int
    answer: str
    reason: str
    kind: ClassVar[str] = "dispute_answered"

    def body(self, case: Case, sealed: SealedFields, moments: Moments, *, relayed: bool) -> dict[str, Any]:  # noqa: ARG002
        """Return the body; raise InvalidRequest where there is no such dispute."""
        if self.disputes_seq not in {event.seq for event in case.standing("disputed")}:
            raise InvalidRequest.at("/dispute_answered/disputes_seq", "No dispute stands at this `seq`.")
        return {"disputes_seq": self.disputes_seq, "answer": self.answer, "reason": sealed.seal(self.reason)}


def photo_body(photo: PhotoCredential, *, relayed: bool, note: str | None = None) -> dict[str, Any]:
    """Write the body of a photo comparison."""
    return body(
        relayed=relayed,
        observed={
            "result": photo.result,
            "face_seen": photo.face_seen,
            "credential_number_matches": photo.credential_number_matches,
            "note": note,
        },
        computed={},
    )
