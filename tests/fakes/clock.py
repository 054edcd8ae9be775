"""A clock that stands still until it is told."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 24, 5, 4, 9, tzinfo=UTC)


class SetClock:
    def __init__(self, moment=START):
        self.moment = moment

    def now(self):
        return self.moment

    def advance(self, **by):
        self.moment += timedelta(**by)
