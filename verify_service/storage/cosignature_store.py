"""Keep what witnesses signed: implements ``record_log.witnessing.CosignatureStore``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select, update

from verify_service.storage.log_statements import named
from verify_service.storage.prepared import Insertion, selected
from verify_service.storage.tables import log_checkpoint, log_cosignature

if TYPE_CHECKING:
    from collections.abc import Callable

    from verify_service.record_log.log import LogId
    from verify_service.storage.database import Database

_own = log_cosignature.c.department == bindparam("department_is"), log_cosignature.c.log == bindparam("log_is")
_checkpoint = log_checkpoint.c.department == bindparam("department_is"), log_checkpoint.c.log == bindparam("log_is")
_sized = log_checkpoint.c.size == bindparam("size_is")

ADD = Insertion(log_cosignature, missing=True)
LATEST = selected(
    select(log_cosignature.c.vkey, func.max(log_cosignature.c.size).label("size"))
    .where(*_own)
    .group_by(log_cosignature.c.vkey)
)
LINES = selected(
    select(log_cosignature.c.line)
    .where(*_own, log_cosignature.c.size == bindparam("size_is"))
    .order_by(log_cosignature.c.vkey)
)
# Every log has this row from its creation: whoever holds it is alone with the log's cosignatures.
FIRST = selected(select(log_checkpoint.c.size).where(*_checkpoint, log_checkpoint.c.size == 0).with_for_update())
NOTE = selected(select(log_checkpoint.c.note).where(*_checkpoint, _sized))
WITNESSED = selected(
    select(func.max(log_checkpoint.c.size).label("size")).where(*_checkpoint, log_checkpoint.c.witnessed.is_not(None))
)
SET_WITNESSED = selected(
    update(log_checkpoint)
    .where(*_checkpoint, _sized)
    .values(witnessed=bindparam("note_is", type_=log_checkpoint.c.note.type))
)


class CosignatureTables:
    """The cosignatures of one database's logs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def latest(self, log: LogId) -> dict[str, int]:
        """Return the newest size that each witness cosigned, by its vkey."""
        with self._database.read() as connection:
            return {row.vkey: row.size for row in LATEST.all(connection, named(log))}

    def keep(self, log: LogId, size: int, vkey: str, line: str, enough: Callable[[str], bool]) -> None:
        """Keep a witness's line, and the checkpoint as witnessed once it has enough of them; see the port."""
        asked = {**named(log), "size_is": size}
        with self._database.write() as connection:
            FIRST.one(connection, named(log))
            row = {"department": log.department, "log": log.name, "size": size, "vkey": vkey, "line": line}
            ADD.run(connection, [row])
            last = WITNESSED.one(connection, named(log)).size
            note = NOTE.one(connection, asked).note + "".join(row.line for row in LINES.all(connection, asked))
            if (last is None or last < size) and enough(note):
                SET_WITNESSED.run(connection, {**asked, "note_is": note})
