"""Destroy verifications and incidents: what they hold goes; that it went, on what ground and by whose leave, stays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from verify_service.clock import rfc3339, uuid7
from verify_service.errors import InvalidRequest, NotAllowed, NotFound
from verify_service.verification.destruction import Warrant
from verify_service.verification.retention import holds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from verify_service.caller import Caller
    from verify_service.clock import Clock
    from verify_service.verification.case import Case
    from verify_service.verification.destruction import Destroyer, Standing
    from verify_service.verification.event import Reporter
    from verify_service.verification.incident import Incident


@dataclass(frozen=True, kw_only=True)
class ExpungeOrder:
    """An order with the reference of its paper; it is carried out once a second person approves.

    ``incidents`` are destroyed after the verifications, which have to be all that were made there.

    ``statements`` destroys what the person who asked may hold too; ``releases_holds`` names holds as overruled.
    """

    id: str
    ground: str
    reference: str
    verifications: tuple[str, ...]
    incidents: tuple[str, ...]
    statements: bool
    releases_holds: bool
    ordered_by: str
    ordered_at: str
    approved_by: str | None = None
    carried_out_at: str | None = None


class ExpungeOrders(Protocol):
    """Where orders are kept, and what they need of the log's tables."""

    def put(self, department: str, order: ExpungeOrder) -> None:
        """Keep an order as it now stands."""

    def get(self, department: str, order: str) -> ExpungeOrder | None:
        """Return an order, None where there is none."""

    def standing(self, department: str, ref: str) -> Standing:
        """Return where a verification or incident stands; its events are empty where it is unknown or gone."""

    def remaining(self, department: str, incident: str) -> list[str]:
        """Return the verifications of an incident that are still there."""


class Find(Protocol):
    """Finds a verification that a caller may see; raises NotFound, or Expunged where it went before."""

    def __call__(self, caller: Caller, verification: str) -> tuple[Case, Incident, str]:
        """Return it with its incident and their version."""


class Expunging:
    """Takes orders and carries them out."""

    def __init__(
        self,
        orders: ExpungeOrders,
        destroyer: Destroyer,
        find: Find,
        clock: Clock,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._orders = orders
        self._destroyer = destroyer
        self._find = find
        self._clock = clock
        self._random_bytes = random_bytes

    def order(self, caller: Caller, given: Mapping[str, Any]) -> ExpungeOrder:
        """Take an order; raise InvalidRequest where a hold stands that it does not release."""
        now = self._clock.now()
        order = ExpungeOrder(
            id=uuid7(now, self._random_bytes), ordered_by=caller.serial, ordered_at=rfc3339(now), **given
        )
        self._check(caller, order)
        self._orders.put(caller.department, order)
        return order

    def find(self, caller: Caller, order: str) -> ExpungeOrder:
        """Return an order; raise NotFound where there is none."""
        found = self._orders.get(caller.department, order)
        if found is None:
            raise NotFound("There is no such order here.")
        return found

    def approve(self, by: Reporter, order: str) -> ExpungeOrder:
        """Carry an order out on the word of a second person; asked again, go on where it broke off.

        Raises NotAllowed where the one who ordered it approves, InvalidRequest where a hold was placed meanwhile.
        """
        caller, found = by.caller, self.find(by.caller, order)
        if found.carried_out_at is not None:
            return found
        if caller.serial == found.ordered_by:
            raise NotAllowed("A second supervisor approves: who ordered it may not.")
        verifications = self._left(caller.department, "verification", found.verifications)
        incidents = self._left(caller.department, "incident", found.incidents)
        self._check(caller, replace(found, verifications=verifications, incidents=incidents))
        warrant = Warrant(found.ground, found.reference, (found.ordered_by, caller.serial))
        refs = [f"verification:{id_}" for id_ in found.verifications] + [f"incident:{id_}" for id_ in found.incidents]
        for ref in refs:
            self._destroyer.destroy(by, ref, warrant, statements=found.statements)
        self._destroyer.forget()
        done = replace(found, approved_by=caller.serial, carried_out_at=rfc3339(self._clock.now()))
        self._orders.put(caller.department, done)
        return done

    def _check(self, caller: Caller, order: ExpungeOrder) -> None:
        faults = {}
        for place, verification in enumerate(order.verifications):
            case, incident, _ = self._find(caller, verification)
            reasons = holds(case, incident)
            if reasons and not order.releases_holds:
                faults[f"/verifications/{place}"] = [
                    f"It is held: {', '.join(reasons)}. An order that releases these holds says so (`releases_holds`)."
                ]
        for place, scene in enumerate(order.incidents):
            others = set(self._orders.remaining(caller.department, scene)) - set(order.verifications)
            if others:
                faults[f"/incidents/{place}"] = [f"{len(others)} more verifications were made there: name them too."]
            elif not self._orders.standing(caller.department, f"incident:{scene}").events:
                faults[f"/incidents/{place}"] = ["There is no such incident here."]
        if faults:
            raise InvalidRequest(faults)

    def _left(self, department: str, form: str, ids: Sequence[str]) -> tuple[str, ...]:
        return tuple(id_ for id_ in ids if self._orders.standing(department, f"{form}:{id_}").events)
