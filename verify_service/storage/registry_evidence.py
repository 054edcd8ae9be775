"""Read back what was signed, byte for byte, and say where it is no longer what it was."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from verify_service.registry.roster import roster_line
from verify_service.signing import sha256_hex
from verify_service.storage.registry_tables import edition_roster, registry_file, roster, roster_entry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

LINES_AT_ONCE = 4000

_entry = roster_entry.c
_LINES = (
    select(_entry.tag, _entry.kind, _entry.status, _entry.not_before, _entry.expires, _entry.rid)
    .where(
        _entry.department == bindparam("department"),
        _entry.roster == bindparam("roster"),
        _entry.tag > bindparam("last"),
    )
    .order_by(_entry.tag)
    .limit(LINES_AT_ONCE)
)


def roster_content(connection: Connection, department: str, number: int) -> Iterator[bytes]:
    """Yield a roster's bytes: its header as it came, and the one form of each line, in the order of the tags."""
    header = select(roster.c.header).where(roster.c.department == department, roster.c.number == number)
    yield connection.execute(header).scalar_one().encode()
    last = b""
    while rows := connection.execute(_LINES, {"department": department, "roster": number, "last": last}).all():
        yield b"".join(roster_line(*row) for row in rows)
        last = rows[-1].tag


def kept_digests(connection: Connection, department: str) -> set[str]:
    """Return the digests of every signed file and whole roster of a department."""
    files = select(registry_file.c.sha256).where(registry_file.c.department == department)
    rosters = select(roster.c.sha256).where(roster.c.department == department, roster.c.loaded.is_(True))
    return {*connection.scalars(files), *connection.scalars(rosters)}


def kept_faults(connection: Connection, department: str) -> Iterator[str]:
    """Yield a sentence for each signed file or roster whose bytes do not have its digest, or that is not whole."""
    files = select(registry_file.c.sha256, registry_file.c.kind).where(registry_file.c.department == department)
    content = select(registry_file.c.content).where(
        registry_file.c.department == department, registry_file.c.sha256 == bindparam("sha256")
    )
    for sha256, kind in connection.execute(files).all():
        if sha256_hex(connection.execute(content, {"sha256": sha256}).scalar_one()) != sha256:
            yield f"the registry file {sha256} ({kind}) is not what its digest says"
    quoted = set(connection.scalars(select(edition_roster.c.roster).where(edition_roster.c.department == department)))
    rosters = select(roster.c.number, roster.c.agency, roster.c.sha256, roster.c.loaded)
    for row in connection.execute(rosters.where(roster.c.department == department)).all():
        if row.loaded and _digest(connection, department, row.number) != row.sha256:
            yield f"the roster {row.sha256} of {row.agency} is not what its digest says"
        if not row.loaded and row.number in quoted:
            yield f"the roster {row.sha256} of {row.agency} is named by an edition, but is not whole"


def _digest(connection: Connection, department: str, number: int) -> str:
    digest = hashlib.sha256()
    for piece in roster_content(connection, department, number):
        digest.update(piece)
    return digest.hexdigest()
