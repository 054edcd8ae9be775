import pytest

from verify_service.errors import ConfigurationError, LogRefused
from verify_service.record_log.high_water import SLOT_BYTES, HighWater
from verify_service.record_log.merkle import Peaks, fold_complete, leaf_hash

LEAVES = [leaf_hash(bytes([number])) for number in range(40)]


def peaks(size, leaves=LEAVES):
    grown = Peaks()
    for leaf in leaves[:size]:
        grown = grown.append(leaf)
    return grown


def subtree(level, index):
    return fold_complete(LEAVES[index << level : (index + 1) << level])


@pytest.fixture
def mark(tmp_path):
    made = HighWater(tmp_path / "marks" / "records.mark")
    made.create(Peaks())
    return made


def advance(mark, *sizes):
    for size in sizes:
        with mark.turn() as turn:
            turn.check(peaks(size), subtree)
            turn.advance(peaks(size))


def test_a_log_that_goes_on_is_accepted(mark):
    advance(mark, 1, 7, 7, 30)


def test_l10_a_database_set_back_is_refused(mark):
    advance(mark, 30)
    with mark.turn() as turn, pytest.raises(LogRefused, match="set back"):
        turn.check(peaks(29), subtree)


@pytest.mark.parametrize("size", [30, 35])
def test_l11_another_history_is_refused_at_the_same_size_and_past_it(mark, size):
    advance(mark, 30)
    other = [leaf_hash(b"other"), *LEAVES[1:]]
    with mark.turn() as turn, pytest.raises(LogRefused, match="not the one"):
        turn.check(peaks(size, other), lambda level, index: fold_complete(other[index << level : (index + 1) << level]))


def test_l05_a_torn_write_of_the_mark_costs_one_step_at_most(mark):
    advance(mark, 5, 9)
    content = bytearray(mark.path.read_bytes())
    newer = max((0, 1), key=lambda slot: int(content[slot * SLOT_BYTES :].split()[0]))
    content[newer * SLOT_BYTES + 3] ^= 1
    mark.path.write_bytes(bytes(content))
    with mark.turn() as turn:
        assert turn.mark.size == 5


def test_a_mark_without_a_good_slot_and_a_missing_one_stop_everything(mark):
    mark.path.write_bytes(b"\0" * SLOT_BYTES * 2)
    with pytest.raises(LogRefused, match="damaged"), mark.turn():
        pass
    mark.path.unlink()
    assert mark.mark() is None
    with pytest.raises(LogRefused, match="missing"), mark.turn():
        pass


def test_a_mark_is_never_made_twice(mark):
    with pytest.raises(ConfigurationError, match="already"):
        mark.create(Peaks())


def test_the_file_is_the_owners_alone(mark):
    assert mark.path.stat().st_mode & 0o777 == 0o600
