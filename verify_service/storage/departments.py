"""Find the tables of a statement whose rows are not narrowed to one department."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import BinaryExpression, BindParameter, BooleanClauseList, Column, Delete, Select, Table, Update
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import Grouping
from sqlalchemy.sql.selectable import Alias, Join

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPARTMENT = "department"


def check_departments(statement: Any) -> None:
    """Raise LookupError where a part of a statement reads or changes rows of more than one department.

    Every table in every SELECT, UPDATE and DELETE within it has its department compared with a given value, or with
    the department of a table that has, by a condition that holds for every row. An INSERT needs no look: the column is
    part of each table's key. A part that is correlated with the row outside it is refused too, though it may be sound.
    """
    for part in visitors.iterate(statement):
        if isinstance(part, Select | Update | Delete):
            for name in _unbound(part):
                raise LookupError(f"The statement forgets the department of {name}: narrow it to one.\n{part}")


def _unbound(part: Select[Any] | Update | Delete) -> list[str]:
    froms = part.get_final_froms() if isinstance(part, Select) else [part.table]
    tables: list[Any] = []
    conditions: list[Any] = [part.whereclause]
    for source in froms:
        for found in _joined(source):
            if isinstance(found, Join):
                conditions.append(found.onclause)
            elif _is_table(found):
                tables.append(found)
    bound: set[Any] = set()
    equal = []
    for condition in conditions:
        for left, right in _compared(condition):
            if isinstance(right, BindParameter):
                bound.add(left.table)
            else:
                equal.append((left.table, right.table))
    while reached := {table for pair in equal if bound & set(pair) for table in pair} - bound:
        bound |= reached
    return [str(table.name) for table in tables if table not in bound]


def _is_table(source: Any) -> bool:
    """Tell a table of ours from a sub-select, which is looked at itself, and from the table of Alembic."""
    of = source.element if isinstance(source, Alias) else source
    return isinstance(of, Table) and DEPARTMENT in of.c


def _joined(source: Any) -> Iterator[Any]:
    """Yield a FROM clause with the joins and tables within it."""
    yield source
    if isinstance(source, Join):
        yield from _joined(source.left)
        yield from _joined(source.right)


def _compared(condition: Any) -> Iterator[tuple[Any, Any]]:
    """Yield what a department is equal to wherever a condition holds; under OR and NOT nothing is certain."""
    if isinstance(condition, Grouping):
        yield from _compared(condition.element)
    elif isinstance(condition, BooleanClauseList) and condition.operator is operators.and_:
        for clause in condition.clauses:
            yield from _compared(clause)
    elif isinstance(condition, BinaryExpression) and condition.operator is operators.eq:
        sides = (condition.left, condition.right)
        for left, right in (sides, sides[::-1]):
            if _is_department(left) and (isinstance(right, BindParameter) or _is_department(right)):
                yield left, right


def _is_department(side: Any) -> bool:
    return isinstance(side, Column) and side.name == DEPARTMENT
