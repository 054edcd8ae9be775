"""Write down what is refused to whom, in no more events than an auditor can read."""

from __future__ import annotations

import logging
import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from verify_service.access.event import AccessEvents
    from verify_service.caller import Caller
    from verify_service.clock import Clock

logger = logging.getLogger(__name__)

WINDOW = timedelta(minutes=10)
WRITTEN_EACH = 8
MOST_WINDOWS = 4096


@dataclass
class _Window:
    """What one caller was refused at one operation for one reason; ``last`` is what the newest refusal was about."""

    caller: Caller
    operation: str
    reason: str
    began: datetime
    last: tuple[str | None, str | None]
    refused: int = 0
    written: int = 0


class Refusals:
    """Refusals as this process sees them.

    Of each caller, operation and reason the first eight in ten minutes are an event each. After those the sixteenth,
    the thirty-second and so on are one, with the number since the event before; what is left over follows once the ten
    minutes are past and anybody is refused anything. So a million refusals are 25 events. Where the process ends before
    that, less than half of a caller's refusals were not written yet.
    """

    def __init__(self, events: AccessEvents, clock: Clock) -> None:
        self._events = events
        self._clock = clock
        self._windows: OrderedDict[tuple[str, ...], _Window] = OrderedDict()
        self._unknown: Counter[str] = Counter()
        self._lock = threading.Lock()

    def refused(self, caller: Caller, operation: str, subject: str | None, reason: str, address: str | None) -> None:
        """Count a refusal and write what is due; raise Unavailable where it cannot be written."""
        with self._lock:
            due = [*self._ended(), *self._counted(caller, operation, reason, (subject, address))]
        for place, (window, count) in enumerate(due):
            try:
                self._events.refused(window.caller, window.operation, window.reason, count, *window.last)
            except BaseException:
                self._keep(due[place:])
                raise

    def unknown(self, operation: str) -> None:
        """Count a request without a token that is good here; whose it was is not known, so it is nobody's event."""
        with self._lock:
            self._unknown[operation] += 1
            count = self._unknown[operation]
        if _is_power_of_two(count):
            logger.warning("%s was refused %d times to callers without a good token", operation, count)

    def unknown_counts(self) -> dict[str, int]:
        """Return how often each operation was refused to callers without a good token since the process began."""
        with self._lock:
            return dict(self._unknown)

    def _counted(
        self, caller: Caller, operation: str, reason: str, last: tuple[str | None, str | None]
    ) -> list[tuple[_Window, int]]:
        name = (caller.department, caller.identity, operation, reason)
        window = self._windows.get(name)
        if window is None:
            window = self._windows[name] = _Window(caller, operation, reason, self._clock.now(), last)
        window.refused += 1
        window.last = last
        if window.refused <= WRITTEN_EACH or _is_power_of_two(window.refused):
            return [_due(window)]
        return []

    def _ended(self) -> list[tuple[_Window, int]]:
        """Close the windows that are past, or too many, and return what of them was not written yet."""
        now, due = self._clock.now(), []
        while self._windows:
            name, oldest = next(iter(self._windows.items()))
            if now - oldest.began < WINDOW and len(self._windows) < MOST_WINDOWS:
                break
            del self._windows[name]
            if oldest.refused > oldest.written:
                due.append(_due(oldest))
        return due

    def _keep(self, due: list[tuple[_Window, int]]) -> None:
        """Put back what could not be written."""
        with self._lock:
            for window, count in due:
                window.written -= count
                name = (window.caller.department, window.caller.identity, window.operation, window.reason)
                self._windows.setdefault(name, window)


def _due(window: _Window) -> tuple[_Window, int]:
    count = window.refused - window.written
    window.written = window.refused
    return window, count


def _is_power_of_two(count: int) -> bool:
    return count & (count - 1) == 0
