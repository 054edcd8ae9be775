import hashlib

import pytest

from verify_service.errors import LogInconsistent, ReceiptMalformed
from verify_service.record_log.merkle import (
    EMPTY_ROOT,
    Peaks,
    check_consistency,
    consistency_path,
    fold_complete,
    inclusion_path,
    leaf_hash,
    root_from_inclusion,
)
from verify_service.record_log.tiles import TILE_WIDTH, grown_tiles, subtree_from_tiles

# The certificate-transparency reference leaves and the roots of their first n (RFC 6962 test data).
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def tree(hashes):
    """The textbook definition, to compare with."""
    if len(hashes) == 1:
        return hashes[0]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + tree(hashes[:split]) + tree(hashes[split:])).digest()


def reader(hashes):
    return lambda level, index: fold_complete(hashes[index << level : (index + 1) << level])


def some(count):
    return [leaf_hash(str(number).encode()) for number in range(count)]


def test_the_roots_are_those_of_the_reference_data():
    peaks = Peaks()
    assert peaks.root == EMPTY_ROOT
    for leaf, root in zip(LEAVES, ROOTS, strict=True):
        peaks = peaks.append(leaf_hash(leaf))
        assert peaks.root.hex() == root


@pytest.mark.parametrize("size", range(1, 70))
def test_l16_every_path_leads_to_the_root_and_every_other_leaf_does_not(size):
    hashes = some(size)
    root, read = tree(hashes), reader(hashes)
    for index in range(size):
        path = inclusion_path(index, size, read)
        assert root_from_inclusion(hashes[index], index, size, path) == root
        assert root_from_inclusion(leaf_hash(b"other"), index, size, path) != root
        with pytest.raises(ReceiptMalformed, match="more hashes"):
            root_from_inclusion(hashes[index], index, size, [*path, root])
        if path:
            with pytest.raises(ReceiptMalformed, match="fewer hashes"):
                root_from_inclusion(hashes[index], index, size, path[:-1])


@pytest.mark.parametrize("new", range(1, 40))
def test_l16_every_beginning_is_consistent_and_a_changed_one_is_not(new):
    hashes = some(new)
    read = reader(hashes)
    for old in range(1, new + 1):
        old_root, new_root = tree(hashes[:old]), tree(hashes)
        path = consistency_path(old, new, read)
        check_consistency(old, old_root, new, new_root, path if old < new else [])
        with pytest.raises(LogInconsistent):
            check_consistency(old, leaf_hash(b"fork"), new, new_root, path if old < new else [])
        for spoiled in range(len(path)):
            changed = [*path]
            changed[spoiled] = leaf_hash(b"changed")
            with pytest.raises(LogInconsistent):
                check_consistency(old, old_root, new, new_root, changed)


def test_a_log_never_shrinks():
    with pytest.raises(LogInconsistent, match="shrank"):
        check_consistency(2, tree(some(2)), 1, tree(some(1)), [])


def test_peaks_are_read_back_and_refused_where_they_do_not_fit():
    peaks = Peaks()
    for leaf in some(11):
        peaks = peaks.append(leaf)
    assert Peaks.unpack(11, peaks.pack()) == peaks
    with pytest.raises(LogInconsistent, match="peaks"):
        Peaks.unpack(12, peaks.pack())


def test_one_reader_leaves_to_the_next_what_it_found_above_level_0_and_nothing_of_level_0():
    entries = [number.to_bytes(4, "big") for number in range(2 * TILE_WIDTH)]
    tiles = {(level, index): content for level, index, content in grown_tiles(0, entries, lambda *_: b"")}
    asked, kept = [], {}

    def read(level, index):
        asked.append((level, index))
        return tiles[level, index]

    first = [subtree_from_tiles(read, kept)(*place) for place in ((9, 0), (8, 1), (7, 3))]
    assert asked == [(1, 0), (1, 0), (0, 1)]
    assert [subtree_from_tiles(read, kept)(*place) for place in ((9, 0), (8, 1), (7, 3))] == first
    assert asked[3:] == [(0, 1)]
    assert kept == {(9, 0): first[0], (8, 1): first[1]}
