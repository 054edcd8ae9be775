"""Say in SQL what the logs' tables are asked; each statement is made once."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, update

from verify_service.storage.prepared import Insertion, Prepared, among, selected
from verify_service.storage.tables import idempotency, log_checkpoint, log_entry, log_head, log_tile, record

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.sql.elements import ColumnElement

    from verify_service.record_log.log import LogId


def named(log: LogId) -> dict[str, Any]:
    """Return the values that name a log in every statement here."""
    return {"department_is": log.department, "log_is": log.name}


def _of(table: Table) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.c.department == bindparam("department_is"), table.c.log == bindparam("log_is")


def _between(table: Table) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.c.idx >= bindparam("start"), table.c.idx < bindparam("end")


_head = select(log_head).where(*_of(log_head))
_checkpoints = select(log_checkpoint).where(*_of(log_checkpoint)).order_by(log_checkpoint.c.size)
_published = _checkpoints.where(log_checkpoint.c.published_at.is_not(None))
_covering = log_checkpoint.c.size >= bindparam("size_is")

HEAD = selected(_head)
HEAD_FOR_UPDATE = selected(_head.with_for_update())
ADVANCE = selected(
    update(log_head)
    .where(*_of(log_head))
    .values({name: bindparam(f"new_{name}", type_=log_head.c[name].type) for name in ("size", "peaks", "published")})
)
CLOSE = selected(
    update(log_head).where(*_of(log_head)).values(successor=bindparam("successor_is", type_=log_head.c.successor.type))
)
SIGN_WITH = selected(
    update(log_head).where(*_of(log_head)).values(key_ids=bindparam("key_ids_are", type_=log_head.c.key_ids.type))
)
NAMES = selected(
    select(log_head.c.log)
    .where(log_head.c.department == bindparam("department_is"))
    .order_by(log_head.c.before, log_head.c.log)
)
ENTRIES = selected(select(log_entry).where(*_of(log_entry), *_between(log_entry)).order_by(log_entry.c.idx))
# Not joined to the entries: a young PostgreSQL database, not yet analysed, joins by reading all of one for each of the
# other.
RECORDS = selected(select(record).where(*_of(record), *_between(record)))
LOCATE = selected(
    select(log_entry.c.log, log_entry.c.idx).where(
        log_entry.c.department == bindparam("department_is"),
        log_entry.c.subject == bindparam("subject_is"),
        log_entry.c.seq == bindparam("seq_is"),
    )
)
TILE = selected(
    select(log_tile.c.content).where(
        *_of(log_tile), log_tile.c.level == bindparam("level_is"), log_tile.c.n == bindparam("n_is")
    )
)
CHECKPOINTS = {False: selected(_checkpoints), True: selected(_published)}
COVERING = {
    False: selected(_checkpoints.where(_covering).limit(1)),
    True: selected(_published.where(_covering).limit(1)),
}
WITNESSED = selected(_checkpoints.where(log_checkpoint.c.witnessed.is_not(None), _covering).limit(1))

ADD_HEAD = Insertion(log_head)
ADD_ENTRIES = Insertion(log_entry)
ADD_RECORDS = Insertion(record)
ADD_REPLIES = Insertion(idempotency)
ADD_CHECKPOINT = Insertion(log_checkpoint)
PUT_TILES = Insertion(log_tile, "content")


@lru_cache
def replies(count: int) -> Prepared:
    """Return the statement that finds kept replies by ``count`` request indexes."""
    return selected(
        select(idempotency).where(
            idempotency.c.department == bindparam("department_is"), among(idempotency.c.request, count)
        )
    )
