"""Decide when the public log is due: once a day at the department's hour, made up once after a missed day."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from verify_service.clock import parse_rfc3339

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from verify_service.clock import Clock
    from verify_service.record_log.record_log import RecordLog


class DailyPublication:
    """Publish one log once a day, however many hosts and workers ask."""

    def __init__(self, log: RecordLog, hour: time, zone: ZoneInfo, clock: Clock) -> None:
        self._log = log
        self._hour = hour
        self._zone = zone
        self._clock = clock

    def last_due(self) -> datetime:
        """Return the newest moment at which a publication was due."""
        local = self._clock.now().astimezone(self._zone)
        today = datetime.combine(local.date(), self._hour, self._zone)
        return today if today <= local else datetime.combine(local.date() - timedelta(days=1), self._hour, self._zone)

    def seconds_to_next(self) -> float:
        """Return how long it is until the next publication is due."""
        following = datetime.combine(self.last_due().date() + timedelta(days=1), self._hour, self._zone)
        return max(0.0, (following - self._clock.now()).total_seconds())

    def publish_if_due(self) -> int | None:
        """Publish unless it was done since it was last due; return the size published, else None."""
        due = self.last_due()

        def is_due(_: int) -> bool:
            newest = self._log.last_published()
            return newest is None or newest.published_at is None or parse_rfc3339(newest.published_at) < due

        return self._log.publish(is_due) if is_due(0) else None
