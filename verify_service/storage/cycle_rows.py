"""Turn how an ingest cycle ended into rows, with the holds that it met, and back."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from verify_service.clock import parse_rfc3339, rfc3339
from verify_service.registry.cycle import CycleRow, Notice, Refusal, Setback
from verify_service.registry.hold import Decision, HeldRoster, Hold
from verify_service.storage.registry_tables import agency_setback, ingest_cycle, registry_notice, roster_hold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from verify_service.registry.cycle import CycleEnd


def begin_cycle(connection: Connection, department: str, started_at: datetime) -> int:
    """Insert the next cycle's row and return its number."""
    highest = select(func.coalesce(func.max(ingest_cycle.c.number), 0)).where(ingest_cycle.c.department == department)
    cycle: int = connection.execute(highest).scalar_one() + 1
    connection.execute(insert(ingest_cycle).values(department=department, number=cycle, started_at=rfc3339(started_at)))
    return cycle


def end_cycle(connection: Connection, department: str, cycle: int, end: CycleEnd, edition: int | None) -> None:
    """Write how a cycle ended; ``edition`` is the number of what it accepted, None where that was nothing."""
    signed = {role: {"version": by.version, "keys": list(by.keys)} for role, by in end.signed.items()}
    connection.execute(
        update(ingest_cycle)
        .where(ingest_cycle.c.department == department, ingest_cycle.c.number == cycle)
        .values(
            ended_at=rfc3339(end.ended_at),
            edition=edition,
            fetched_files=end.fetched.files,
            fetched_bytes=end.fetched.bytes,
            signed=json.dumps(signed),
            refused=json.dumps([vars(refusal) for refusal in end.refusals]),
            held=json.dumps([hold.document() for hold in end.holds]),
        )
    )
    for hold in end.holds:
        _keep_hold(connection, department, cycle, end.ended_at, hold)
    for notice in end.notices:
        _keep_notice(connection, department, cycle, notice)
    for setback in _setbacks(cycle, end):
        _keep_setback(connection, department, setback)


def last_cycle(connection: Connection, department: str, *, accepted: bool) -> CycleRow | None:
    """Return the newest cycle, ended or not; with ``accepted``, the newest that has an edition."""
    cycles = select(ingest_cycle).where(ingest_cycle.c.department == department)
    if accepted:
        cycles = cycles.where(ingest_cycle.c.edition.is_not(None))
    row = connection.execute(cycles.order_by(ingest_cycle.c.number.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    return CycleRow(
        number=row.number,
        started_at=parse_rfc3339(row.started_at),
        ended_at=None if row.ended_at is None else parse_rfc3339(row.ended_at),
        edition=row.edition,
        refusals=[Refusal(**refusal) for refusal in json.loads(row.refused or "[]")],
    )


def setbacks(connection: Connection, department: str) -> list[Setback]:
    """Return each agency's last setback, by agency."""
    statement = select(agency_setback).where(agency_setback.c.department == department)
    return [
        Setback(row.agency, row.cycle, parse_rfc3339(row.at), row.held, row.reason)
        for row in connection.execute(statement.order_by(agency_setback.c.agency))
    ]


def notices(connection: Connection, department: str, since: datetime) -> list[Notice]:
    """Return what was noticed from a moment on, the oldest first."""
    statement = select(registry_notice).where(
        registry_notice.c.department == department, registry_notice.c.at >= rfc3339(since)
    )
    return [
        Notice(row.subject or None, parse_rfc3339(row.at), row.was, row.now)
        for row in connection.execute(statement.order_by(registry_notice.c.cycle, registry_notice.c.subject))
    ]


def holds(connection: Connection, department: str) -> list[HeldRoster]:
    """Return every hold, the one that a cycle met last at the end."""
    statement = select(roster_hold).where(roster_hold.c.department == department)
    ordered = statement.order_by(roster_hold.c.cycle, roster_hold.c.since, roster_hold.c.agency, roster_hold.c.sha256)
    return [
        HeldRoster(Hold.of_document(json.loads(row.hold)), parse_rfc3339(row.since), _decision(row))
        for row in connection.execute(ordered)
    ]


def decide(connection: Connection, department: str, agency: str, sha256: str, decision: Decision) -> bool:
    """Write a decision where there is none yet, and tell whether there was such a hold."""
    undecided = (
        update(roster_hold)
        .where(*_of(department, agency, sha256), roster_hold.c.approved.is_(None))
        .values(
            approved=decision.approved,
            reason=decision.reason,
            decided_by=decision.by,
            decided_at=rfc3339(decision.at),
        )
    )
    return connection.execute(undecided).rowcount == 1


def _keep_hold(connection: Connection, department: str, cycle: int, at: datetime, hold: Hold) -> None:
    met = {"cycle": cycle, "hold": json.dumps(hold.document())}
    again = update(roster_hold).where(*_of(department, hold.agency, hold.sha256)).values(met)
    if connection.execute(again).rowcount == 0:
        first = {"department": department, "agency": hold.agency, "sha256": hold.sha256, "since": rfc3339(at)}
        connection.execute(insert(roster_hold).values(first | met))


def _keep_notice(connection: Connection, department: str, cycle: int, notice: Notice) -> None:
    connection.execute(
        insert(registry_notice).values(
            department=department,
            cycle=cycle,
            subject=notice.agency or "",
            at=rfc3339(notice.at),
            was=notice.was,
            now=notice.now,
        )
    )


def _of(department: str, agency: str, sha256: str) -> Sequence[Any]:
    columns = roster_hold.c
    return columns.department == department, columns.agency == agency, columns.sha256 == sha256


def _decision(row: Row[Any]) -> Decision | None:
    if row.approved is None:
        return None
    return Decision(row.approved, row.reason, row.decided_by, parse_rfc3339(row.decided_at))


def _setbacks(cycle: int, end: CycleEnd) -> Iterator[Setback]:
    reasons: dict[str, list[str]] = defaultdict(list)
    for refusal in end.refusals:
        if refusal.agency is not None:
            reasons[refusal.agency].append(refusal.reason)
    held = {hold.agency: hold.reason for hold in end.holds}
    for agency in reasons.keys() | held.keys():
        said = [*reasons[agency], *([held[agency]] if agency in held else [])]
        yield Setback(agency, cycle, end.ended_at, agency in held, " ".join(said))


def _keep_setback(connection: Connection, department: str, setback: Setback) -> None:
    values = {**vars(setback), "at": rfc3339(setback.at)}
    mine = (agency_setback.c.department == department, agency_setback.c.agency == setback.agency)
    if connection.execute(update(agency_setback).where(*mine).values(**values)).rowcount == 0:
        connection.execute(insert(agency_setback).values(department=department, **values))
