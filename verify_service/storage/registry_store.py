"""Keep editions, rosters and ingest cycles: many readers, and one ingest at a time for each department."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, cast, func, insert, null, select, union_all, update

from verify_service.clock import parse_rfc3339, rfc3339
from verify_service.errors import ServiceError
from verify_service.registry.edition import Entry
from verify_service.registry.intake import Mark, Refusal
from verify_service.storage.edition_rows import read_edition, roster_ref, write_edition
from verify_service.storage.prepared import Prepared, selected
from verify_service.storage.registry_evidence import kept_digests, kept_faults, roster_content
from verify_service.storage.registry_tables import (
    high_water,
    ingest_cycle,
    registry_file,
    registry_state,
    roster,
    roster_entry,
)
from verify_service.storage.roster_load import RosterLoad, sweep

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from verify_service.registry.edition import Edition, RosterRef, TagsOf
    from verify_service.registry.intake import Intake
    from verify_service.registry.roster import RosterHeader
    from verify_service.registry.roster_lines import Row
    from verify_service.storage.database import Database

_entry = roster_entry.c

# Built once: constructing them costs more than running them.
_version = select(registry_state.c.version).where(registry_state.c.department == bindparam("department"))
_VERSION = selected(_version)
_FILE = select(registry_file.c.content).where(
    registry_file.c.department == bindparam("department"), registry_file.c.sha256 == bindparam("sha256")
)

_ROSTER = select(roster).where(
    roster.c.department == bindparam("department"),
    roster.c.agency == bindparam("agency"),
    roster.c.sha256 == bindparam("sha256"),
    roster.c.loaded.is_(True),
)


@lru_cache(maxsize=256)
def _look_up(count: int) -> Prepared:
    """Return one statement for the state's version and ``count`` pairs, named ``roster0``, ``tag0`` and so on.

    The version stands in the row whose kind is null. A branch for each pair, since SQLite searches the key for none of
    the shorter forms: a list of pairs makes it read every roster whole, and "or" between many pairs the table. It
    takes up to 500 branches.
    """
    columns = (_entry.roster, _entry.tag, _entry.kind, _entry.status, _entry.not_before, _entry.expires)
    nothing = [cast(null(), column.type).label(column.name) for column in columns[1:]]
    version = _version.with_only_columns(registry_state.c.version.label("roster"), *nothing)
    pairs = (
        select(*columns).where(
            _entry.department == bindparam("department"),
            _entry.roster == bindparam(f"roster{place}"),
            _entry.tag == bindparam(f"tag{place}", type_=_entry.tag.type),
        )
        for place in range(count)
    )
    return selected(union_all(version, *pairs))


class RegistryStore:
    """Implements ``registry.edition.EditionStore`` and ``registry.intake.IngestStore``.

    An edition is built anew only when the department's version number has risen, so that a request pays one short
    statement for it. The number is read from the database each time: the ingest is another process.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._editions: dict[str, tuple[int, Edition]] = {}

    def current(self, department: str) -> Edition | None:
        """Return the edition to answer from, None before the first ingest."""
        with self._database.read() as connection:
            row = _VERSION.one(connection, {"department": department})
        if row is None:
            return None
        held = self._editions.get(department)
        if held is None or held[0] != row.version:
            with self._database.snapshot() as connection:
                held = read_edition(connection, department)
            self._editions[department] = held
        return held[1]

    def look_up(self, department: str, tags_of: TagsOf) -> tuple[Edition | None, dict[tuple[int, bytes], Entry]]:
        """Return the edition that stands, and the entries among the tags made for it, in one statement."""
        edition = self._editions[department][1] if department in self._editions else self.current(department)
        while True:
            try:
                tags = tags_of(edition)
            except ServiceError:
                # It may be refused only because a newer edition is not known here yet.
                before, edition = edition, self.current(department)
                if edition is before:
                    raise
                continue
            version, entries = self._asked(department, tags)
            held = self._editions.get(department)
            if version is None or (held is not None and held == (version, edition)):
                return edition, entries
            edition = self.current(department)

    def _asked(
        self, department: str, tags: Collection[tuple[int, bytes]]
    ) -> tuple[int | None, dict[tuple[int, bytes], Entry]]:
        asked: dict[str, Any] = {"department": department}
        for place, (number, tag) in enumerate(tags):
            asked |= {f"roster{place}": number, f"tag{place}": tag}
        with self._database.read() as connection:
            rows = _look_up(len(tags)).all(connection, asked)
        version = next((row.roster for row in rows if row.kind is None), None)
        return version, {
            (row.roster, row.tag): Entry(row.kind, row.status, _moment(row.not_before), _moment(row.expires))
            for row in rows
            if row.kind is not None
        }

    def file(self, department: str, sha256: str) -> bytes | None:
        """Return a signed file by its digest, or None."""
        with self._database.read() as connection:
            return connection.execute(_FILE, {"department": department, "sha256": sha256}).scalar()

    def roster_content(self, department: str, number: int) -> Iterator[bytes]:
        """Yield the exact bytes of a roster, written again from its rows."""
        with self._database.snapshot() as connection:
            yield from roster_content(connection, department, number)

    def digests(self, connection: Connection, department: str) -> set[str]:
        """Return the digests of every signed file and roster that is kept."""
        return kept_digests(connection, department)

    def faults(self, connection: Connection, department: str) -> Iterator[str]:
        """Yield a sentence for each signed file or roster that is not what its digest says."""
        return kept_faults(connection, department)

    def begin_cycle(self, department: str, started_at: datetime) -> int:
        """Sweep out unfinished rosters, note that a cycle began, and return its number."""
        with self._database.read() as connection:
            unfinished = connection.scalars(
                select(roster.c.number).where(roster.c.department == department, roster.c.loaded.is_(False))
            ).all()
        for number in unfinished:
            sweep(self._database, department, number)
        highest = select(func.coalesce(func.max(ingest_cycle.c.number), 0)).where(
            ingest_cycle.c.department == department
        )
        with self._database.write() as connection:
            cycle: int = connection.execute(highest).scalar_one() + 1
            connection.execute(
                insert(ingest_cycle).values(department=department, number=cycle, started_at=rfc3339(started_at))
            )
        return cycle

    def marks(self, department: str) -> Mapping[str, Mark]:
        """Return the highest versions seen, by role."""
        with self._database.read() as connection:
            rows = connection.execute(select(high_water).where(high_water.c.department == department)).all()
        return {row.role: Mark(row.version, row.sha256, row.keys) for row in rows}

    def find_roster(self, department: str, agency: str, sha256: str) -> RosterRef | None:
        """Return an agency's roster if all of it is stored."""
        asked = {"department": department, "agency": agency, "sha256": sha256}
        with self._database.read() as connection:
            row = connection.execute(_ROSTER, asked).one_or_none()
        return None if row is None else roster_ref(row)

    def load_roster(
        self, department: str, header: RosterHeader, sha256: str, blocks: Iterable[Sequence[Row]]
    ) -> RosterRef:
        """Store a roster while it is read; keep nothing of it where ``blocks`` raises."""
        return RosterLoad(self._database, department, header, sha256).run(blocks)

    def swap(self, department: str, cycle: int, intake: Intake) -> Edition:
        """Make the intake current and end the cycle, in one transaction."""
        with self._database.write() as connection:
            edition = write_edition(connection, department, cycle, intake)
            versions = {role: mark.version for role, mark in intake.marks.items()}
            _end(connection, department, cycle, intake.ended_at, intake.refusals, edition.number, versions)
        return edition

    def refuse(self, department: str, cycle: int, ended_at: datetime, reason: str) -> None:
        """End a cycle that changed nothing."""
        with self._database.write() as connection:
            _end(connection, department, cycle, ended_at, [Refusal(None, reason)])


def _end(
    connection: Connection,
    department: str,
    cycle: int,
    ended_at: datetime,
    refusals: Iterable[Refusal],
    edition: int | None = None,
    versions: Mapping[str, int] | None = None,
) -> None:
    connection.execute(
        update(ingest_cycle)
        .where(ingest_cycle.c.department == department, ingest_cycle.c.number == cycle)
        .values(
            ended_at=rfc3339(ended_at),
            edition=edition,
            versions=None if versions is None else json.dumps(versions),
            refused=json.dumps([vars(refusal) for refusal in refusals]),
        )
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else parse_rfc3339(text)
