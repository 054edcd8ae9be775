"""Audit a long history: it is clean in little memory, and one flipped bit in the middle of any table is found."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from tests.history import filled
from tests.memory import growth
from verify_service.evidence.audit import audit
from verify_service.settings import parse
from verify_service.storage import tables as t
from verify_service.wiring import Service

pytestmark = pytest.mark.long

RECORDS = 100_000
# What is kept of each subject, some 500 bytes, and a page of rows.
MOST_GROWTH_MB = 150


@pytest.fixture(params=["sqlite", "postgresql"])
def service(request, tmp_path):
    server = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    url = server.create() if server else f"sqlite:///{tmp_path / 'verify.db'}"
    opened = Service(parse(filled(tmp_path / "home", url, RECORDS), needs=(), cores=1))
    yield opened
    opened.database.dispose()
    if server:
        server.drop(url)


class Vandal:
    """Flips single bits in the middle of the history, and says what the audit must make of each."""

    def __init__(self, connection, middle):
        self.connection = connection
        self.middle = middle
        self.expected = []

    def everywhere(self):
        """Flip a bit in each table that is audited, each on a subject of its own."""
        for column in (t.record.c.sealed, t.record.c.fields, t.record.c.wrapped_key, t.log_entry.c.entry):
            index = self._next("verification")[1]
            self._flip(column, column.table.c.log == "records", column.table.c.idx == index)
            self.expected.append((index, "the record does not open"))
        for table in (t.verification, t.incident):
            ref = self._next(table.name)[0]
            self._flip(table.c.state, table.c.id == ref.partition(":")[2])
            self.expected.append((None, f"the read model of {ref} is not what its records add up to"))
        ref = self._next("verification")[0]
        self._flip(t.verification.c.outcome, t.verification.c.id == ref.partition(":")[2])
        self.expected.append((None, f"what {ref} is searched by is not what it says"))
        index = self._next("verification")[1]
        self._flip(t.event.c.kind, t.event.c.log == "records", t.event.c.idx == index)
        self.expected.append((index, "the event read model is not what the record says"))
        # Far from the flipped leaf, whose own tile does not fit any more either.
        tile, of = self.middle // 512, t.log_tile.c
        self._flip(of.content, of.log == "records", of.level == 0, of.n == tile)
        self.expected.append((None, f"tile 0/{tile} is not the tree's"))
        size, of = self._signed(), t.log_checkpoint.c
        self._flip(of.note, of.log == "records", of.size == size)
        self.expected.append((size, "a checkpoint"))

    def _flip(self, column, *conditions):
        """Flip the lowest bit in the middle of one value."""
        at = (column.table.c.department == "LAPD", *conditions)
        value = self.connection.execute(select(column).where(*at)).scalar_one()
        middle = len(value) // 2
        one = chr(ord(value[middle]) ^ 1) if isinstance(value, str) else bytes([value[middle] ^ 1])
        changed = value[:middle] + one + value[middle + 1 :]
        self.connection.execute(update(column.table).where(*at).values({column.name: changed}))

    def _next(self, form):
        """Return the next subject of a form that begins after the middle, and the index of its beginning."""
        of = t.log_entry.c
        begins = select(of.subject, of.idx).where(of.log == "records", of.seq == 0, of.subject.startswith(f"{form}:"))
        found = self.connection.execute(begins.where(of.idx > self.middle).order_by(of.idx).limit(1)).one()
        self.middle = found.idx
        return found.subject, found.idx

    def _signed(self):
        of = t.log_checkpoint.c
        sizes = select(of.size).where(of.log == "records", of.size < self.middle // 2)
        return self.connection.execute(sizes.order_by(of.size.desc()).limit(1)).scalar_one()


def test_a_long_history_is_clean_in_little_memory_and_each_flipped_bit_is_found(service):
    with growth() as memory:
        report = audit(service.audit_source(), service.vault, service.marks())
    assert report.sentences()[-1] == "Everything agrees."
    assert report.size >= RECORDS
    assert memory.mb < MOST_GROWTH_MB
    with service.database.write() as connection:
        vandal = Vandal(connection, report.size // 2)
        vandal.everywhere()
    found = audit(service.audit_source(), service.vault, service.marks()).faults
    for where, sentence in vandal.expected:
        assert any(fault.where == where and fault.sentence.startswith(sentence) for fault in found), (where, sentence)
