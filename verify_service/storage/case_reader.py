"""Read the read models: implements the ports ``CaseReader``, ``TrailReader`` and ``Activations``."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, or_, select

from verify_service.access.reading import EventPlace
from verify_service.access.trail import TrailPlace
from verify_service.storage.case_store import NAMES
from verify_service.storage.prepared import Prepared, among, numbered, room_for, selected
from verify_service.storage.tables import (
    access_trail,
    event,
    incident_officer,
    log_entry,
    op_code_activation,
    requester_code,
    search_key,
    statement_link,
    verification,
)
from verify_service.verification.statement import StatementLink

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Select, Table
    from sqlalchemy.sql.elements import ColumnElement

    from verify_service.access.reading import Criteria
    from verify_service.access.visibility import Visibility
    from verify_service.record_log.log import Subject
    from verify_service.storage.case_store import CaseStore
    from verify_service.storage.database import Database
    from verify_service.verification.case import Case

# Whether an officer and a command are named, and whether what is sealed is visible.
Shape = tuple[bool, bool, bool]
# Past every cursor.
END = 2**62


class CaseTables:
    """The read models of one database."""

    def __init__(self, database: Database, cases: CaseStore) -> None:
        self._database = database
        self._cases = cases

    def subject(self, department: str, ref: str) -> Subject:
        """Return a verification or incident as it stands."""
        with self._database.read() as connection:
            return self._cases.subjects(connection, department, [ref])[ref]

    def within(self, visible: Visibility, ref: str) -> Subject | None:
        """Return a verification or incident, None where it is not visible or unknown."""
        form, _, name = ref.partition(":")
        with self._database.read() as connection:
            row = _visible(form, _shape(visible)).one(connection, {"name_is": name, **self._asked(visible)})
        return None if row is None else self._cases.subject(visible.department, form, row)

    def last_kind(self, department: str, subject: str) -> str | None:
        """Return the kind of a subject's newest event."""
        with self._database.read() as connection:
            row = _LAST_EVENT.one(connection, {"department_is": department, "subject_is": subject})
        return None if row is None else str(row.kind)

    def events(self, department: str, subject: str) -> list[EventPlace]:
        """Return a subject's events in order."""
        with self._database.read() as connection:
            found = _EVENTS.all(connection, {"department_is": department, "subject_is": subject})
            return [EventPlace(row.seq, row.kind, row.received_at, row.log, row.idx) for row in found]

    def page(
        self, visible: Visibility, criteria: Criteria, identifier: bytes | None, before: int | None, limit: int
    ) -> list[tuple[int, Case]]:
        """Return verifications with their cursors, newest first, all of them visible."""
        statement = self._narrowed(visible, criteria, identifier)
        if before is not None:
            statement = statement.where(verification.c.opened_idx < before)
        statement = statement.order_by(verification.c.opened_idx.desc()).limit(limit)
        with self._database.read() as connection:
            rows = connection.execute(statement, self._asked(visible)).all()
        return [(row.opened_idx, self._cases.case(visible.department, row)) for row in rows]

    def statement(self, code_sha256: str) -> tuple[str, StatementLink, int] | None:
        """Return (department, link, next seq) of the statement that a code opens."""
        with self._database.read() as connection:
            row = _BY_CODE.one(connection, {"code": code_sha256}) or _BY_FURTHER_CODE.one(
                connection, {"code": code_sha256}
            )
        if row is None:
            return None
        return (
            row.department,
            StatementLink(row.verification, row.receipt_number, row.code_sha256, bool(row.pending)),
            row.seq,
        )

    def trail(self, department: str, about: Sequence[bytes], before: int | None, limit: int) -> list[TrailPlace]:
        """Return where events of any of these indexes stand, newest first."""
        asked = {
            "department_is": department,
            "before_is": END if before is None else before,
            "most": limit,
            **numbered(about),
        }
        with self._database.read() as connection:
            found = _trail(room_for(len(about))).all(connection, asked)
        return [TrailPlace(row.cursor, row.log, row.idx) for row in found]

    def active_until(self, department: str, code: bytes) -> str | None:
        """Return until when a code is or was active."""
        with self._database.read() as connection:
            row = _ACTIVATION.one(connection, {"department_is": department, "code_is": code})
        return None if row is None else str(row.until)

    def _asked(self, visible: Visibility) -> dict[str, Any]:
        """Return the values by which ``_within`` narrows."""
        asked: dict[str, Any] = {"department_is": visible.department}
        if visible.officer is not None:
            asked["officer_is"] = self._cases.officer(visible.department, visible.officer)
        if visible.command is not None:
            asked["command_is"] = visible.command
        return asked

    def _narrowed(self, visible: Visibility, criteria: Criteria, identifier: bytes | None) -> Select[Any]:
        table, department = verification.c, visible.department
        conditions = [*_within(verification, _shape(visible))]
        exact = {"outcome": criteria.outcome, "agency": criteria.agency, "incident": criteria.incident}
        conditions += [table[name] == value for name, value in exact.items() if value is not None]
        if criteria.officer is not None:
            conditions.append(table.officer == self._cases.officer(department, criteria.officer))
        if criteria.opened_from is not None:
            conditions.append(table.opened_at >= criteria.opened_from)
        if criteria.opened_before is not None:
            conditions.append(table.opened_at < criteria.opened_before)
        if identifier is not None:
            keys = select(search_key.c.verification).where(
                search_key.c.department == department, search_key.c.identifier == identifier
            )
            conditions.append(table.id.in_(keys))
        return select(verification).where(*conditions)


def _shape(visible: Visibility) -> Shape:
    return visible.officer is not None, visible.command is not None, visible.sealed


def _within(table: Table, shape: Shape) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions that keep verifications or incidents to what is visible, by ``CaseTables._asked``."""
    by_officer, by_command, sealed = shape
    yield table.c.department == bindparam("department_is")
    if by_officer:
        officer = bindparam("officer_is", type_=incident_officer.c.officer.type)
        assigned = select(incident_officer.c.incident).where(
            incident_officer.c.department == bindparam("department_is"), incident_officer.c.officer == officer
        )
        if table is verification:
            yield or_(table.c.officer == officer, table.c.incident.in_(assigned))
        else:
            yield table.c.id.in_(assigned)
    if by_command:
        yield table.c.command == bindparam("command_is")
    if table is verification and not sealed:
        yield table.c.case_sealed.is_(False)


@lru_cache
def _visible(form: str, shape: Shape) -> Prepared:
    """Return the statement that finds a verification or incident by a form of its name, where it is visible."""
    table, column = NAMES[form]
    return selected(select(table).where(*_within(table, shape), table.c[column] == bindparam("name_is")))


_EVENTS_OF = (
    select(log_entry.c.seq, event.c.kind, event.c.received_at, log_entry.c.log, log_entry.c.idx)
    .select_from(
        log_entry.join(
            event,
            and_(
                event.c.department == log_entry.c.department,
                event.c.log == log_entry.c.log,
                event.c.idx == log_entry.c.idx,
            ),
        )
    )
    .where(log_entry.c.department == bindparam("department_is"), log_entry.c.subject == bindparam("subject_is"))
)
_EVENTS = selected(_EVENTS_OF.order_by(log_entry.c.seq))
_LAST_EVENT = selected(_EVENTS_OF.order_by(log_entry.c.seq.desc()).limit(1))
_ACTIVATION = selected(
    select(op_code_activation.c.until).where(
        op_code_activation.c.department == bindparam("department_is"), op_code_activation.c.code == bindparam("code_is")
    )
)
# A code names no department: its holder knows none, and at 128 random bits it meets one row at most.
_BY_CODE = selected(select(statement_link).where(statement_link.c.code_sha256 == bindparam("code")), across=True)
_BY_FURTHER_CODE = selected(
    select(statement_link)
    .join(
        requester_code,
        and_(
            requester_code.c.department == statement_link.c.department,
            requester_code.c.verification == statement_link.c.verification,
        ),
    )
    .where(requester_code.c.code_sha256 == bindparam("code")),
    across=True,
)


@lru_cache
def _trail(count: int) -> Prepared:
    """Return the statement that finds access events by ``count`` indexes."""
    return selected(
        select(access_trail.c.cursor, access_trail.c.log, access_trail.c.idx)
        .where(
            access_trail.c.department == bindparam("department_is"),
            among(access_trail.c.about, count),
            access_trail.c.cursor < bindparam("before_is"),
        )
        .order_by(access_trail.c.cursor.desc())
        .limit(bindparam("most"))
    )
