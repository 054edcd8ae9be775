import pytest

from tests.fakes.log_store import log_id
from verify_service.record_log.high_water import Mark
from verify_service.record_log.log import Head
from verify_service.record_log.merkle import Peaks, leaf_hash
from verify_service.record_log.restored import compare


class OneLog:
    """A store with one log of so many entries."""

    def __init__(self, size):
        self.leaves = [leaf_hash(bytes([number])) for number in range(size)]

    def head(self, log):
        return Head("logs.example/log/LAPD/records", self.peaks(len(self.leaves)))

    def tile(self, log, level, index):
        return b"".join(self.leaves) if (level, index) == (0, 0) else b""

    def peaks(self, size):
        peaks = Peaks()
        for leaf in self.leaves[:size]:
            peaks = peaks.append(leaf)
        return peaks


@pytest.mark.parametrize(
    ("size", "promised", "said", "ok"),
    [
        (9, 9, "9 entries, with all 9 that were promised", True),
        (9, 7, "9 entries, with all 7 that were promised", True),
        (7, 9, "entries 7 to 8 MISSING", False),
        (8, 9, "entry 8 MISSING", False),
        (0, 9, "entries 0 to 8 MISSING", False),
    ],
)
def test_what_is_missing_is_said_to_the_entry(size, promised, said, ok):
    found = compare(log_id(), OneLog(size), Mark(promised, OneLog(promised).peaks(promised).root))
    assert said in found.sentence
    assert found.ok == ok
    assert list(found.missing) == list(range(size, promised))


@pytest.mark.parametrize("size", [7, 9])
def test_another_history_is_never_whole(size):
    found = compare(log_id(), OneLog(size), Mark(7, bytes(32)))
    assert not found.ok
    assert "ANOTHER HISTORY" in found.sentence


def test_a_host_without_a_mark_cannot_say():
    found = compare(log_id(), OneLog(3), None)
    assert not found.ok
    assert "nothing can be compared" in found.sentence
