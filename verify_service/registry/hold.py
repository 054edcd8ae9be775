"""Hold a roster that changed too much until a person decided about exactly that one."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from verify_service.clock import rfc3339
from verify_service.errors import NotFound, PreconditionFailed, RegistryRefused
from verify_service.registry.roster_change import RosterChange

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from verify_service.registry.edition import Edition


@dataclass(frozen=True)
class Hold:
    """A roster, named by its SHA-256, that is not taken, and how it differs from the one that answers meanwhile.

    ``signatures`` is how many keys' signatures counted for the role that signs for it. ``grounds`` are sentences on why
    it is held beside the numbers of ``change``.
    """

    agency: str
    sha256: str
    from_seq: int
    to_seq: int
    signatures: int
    change: RosterChange
    grounds: tuple[str, ...] = ()

    @property
    def reason(self) -> str:
        """Why it is held, and by what it differs, in words."""
        change = self.change
        newly = [f"{count} newly {status}" for status, count in change.newly.items() if count]
        how = (
            "By the numbers of each kind and status alone, since its key is another, at least "
            if change.by_counts
            else ""
        )
        return (
            f"The roster of {self.agency} with number {self.to_seq} waits for a person. {how}"
            f"{change.counts}{''.join(f', {each}' for each in newly)}.{''.join(f' {each}' for each in self.grounds)}"
        )

    @classmethod
    def of_document(cls, document: dict[str, Any]) -> Hold:
        """Read what ``document`` wrote."""
        change, grounds = RosterChange(**document["change"]), tuple(document.get("grounds", ()))
        return cls(**{**document, "change": change, "grounds": grounds})

    def document(self) -> dict[str, Any]:
        """Return the hold as a JSON document."""
        return {**asdict(self), "grounds": list(self.grounds)}


@dataclass(frozen=True)
class Decision:
    """What a person decided about a hold, why, who it was, and when."""

    approved: bool
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True)
class HeldRoster:
    """A hold as it is kept: the cycle's time at which it was first met, and what was decided about it, if anything."""

    hold: Hold
    since: datetime
    decision: Decision | None

    def require_approved(self) -> None:
        """Raise RegistryRefused where a person rejected it."""
        if self.decision is not None and not self.decision.approved:
            raise RegistryRefused(
                f"The roster of {self.hold.agency} with number {self.hold.to_seq} was rejected by {self.decision.by} "
                f"at {rfc3339(self.decision.at)} ({self.decision.reason}): the agency has to publish another."
            )


@dataclass(frozen=True)
class Waiting:
    """A hold of a department; ``answers_until`` is when what is held now expires, None where nothing is."""

    department: str
    held: HeldRoster
    answers_until: datetime | None

    @property
    def hold(self) -> Hold:
        """The hold itself."""
        return self.held.hold

    def document(self) -> dict[str, Any]:
        """Return it as a JSON document."""
        return {
            "department": self.department,
            "since": rfc3339(self.held.since),
            "answers_until": None if self.answers_until is None else rfc3339(self.answers_until),
            **self.hold.document(),
        }


class HoldStore(Protocol):
    """Where holds are kept; none is ever removed, and a decision is never changed."""

    def current(self, department: str) -> Edition | None:
        """Return the edition that stands, None before the first ingest."""

    def holds(self, department: str) -> Sequence[HeldRoster]:
        """Return every hold there ever was, the one that a cycle met last at the end."""

    def decide(self, department: str, agency: str, sha256: str, decision: Decision) -> bool:
        """Keep a decision about an undecided hold; return False, keeping nothing, where there is no such hold."""


class RecordDecision(Protocol):
    """Puts a decision on record, once for each roster."""

    def __call__(self, waiting: Waiting, decision: Decision) -> Decision:
        """Return the first decision that is on record about it; raise Unavailable where none can be recorded."""


class Holds:
    """The holds of a deployment's departments, for the person who decides about them."""

    def __init__(self, departments: Sequence[str], store: HoldStore) -> None:
        self._departments = departments
        self._store = store

    def undecided(self, department: str | None = None) -> list[Waiting]:
        """Return what waits for a decision, in one department where it is named.

        A roster does not wait where the agency published another since, which was taken or waits itself.
        """
        waiting = []
        for each in self._departments if department is None else [department]:
            edition = self._store.current(each)
            newest = {held.hold.agency: held for held in self._store.holds(each)}
            waiting += [
                Waiting(each, held, _expiry(agency, edition))
                for agency, held in sorted(newest.items())
                if _waits(held, edition)
            ]
        return waiting

    def find(self, department: str, sha256: str) -> Waiting:
        """Return a hold of a department, decided or not; raise NotFound where there never was one."""
        edition = self._store.current(department)
        for held in self._store.holds(department):
            if held.hold.sha256 == sha256:
                return Waiting(department, held, _expiry(held.hold.agency, edition))
        raise NotFound("No roster with this SHA-256 was ever held here.")

    def meant(self, agency: str, sha256: str | None = None) -> list[Waiting]:
        """Return one roster of an agency in every department where it waits; ``sha256`` names it where several wait.

        Raises RegistryRefused where none does, or where it is not clear which one is meant.
        """
        waiting = [each for each in self.undecided() if each.hold.agency == agency]
        meant = [each for each in waiting if sha256 in {None, each.hold.sha256}]
        if not meant:
            others = f" What waits of it is {_named(waiting)}." if waiting else ""
            raise RegistryRefused(f"No such roster of {agency} waits for a decision.{others}")
        if len({each.hold.sha256 for each in meant}) > 1:
            raise RegistryRefused(f"Several rosters of {agency} wait: name one by --sha256. They are {_named(meant)}.")
        return meant

    def decide(self, meant: Sequence[Waiting], decision: Decision, record: RecordDecision) -> None:
        """Put a decision on record and then in force; raise PreconditionFailed where another one stood before."""
        for each in meant:
            hold = each.hold
            first = record(each, decision)
            self._store.decide(each.department, hold.agency, hold.sha256, first)
            if first != replace(decision, at=first.at):
                raise PreconditionFailed(
                    f"Somebody else decided about this roster of {hold.agency} before: {first.by} "
                    f"{'approved' if first.approved else 'rejected'} it at {rfc3339(first.at)}."
                )


def _waits(held: HeldRoster, edition: Edition | None) -> bool:
    agency = None if edition is None else edition.agencies.get(held.hold.agency)
    if agency is None or held.decision is not None:
        return False
    return agency.roster is None or agency.roster.seq < held.hold.to_seq


def _expiry(agency: str, edition: Edition | None) -> datetime | None:
    state = None if edition is None else edition.agencies.get(agency)
    return None if state is None or state.role is None else state.role.expires


def _named(waiting: Sequence[Waiting]) -> str:
    return ", ".join(f"number {each.hold.to_seq} ({each.hold.sha256})" for each in waiting)
