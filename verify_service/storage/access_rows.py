"""Keep by whom and what each access event is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verify_service.access.trail import index, names
from verify_service.record_log.log import ACCESS
from verify_service.storage.prepared import Insertion
from verify_service.storage.tables import access_trail

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from verify_service.record_log.log import LogId
    from verify_service.record_log.record import Logged
    from verify_service.vault import Vault

ADD_TRAIL = Insertion(access_trail)


def put_trail(
    connection: Connection, vault: Vault, log: LogId, before: int, events: Iterable[tuple[int, Logged]]
) -> None:
    """Write by what events of an access log are found; ``events`` are (index, event), ``before`` as in its head."""
    if log.series != ACCESS:
        return
    rows: list[dict[str, Any]] = [
        {
            "department": log.department,
            "about": index(vault, log.department, name),
            "cursor": before + place,
            "log": log.name,
            "idx": place,
        }
        for place, logged in events
        for name in sorted(names(logged))
    ]
    ADD_TRAIL.run(connection, rows)
