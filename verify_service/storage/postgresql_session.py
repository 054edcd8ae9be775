"""Say what a session on PostgreSQL is asked to be, and hear what it says beside its answers."""

from __future__ import annotations

import select
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg.errors import Diagnostic

CONNECT = {
    "connect_timeout": 3,
    "tcp_user_timeout": 10_000,
    # Who waits for a commit has sent all it has to say, so only these tell it that the other host is gone.
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "target_session_attrs": "read-write",
    # What a role or a database sets otherwise must not weaken a promise, so it is asked for here.
    "options": "-c synchronous_commit=on -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s",
}


def has_ended(driver: Any) -> bool:
    """Tell whether PostgreSQL has ended a session that nothing used: there is then something to read from it."""
    waiting = select.poll()
    waiting.register(driver.pgconn.socket, select.POLLIN)
    return bool(waiting.poll(0))


@contextmanager
def warnings_of(driver: Any) -> Iterator[list[str | None]]:
    """Yield a list of what PostgreSQL warns of meanwhile, though it did as it was told."""
    heard: list[str | None] = []

    def hear(notice: Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            heard.append(notice.message_primary)

    if not isinstance(driver, psycopg.Connection):
        yield heard
        return
    driver.add_notice_handler(hear)
    try:
        yield heard
    finally:
        driver.remove_notice_handler(hear)
