"""Give the person who asked another code for their receipt, on record, and with no name of theirs stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.access.event import Act
from verify_service.errors import InvalidRequest, NotFound
from verify_service.verification.statement import FurtherCode, code_sha256, new_code

if TYPE_CHECKING:
    from collections.abc import Callable

    from verify_service.access.event import AccessEvents
    from verify_service.access.reading import Reading
    from verify_service.caller import Caller
    from verify_service.record_log.append import RetryKey

OPERATION = "reissueRequesterCode"


@dataclass(frozen=True)
class Reissue:
    """Which receipt is asked for: that of a verification at an incident, or of the only one made there.

    Unless ``ends_earlier``, whoever still holds an earlier code keeps their receipt.
    """

    incident: str
    verification: str | None
    ends_earlier: bool
    address: str | None


class RequesterCodes:
    """The codes that open the requesters' pages."""

    def __init__(self, reading: Reading, events: AccessEvents, random_bytes: Callable[[int], bytes]) -> None:
        self._reading = reading
        self._events = events
        self._random_bytes = random_bytes

    def reissue(self, caller: Caller, asked: Reissue, key: RetryKey, render: Callable[[str], bytes]) -> bytes:
        """Make a new code and return what ``render`` makes of it; with the same key again, the same bytes.

        The event, the code and the reply are one transaction. Raises NotFound where the incident, or every verification
        of it, is not this caller's, and InvalidRequest where it is not clear which one is meant.
        """
        verification = self._meant(caller, asked)
        code, ref = new_code(self._random_bytes), f"verification:{verification}"
        act = Act(
            OPERATION,
            ref,
            {"ends_earlier": asked.ends_earlier},
            render(code),
            address=asked.address,
            links=(FurtherCode(verification, code_sha256(code), asked.ends_earlier),),
            reply_of=ref,
        )
        return self._events.acted(caller, act, key)

    def _meant(self, caller: Caller, asked: Reissue) -> str:
        _, cases, _ = self._reading.scene(caller, asked.incident)
        if not cases:
            raise NotFound("No verification that you may see was made at this incident.")
        meant = [case.id for case in cases if asked.verification in {None, case.id}]
        if not meant:
            raise InvalidRequest.at("/verification", "No such verification was made at this incident.")
        if len(meant) > 1:
            raise InvalidRequest.at(
                "/verification",
                f"{len(meant)} were made at this incident: name one, by its id in the incident.",
            )
        return meant[0]
