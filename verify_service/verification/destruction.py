"""Destroy one subject and say so where a backup cannot undo it; in a restored database, destroy it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from verify_service.caller import Caller
from verify_service.errors import ConfigurationError, InvalidRequest
from verify_service.record_log.absence import EXPUNGED
from verify_service.record_log.append import Append, Composition, Draft
from verify_service.record_log.tombstones import Tombstone
from verify_service.verification.event import Moments, Reporter, event

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from verify_service.clock import Clock
    from verify_service.record_log.append import Placed
    from verify_service.record_log.log import Subject
    from verify_service.record_log.logs import Logs
    from verify_service.record_log.tombstones import Buried

# A log's name and an index in it.
Place = tuple[str, int]


@dataclass(frozen=True)
class Destruction:
    """What goes in the same transaction in which it is recorded that it went."""

    subject: str
    places: tuple[Place, ...]
    statements: bool
    ref: None = None
    alias: None = None


@dataclass(frozen=True)
class Standing:
    """Where the events of a subject and, of a verification, its statements stand."""

    events: tuple[Place, ...]
    statements: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Warrant:
    """On what ground something is destroyed, and by whose leave: two people at least."""

    ground: str
    reference: str
    approvers: tuple[str, ...]


class Graves(Protocol):
    """What destroying needs of the log's tables."""

    def standing(self, department: str, ref: str) -> Standing:
        """Return where a verification or incident stands; its events are empty where it is unknown or gone."""

    def buried(self, department: str, ref: str) -> tuple[Buried, ...]:
        """Return the entries of a subject, and of a verification its statements', whose records are gone."""

    def held(self, department: str, entries: Collection[Buried]) -> set[Buried]:
        """Return those of the entries whose records this database holds."""

    def forget(self) -> None:
        """Let the database overwrite what was deleted, in its journal too."""


class Tombstones(Protocol):
    """Where it is kept, apart from the database, what was destroyed."""

    def add(self, tombstone: Tombstone) -> None:
        """Keep a tombstone for good; raise LogRefused where that fails."""

    def read(self) -> list[Tombstone]:
        """Return every tombstone, oldest first."""


class Destroyer:
    """Destroys subjects of any department; ``tombstones`` gives a department's."""

    def __init__(self, graves: Graves, tombstones: Callable[[str], Tombstones], logs: Logs, clock: Clock) -> None:
        self._graves = graves
        self._tombstones = tombstones
        self._logs = logs
        self._clock = clock

    def destroy(self, by: Reporter, ref: str, warrant: Warrant, *, statements: bool) -> None:
        """Destroy one subject, record in the same transaction that it went, and then set its tombstone.

        Of a subject that is gone it sees to the tombstone alone: what broke off may not have come to it.
        """
        department, tombstones = by.caller.department, self._tombstones(by.caller.department)
        stood = bool(self._graves.standing(department, ref).events)
        if stood:
            self._destroy(by, ref, warrant, statements=statements)
        buried = self._graves.buried(department, ref)
        if stood or (buried and not any(set(buried) <= set(known.entries) for known in tombstones.read())):
            tombstones.add(Tombstone(ref, warrant.ground, warrant.reference, warrant.approvers, statements, buried))

    def forget(self) -> None:
        """Let the database overwrite what was deleted, in its journal too."""
        self._graves.forget()

    def returned(self, department: str) -> list[Tombstone]:
        """Return the tombstones of what this database holds all the same, as a backup from before does."""
        tombstones = self._tombstones(department).read()
        held = self._graves.held(department, {entry for known in tombstones for entry in known.entries})
        return [known for known in tombstones if not held.isdisjoint(known.entries)]

    def destroy_again(self, department: str) -> int:
        """Destroy what came back with a backup, on the ground on which it went; return the number of subjects.

        Raises ConfigurationError where the read models lack a subject whose records are there.
        """
        returned = {known.subject: known for known in self.returned(department)}
        by = Reporter(Caller.at_command_line(department, "restore", "restore"), Moments(received_at=self._clock.now()))
        for ref, known in returned.items():
            if not self._graves.standing(department, ref).events:
                raise ConfigurationError(
                    f"{ref} was destroyed by order and its records are back, but the read models do not know it: run "
                    "`verify-service db rebuild-read-models`, then this again. Where it says so again, tables of two "
                    "backups were mixed: restore one backup whole."
                )
            warrant = Warrant(known.ground, known.reference, known.approvers)
            self._destroy(by, ref, warrant, statements=known.statements)
        if returned:
            self._graves.forget()
        return len(returned)

    def _destroy(self, by: Reporter, ref: str, warrant: Warrant, *, statements: bool) -> None:
        department = by.caller.department
        standing = self._graves.standing(department, ref)
        places = standing.events + (standing.statements if statements else ())

        def compose(subjects: Mapping[str, Subject]) -> Composition:
            if subjects[ref].seq != len(standing.events):
                raise InvalidRequest.at("", "This has just gone on: send the approval again.")
            content = {
                "ground": warrant.ground,
                "reference": warrant.reference,
                "approvers": list(warrant.approvers),
                "indexes": sorted({index for _, index in places}),
            }
            gone = Destruction(ref, places, statements)
            return Composition((Draft(event(EXPUNGED, ref, content, by=by)),), _no_reply, (gone,))

        self._logs.records(department).append(Append(frozenset({ref}), compose))


def _no_reply(_: Sequence[Placed], __: Mapping[str, Subject]) -> bytes:
    return b""
