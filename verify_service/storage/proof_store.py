"""Keep which DPoP proofs were used: implements ``web.spent_proofs.ProofStore``; a log's tail spends them here too."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete
from sqlalchemy.dialects import postgresql, sqlite

from verify_service.storage.prepared import Prepared, room_for, selected
from verify_service.storage.tables import spent_proof

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from verify_service.record_log.append import SpentProof
    from verify_service.storage.database import Database

FORGET = selected(
    delete(spent_proof).where(
        spent_proof.c.department == bindparam("department_is"), spent_proof.c.expires < bindparam("expires_is")
    )
)


class ProofTables:
    """The proofs that every worker and host knows to be spent."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def spend(self, department: str, proofs: Iterable[SpentProof]) -> set[bytes]:
        """Spend proofs, at least one, in a commit of their own; return the marks of those not spent before.

        It need not outlast a power failure, which is longer than a proof serves.
        """
        with self._database.write(lasting=False) as connection:
            return spend(connection, department, proofs)

    def forget(self, department: str, expired_before: int) -> None:
        """Delete the proofs that ended before a second since 1970."""
        with self._database.write(lasting=False) as connection:
            FORGET.run(connection, {"department_is": department, "expires_is": expired_before})


def spend(connection: Connection, department: str, proofs: Iterable[SpentProof]) -> set[bytes]:
    """Spend proofs, at least one, in an open transaction; return the marks of those that were not spent before."""
    # In one order everywhere, so that two transactions do not wait for each other.
    listed = sorted({proof.mark: proof.expires for proof in proofs}.items())
    count = room_for(len(listed))
    values: dict[str, Any] = {"department_is": department}
    for place, (mark, expires) in enumerate([*listed, *[listed[-1]] * (count - len(listed))]):
        values |= {f"mark{place}": mark, f"expires{place}": expires}
    return {bytes(row.mark) for row in _spending(count).all(connection, values)}


@lru_cache
def _spending(count: int) -> Prepared:
    rows = [
        {
            "department": bindparam("department_is", type_=spent_proof.c.department.type),
            "mark": bindparam(f"mark{place}", type_=spent_proof.c.mark.type),
            "expires": bindparam(f"expires{place}", type_=spent_proof.c.expires.type),
        }
        for place in range(count)
    ]

    def make(dialect: str) -> Any:
        statement = (sqlite if dialect == "sqlite" else postgresql).insert(spent_proof).values(rows)
        return statement.on_conflict_do_nothing().returning(spent_proof.c.mark)

    return Prepared(make)
