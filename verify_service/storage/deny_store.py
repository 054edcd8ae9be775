"""Keep who is locked out: implements ``access.deny.DenyStore``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update

from verify_service.access.deny import Act, Denial, Denied
from verify_service.storage.prepared import selected
from verify_service.storage.tables import denial

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from verify_service.storage.database import Database


STANDING = selected(
    select(denial.c.kind, denial.c.value).where(
        denial.c.department == bindparam("department_is"), denial.c.lifted_at.is_(None)
    )
)


def _of(department: str) -> Any:
    return denial.c.department == department


class DenyTables:
    """The denials of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, department: str, kind: str, value: str, act: Act) -> bool:
        """Deny; return False where that stands already."""
        with self._database.write() as connection:
            if (kind, value) in self._standing(connection, department):
                return False
            number = len(self._all(connection, department))
            connection.execute(
                insert(denial).values(
                    department=department,
                    number=number,
                    kind=kind,
                    value=value,
                    added_by=act.by,
                    added_at=act.at,
                    added_reason=act.reason,
                )
            )
            return True

    def lift(self, department: str, kind: str, value: str, act: Act) -> bool:
        """Lift what stands; return False where nothing does."""
        found = _of(department), denial.c.kind == kind, denial.c.value == value, denial.c.lifted_at.is_(None)
        with self._database.write() as connection:
            lifted = connection.execute(
                update(denial).where(*found).values(lifted_by=act.by, lifted_at=act.at, lifted_reason=act.reason)
            )
            return lifted.rowcount > 0

    def denials(self, department: str) -> Sequence[Denial]:
        """Return every denial there ever was, the oldest first."""
        with self._database.read() as connection:
            return [
                Denial(
                    row.kind,
                    row.value,
                    Act(row.added_by, row.added_at, row.added_reason),
                    row.lifted_at and Act(row.lifted_by, row.lifted_at, row.lifted_reason),
                )
                for row in self._all(connection, department)
            ]

    def standing(self, department: str) -> Iterable[Denied]:
        """Return what is denied now, by kind and value."""
        with self._database.read() as connection:
            return self._standing(connection, department)

    def _all(self, connection: Connection, department: str) -> Sequence[Any]:
        return connection.execute(select(denial).where(_of(department)).order_by(denial.c.number)).all()

    def _standing(self, connection: Connection, department: str) -> Iterable[Denied]:
        return {(row.kind, row.value) for row in STANDING.all(connection, {"department_is": department})}
