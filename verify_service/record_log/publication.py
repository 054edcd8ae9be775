"""Decide when the public log is due: once a day at the department's hour, made up once after a missed day."""

from __future__ import annotations

import logging
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from verify_service.clock import parse_rfc3339
from verify_service.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from verify_service.clock import Clock
    from verify_service.record_log.record_log import RecordLog

logger = logging.getLogger(__name__)
RETRY_SECONDS = 60.0
# The clock may be set, and daylight saving may begin, while this sleeps.
LONGEST_SLEEP_SECONDS = 600.0


class DailyPublication:
    """Publish one log once a day, however many hosts and workers ask.

    ``check`` raises where the log must not be published, as one that is behind its witnesses.
    """

    def __init__(
        self, log: RecordLog, hour: time, zone: ZoneInfo, clock: Clock, check: Callable[[], None] = lambda: None
    ) -> None:
        self._log = log
        self._hour = hour
        self._zone = zone
        self._clock = clock
        self._check = check

    def last_due(self) -> datetime:
        """Return the newest moment at which a publication was due."""
        local = self._clock.now().astimezone(self._zone)
        today = datetime.combine(local.date(), self._hour, self._zone)
        return today if today <= local else datetime.combine(local.date() - timedelta(days=1), self._hour, self._zone)

    def seconds_to_next(self) -> float:
        """Return how long it is until the next publication is due."""
        following = datetime.combine(self.last_due().date() + timedelta(days=1), self._hour, self._zone)
        return max(0.0, (following - self._clock.now()).total_seconds())

    def run_daily(self, sleep: Callable[[float], None]) -> None:
        """Publish whenever it is due, for ever; what failed is tried again after a minute."""
        while True:
            try:
                size = self.publish_if_due()
            except ServiceError as error:
                logger.warning("the log was not published: %s", error.diagnosis)
                sleep(RETRY_SECONDS)
                continue
            if size is not None:
                logger.info("published %s entries", size)
            sleep(min(self.seconds_to_next(), LONGEST_SLEEP_SECONDS) + 1)

    def publish_if_due(self) -> int | None:
        """Publish unless it was done since it was last due; return the size published, else None.

        Raises what ``check`` raises where it is due.
        """
        due = self.last_due()

        def is_due(_: int) -> bool:
            newest = self._log.last_published()
            return newest is None or newest.published_at is None or parse_rfc3339(newest.published_at) < due

        if not is_due(0):
            return None
        self._check()
        return self._log.publish(is_due)
