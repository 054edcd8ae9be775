"""Turn editions into rows and back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from verify_service.clock import parse_rfc3339, rfc3339
from verify_service.registry.edition import AgencyState, Edition, RosterRef, SignedFile
from verify_service.registry.profile import Profile
from verify_service.registry.roster import RosterHeader
from verify_service.storage.registry_tables import (
    edition,
    edition_roster,
    high_water,
    registry_file,
    registry_state,
    roster,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection, Row

    from verify_service.registry.intake import Intake, KeptFile, Mark

TOP_LEVEL = ("root", "timestamp", "snapshot", "targets")


def read_edition(connection: Connection, department: str) -> tuple[int, Edition]:
    """Return the department's version number and the edition that stands at it; there must be one."""
    state = connection.execute(select(registry_state).where(registry_state.c.department == department)).one()
    signed = {role: _signed_file(*fields) for role, fields in json.loads(state.signed).items()}
    return state.version, Edition(
        number=state.edition,
        agencies=dict(_agencies(connection, department, state, signed)),
        refreshed_at=parse_rfc3339(state.refreshed_at),
        pinned_root=state.pinned_root or "",
        **{role: signed[role] for role in TOP_LEVEL},
    )


def _agencies(
    connection: Connection, department: str, state: Row[Any], signed: Mapping[str, SignedFile]
) -> Iterable[tuple[str, AgencyState]]:
    not_taken = json.loads(state.not_taken or "[]")
    statement = (
        select(edition_roster.c.agency.label("code"), edition_roster.c.profile_sha256, registry_file.c.content, roster)
        .join(
            registry_file,
            (registry_file.c.department == edition_roster.c.department)
            & (registry_file.c.sha256 == edition_roster.c.profile_sha256),
        )
        .outerjoin(
            roster,
            (roster.c.department == edition_roster.c.department) & (roster.c.number == edition_roster.c.roster),
        )
        .where(edition_roster.c.department == department, edition_roster.c.edition == state.edition)
        .order_by(edition_roster.c.agency)
    )
    for row in connection.execute(statement):
        yield (
            row.code,
            AgencyState(
                profile=Profile.parse(row.content),
                profile_sha256=row.profile_sha256,
                role=signed.get(row.code),
                roster=None if row.number is None else roster_ref(row),
                newer_not_taken=row.code in not_taken,
            ),
        )


def roster_ref(row: Row[Any]) -> RosterRef:
    """Read a row of the roster table."""
    return RosterRef.of(row.number, row.sha256, RosterHeader.parse(row.header.encode()))


def write_edition(connection: Connection, department: str, cycle: int, intake: Intake) -> Edition:
    """Make the intake the department's present state; return its edition with the number it got."""
    state = connection.execute(select(registry_state).where(registry_state.c.department == department)).one_or_none()
    before = None if state is None else read_edition(connection, department)[1]
    _keep_files(connection, department, intake.files)
    _raise_marks(connection, department, intake.edition.pinned_root, intake.marks)
    if before is not None and before.contents == intake.edition.contents:
        written = replace(intake.edition, number=before.number)
    else:
        written = replace(intake.edition, number=1 if before is None else before.number + 1)
        _insert_edition(connection, department, cycle, written)
    values = {
        "version": 1 if state is None else state.version + 1,
        "edition": written.number,
        "refreshed_at": rfc3339(written.refreshed_at),
        "signed": json.dumps(dict(_signed_fields(written))),
        "pinned_root": written.pinned_root,
        "not_taken": json.dumps([code for code, agency in written.agencies.items() if agency.newer_not_taken]),
    }
    if state is None:
        connection.execute(insert(registry_state).values(department=department, **values))
    else:
        connection.execute(update(registry_state).where(registry_state.c.department == department).values(**values))
    return written


def _keep_files(connection: Connection, department: str, files: Iterable[KeptFile]) -> None:
    by_digest = {file.sha256: file for file in files}
    held = connection.scalars(
        select(registry_file.c.sha256).where(
            registry_file.c.department == department, registry_file.c.sha256.in_(list(by_digest))
        )
    )
    new = by_digest.keys() - set(held)
    if new:
        connection.execute(
            insert(registry_file), [{"department": department, **vars(by_digest[digest])} for digest in sorted(new)]
        )


def _raise_marks(connection: Connection, department: str, pinned_root: str, marks: Mapping[str, Mark]) -> None:
    under = (high_water.c.department == department, high_water.c.pinned_root == pinned_root)
    connection.execute(delete(high_water).where(*under))
    key = {"department": department, "pinned_root": pinned_root}
    rows = [{**key, "role": role, **vars(mark)} for role, mark in marks.items()]
    connection.execute(insert(high_water), rows)


def _insert_edition(connection: Connection, department: str, cycle: int, written: Edition) -> None:
    connection.execute(insert(edition).values(department=department, number=written.number, cycle=cycle))
    rows = [
        {
            "department": department,
            "edition": written.number,
            "agency": code,
            "profile_sha256": agency.profile_sha256,
            "roster": None if agency.roster is None else agency.roster.number,
        }
        for code, agency in written.agencies.items()
    ]
    if rows:
        connection.execute(insert(edition_roster), rows)


def _signed_fields(written: Edition) -> Iterable[tuple[str, tuple[int, str, str]]]:
    roles = {role: getattr(written, role) for role in TOP_LEVEL}
    roles |= {code: agency.role for code, agency in written.agencies.items() if agency.role is not None}
    for role, file in roles.items():
        yield role, (file.version, file.sha256, rfc3339(file.expires))


def _signed_file(version: int, sha256: str, expires: str) -> SignedFile:
    return SignedFile(version, sha256, parse_rfc3339(expires))
