"""A statement that forgets its department is found, whatever its form; one that does not is let through."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from sqlalchemy import and_, bindparam, delete, func, insert, or_, select, union_all, update

from verify_service import storage
from verify_service.storage.departments import check_departments
from verify_service.storage.tables import incident, incident_officer, verification

mine = verification.c.department == bindparam("of")
scene = incident.c.department == "LAPD"
together = and_(incident.c.department == verification.c.department, incident.c.id == verification.c.incident)
others = verification.alias("others")
working = select(incident_officer.c.incident)

FORGOTTEN = {
    "no condition": select(verification),
    "another one": select(verification).where(verification.c.id == bindparam("id")),
    "one of two tables": select(verification, incident).where(mine, verification.c.incident == incident.c.id),
    "joined without": select(verification).join(incident, incident.c.id == verification.c.incident).where(mine),
    "neither of two": select(verification).join(incident, together),
    "only perhaps": select(verification).where(or_(mine, verification.c.outcome == "verified")),
    "all but one": select(verification).where(~mine),
    "every other": select(verification).where(verification.c.department != "LAPD"),
    "several": select(verification).where(verification.c.department.in_(["LAPD", "SFPD"])),
    "with itself": select(verification).where(verification.c.department == verification.c.department),
    "an alias": select(others).where(mine),
    "a condition within": select(verification).where(mine, verification.c.incident.in_(working)),
    "a table within": select(func.count()).select_from(select(verification).subquery()),
    "one of a union": union_all(select(verification.c.id).where(mine), select(incident.c.id)),
    "update": update(verification).where(verification.c.id == "1").values(seq=0),
    "delete": delete(verification),
    "delete by a look-up": delete(verification).where(mine, verification.c.incident.in_(working)),
}
KEPT = {
    "a value": select(verification).where(mine, verification.c.id == "1"),
    "the other way about": select(verification).where(bindparam("of") == verification.c.department),
    "joined": select(verification).join(incident, together).where(mine),
    "joined from the other side": select(verification).join(incident, together).where(scene),
    "left and right": select(verification).outerjoin(others, others.c.department == "LAPD").where(mine),
    "within": select(verification).where(
        mine, verification.c.incident.in_(working.where(incident_officer.c.department == "L"))
    ),
    "an or beside it": select(verification).where(
        mine, or_(verification.c.outcome == "a", verification.c.outcome == "b")
    ),
    "update": update(verification).where(mine).values(seq=0),
    "delete": delete(verification).where(mine),
    "insert": insert(verification),
}
# Nobody looks into a text. These send one, and were read: it names no table that has a department, writes it with every
# row, or was made from tables and looked into.
DRIVERS = {"driver", "cursor", "driver_of(connection)"}
TEXTS = {
    "backup.py: back_up",
    "database.py: _lasting",
    "database.py: _roll_back",
    "database.py: _transaction",
    "database.py: forget",
    "database.py: write",
    "prepared.py: all",
    "prepared.py: run",
    "roster_load.py: _insert",
    "roster_load.py: _streaming",
}


@pytest.mark.parametrize("name", FORGOTTEN)
def test_a_forgotten_department_is_found(name):
    with pytest.raises(LookupError, match="forgets the department of"):
        check_departments(FORGOTTEN[name])


@pytest.mark.parametrize("name", KEPT)
def test_one_department_is_let_through(name):
    check_departments(KEPT[name])


def texts():
    """Yield the places in storage that send the driver a text of their own."""
    for path in sorted(Path(storage.__file__).parent.glob("*.py")):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef):
                for call in ast.walk(function):
                    if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                        of_driver = call.func.attr == "execute" and ast.unparse(call.func.value) in DRIVERS
                        if of_driver or call.func.attr in {"exec_driver_sql", "copy", "executescript", "executemany"}:
                            yield f"{path.name}: {function.name}"


def test_texts_that_nobody_looks_into_are_known():
    assert set(texts()) == TEXTS
