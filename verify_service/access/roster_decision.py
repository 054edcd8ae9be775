"""Put a decision about a roster that waits on record before it is in force."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from verify_service.access.event import Act
from verify_service.clock import parse_rfc3339, rfc3339
from verify_service.record_log.record import SealedField
from verify_service.registry.hold import Decision

if TYPE_CHECKING:
    from collections.abc import Callable

    from verify_service.access.event import AccessEvents
    from verify_service.caller import Caller
    from verify_service.registry.hold import Waiting

OPERATION = "decideAboutRoster"
SALT_BYTES = 32


@dataclass(frozen=True)
class DecisionRecord:
    """Where the decisions of a deployment are on record: the departments' access logs."""

    events: AccessEvents
    random_bytes: Callable[[int], bytes]

    def put(self, caller: Caller, waiting: Waiting, decision: Decision, address: str | None = None) -> Decision:
        """Record a decision, once for each roster, and return the first that was recorded about it.

        So a decision that was recorded, and then not put in force, is the one that stands when somebody decides again.
        The reason, which may name people, stands as a salted digest.
        """
        hold, reason = waiting.hold, SealedField(decision.reason, self.random_bytes(SALT_BYTES))
        detail = {
            "agency": hold.agency,
            "from_seq": hold.from_seq,
            "to_seq": hold.to_seq,
            "signatures": hold.signatures,
            "approved": decision.approved,
            "reason": reason.digest,
        }
        reply = json.dumps({**vars(decision), "at": rfc3339(decision.at)}).encode()
        subject = f"roster:{hold.sha256}"
        act = Act(OPERATION, subject, detail, reply, (reason,), address)
        first = Decision(**json.loads(self.events.acted(caller, act, self.events.once(caller, OPERATION, subject))))
        return replace(first, at=parse_rfc3339(str(first.at)))
