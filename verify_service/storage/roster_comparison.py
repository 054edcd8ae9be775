"""Compare two stored rosters where they lie, so that memory does not grow with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, bindparam, case, func, select

from verify_service.storage.registry_tables import roster_entry

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from verify_service.registry.roster_change import Pairing, Tally

_old, _new = roster_entry.alias("old").c, roster_entry.alias("new").c

_TALLY = (
    select(_new.kind, _new.status, func.count().label("entries"))
    .where(_new.department == bindparam("department"), _new.roster == bindparam("roster"))
    .group_by(_new.kind, _new.status)
)
_ALTERED = case(
    (
        and_(
            _old.kind == _new.kind,
            _old.status == _new.status,
            func.coalesce(_old.not_before, "") == func.coalesce(_new.not_before, ""),
            func.coalesce(_old.expires, "") == func.coalesce(_new.expires, ""),
        ),
        0,
    ),
    else_=1,
).label("altered")
_PAIRS = (
    select(_old.status.label("was"), _new.status, _ALTERED, func.count().label("entries"))
    .select_from(
        _new.department.table.outerjoin(
            _old.department.table,
            and_(
                _old.department == bindparam("department"),
                _old.roster == bindparam("before"),
                _old.tag == _new.tag,
            ),
        )
    )
    .where(_new.department == bindparam("department"), _new.roster == bindparam("after"))
    .group_by(_old.status, _new.status, _ALTERED)
)


def tally(connection: Connection, department: str, number: int) -> Tally:
    """Count a roster's entries by kind and status."""
    rows = connection.execute(_TALLY, {"department": department, "roster": number})
    return {(row.kind, row.status): row.entries for row in rows}


def pair(connection: Connection, department: str, before: int, after: int) -> Pairing:
    """Count the entries of ``after`` by what they were in ``before``."""
    rows = connection.execute(_PAIRS, {"department": department, "before": before, "after": after})
    return {(row.was, row.status, not row.altered): row.entries for row in rows}
