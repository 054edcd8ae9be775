"""Tell the time and make time-ordered ids; everything else is given its time as an argument."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable

RandomBytes = "Callable[[int], bytes]"


class Clock(Protocol):
    """The present moment, as an aware UTC datetime."""

    def now(self) -> datetime:
        """Return the present moment."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the machine's present moment in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - This is the one place that reads the clock.


def rfc3339(moment: datetime) -> str:
    """Write an aware moment as RFC 3339 UTC with milliseconds, such as ``2026-11-24T21:04:05.000Z``."""
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text[:-6] + "Z"


def parse_rfc3339(text: str) -> datetime:
    """Read an RFC 3339 time that names its offset.

    Raises ValueError where the text is no such time or leaves the offset out.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} does not say its offset from UTC")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is before or after every year that has four digits") from error


def milliseconds_between(earlier: datetime, later: datetime) -> int:
    """Return the whole milliseconds from ``earlier`` to ``later``; negative where the order is reversed."""
    return round((later - earlier).total_seconds() * 1000)


def uuid7(moment: datetime, random_bytes: Callable[[int], bytes]) -> str:
    """Make a lower-case UUIDv7 (RFC 9562 §5.7) from a moment and ten random bytes."""
    unix_ms = int(moment.timestamp() * 1000)
    noise = int.from_bytes(random_bytes(10), "big")
    value = (unix_ms & (1 << 48) - 1) << 80 | 0x7 << 76 | (noise >> 64 & 0xFFF) << 64 | 0b10 << 62
    return str(UUID(int=value | noise & (1 << 62) - 1))
