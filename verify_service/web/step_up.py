"""Ask for a recent and strong sign-in before what a stolen phone must not do (RFC 9470)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.errors import NotAuthenticated

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from verify_service.caller import Caller


@dataclass(frozen=True)
class StepUp:
    """What a sign-in must have been: of one of the classes in ``acr_values``, and not longer ago than ``max_age``."""

    acr_values: tuple[str, ...]
    max_age: timedelta

    def check(self, caller: Caller, now: datetime) -> None:
        """Raise NotAuthenticated unless the caller signed in so; its challenge says what to ask the issuer for."""
        signed_in = caller.signed_in_at
        if signed_in is None or now.timestamp() - signed_in > self.max_age.total_seconds():
            minutes = int(self.max_age.total_seconds() // 60)
            raise self._insufficient(f"This needs a sign-in of the last {minutes} minutes: sign in again.")
        if caller.acr not in self.acr_values:
            raise self._insufficient("This needs a stronger sign-in, such as with a passkey: sign in again.")

    def _insufficient(self, detail: str) -> NotAuthenticated:
        return NotAuthenticated(
            detail,
            "insufficient_user_authentication",
            acr_values=" ".join(self.acr_values),
            max_age=str(int(self.max_age.total_seconds())),
        )
