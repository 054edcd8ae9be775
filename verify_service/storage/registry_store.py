"""Keep editions, rosters and ingest cycles: many readers, and one ingest at a time for each department."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, cast, null, select, union_all

from verify_service.clock import parse_rfc3339, rfc3339
from verify_service.errors import ServiceError
from verify_service.registry.edition import Entry
from verify_service.registry.intake import Mark
from verify_service.storage import cycle_rows, roster_comparison
from verify_service.storage.edition_rows import read_edition, roster_ref, write_edition
from verify_service.storage.prepared import Prepared, selected
from verify_service.storage.registry_evidence import kept_digests, kept_faults, roster_content
from verify_service.storage.registry_tables import (
    edition,
    edition_roster,
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

    from verify_service.registry.cycle import CycleEnd, CycleRow, Notice, Setback
    from verify_service.registry.edition import Edition, RosterRef, TagsOf
    from verify_service.registry.hold import Decision, HeldRoster
    from verify_service.registry.intake import Intake
    from verify_service.registry.roster import RosterHeader
    from verify_service.registry.roster_change import Pairing, Tally
    from verify_service.registry.roster_lines import Row
    from verify_service.storage.database import Database

_entry = roster_entry.c

# Built once: constructing them costs more than running them.
_version = select(registry_state.c.version).where(registry_state.c.department == bindparam("department"))
_VERSION = selected(_version)
_FILE = select(registry_file.c.content).where(
    registry_file.c.department == bindparam("department"), registry_file.c.sha256 == bindparam("sha256")
)
_FILES = select(registry_file.c.content).where(
    registry_file.c.department == bindparam("department"), registry_file.c.kind == bindparam("kind")
)
_ROSTER = select(roster).where(
    roster.c.department == bindparam("department"),
    roster.c.agency == bindparam("agency"),
    roster.c.sha256 == bindparam("sha256"),
    roster.c.loaded.is_(True),
)
_NAMED_ROSTER = (
    select(roster)
    .join(
        edition_roster,
        (edition_roster.c.department == roster.c.department) & (edition_roster.c.roster == roster.c.number),
    )
    .where(edition_roster.c.department == bindparam("department"), edition_roster.c.agency == bindparam("agency"))
    .limit(1)
)
_LAST_ROSTER = _NAMED_ROSTER.order_by(edition_roster.c.edition.desc())
_FIRST_ROSTER = _NAMED_ROSTER.order_by(edition_roster.c.edition)
_ROSTER_AT = (
    _LAST_ROSTER.join(
        edition,
        (edition.c.department == edition_roster.c.department) & (edition.c.number == edition_roster.c.edition),
    )
    .join(
        ingest_cycle, (ingest_cycle.c.department == edition.c.department) & (ingest_cycle.c.number == edition.c.cycle)
    )
    .where(ingest_cycle.c.ended_at <= bindparam("at"))
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
    """Implements the ports ``EditionStore``, ``IngestStore`` and ``StatusStore`` of the registry.

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

    def files(self, department: str, kind: str) -> Iterator[bytes]:
        """Yield every signed file that was kept of a role."""
        with self._database.snapshot() as connection:
            yield from connection.scalars(_FILES, {"department": department, "kind": kind})

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
        with self._database.write() as connection:
            return cycle_rows.begin_cycle(connection, department, started_at)

    def marks(self, department: str, pinned_root: str) -> Mapping[str, Mark]:
        """Return the highest versions seen under a pinned root, by role."""
        under = (high_water.c.department == department, high_water.c.pinned_root == pinned_root)
        with self._database.read() as connection:
            rows = connection.execute(select(high_water).where(*under)).all()
        return {row.role: Mark(row.version, row.sha256, row.keys) for row in rows}

    def find_roster(self, department: str, agency: str, sha256: str) -> RosterRef | None:
        """Return an agency's roster if all of it is stored."""
        asked = {"department": department, "agency": agency, "sha256": sha256}
        with self._database.read() as connection:
            row = connection.execute(_ROSTER, asked).one_or_none()
        return None if row is None else roster_ref(row)

    def last_roster(self, department: str, agency: str) -> RosterRef | None:
        """Return the roster of the newest edition that names one of this agency."""
        with self._database.read() as connection:
            row = connection.execute(_LAST_ROSTER, {"department": department, "agency": agency}).one_or_none()
        return None if row is None else roster_ref(row)

    def roster_at(self, department: str, agency: str, at: datetime) -> RosterRef | None:
        """Return the roster of the newest edition with one that a cycle before the moment made, else the first."""
        asked = {"department": department, "agency": agency}
        with self._database.read() as connection:
            row = connection.execute(_ROSTER_AT, {**asked, "at": rfc3339(at)}).one_or_none()
            row = row or connection.execute(_FIRST_ROSTER, asked).one_or_none()
        return None if row is None else roster_ref(row)

    def tally(self, department: str, number: int) -> Tally:
        """Count a roster's entries by kind and status."""
        with self._database.read() as connection:
            return roster_comparison.tally(connection, department, number)

    def pair(self, department: str, before: int, after: int) -> Pairing:
        """Count the entries of one roster by what they were in another."""
        with self._database.read() as connection:
            return roster_comparison.pair(connection, department, before, after)

    def load_roster(
        self, department: str, header: RosterHeader, sha256: str, blocks: Iterable[Sequence[Row]]
    ) -> RosterRef:
        """Store a roster while it is read; keep nothing of it where ``blocks`` raises."""
        return RosterLoad(self._database, department, header, sha256).run(blocks)

    def swap(self, department: str, cycle: int, intake: Intake) -> Edition:
        """Make the intake current and end the cycle, in one transaction."""
        with self._database.write() as connection:
            edition = write_edition(connection, department, cycle, intake)
            cycle_rows.end_cycle(connection, department, cycle, intake.end, edition.number)
        return edition

    def refuse(self, department: str, cycle: int, end: CycleEnd) -> None:
        """End a cycle that changed nothing."""
        with self._database.write() as connection:
            cycle_rows.end_cycle(connection, department, cycle, end, None)

    def last_cycle(self, department: str, *, accepted: bool = False) -> CycleRow | None:
        """Return the newest cycle, or the newest that accepted something."""
        with self._database.read() as connection:
            return cycle_rows.last_cycle(connection, department, accepted=accepted)

    def setbacks(self, department: str) -> Sequence[Setback]:
        """Return each agency's last refusal or hold."""
        with self._database.read() as connection:
            return cycle_rows.setbacks(connection, department)

    def notices(self, department: str, since: datetime) -> Sequence[Notice]:
        """Return what was noticed from a moment on."""
        with self._database.read() as connection:
            return cycle_rows.notices(connection, department, since)

    def holds(self, department: str) -> Sequence[HeldRoster]:
        """Return every hold there ever was, the oldest first."""
        with self._database.read() as connection:
            return cycle_rows.holds(connection, department)

    def decide(self, department: str, agency: str, sha256: str, decision: Decision) -> bool:
        """Keep a decision about an undecided hold."""
        with self._database.write() as connection:
            return cycle_rows.decide(connection, department, agency, sha256, decision)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else parse_rfc3339(text)
