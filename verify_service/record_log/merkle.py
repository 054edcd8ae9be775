"""Compute and check the RFC 6962 §2.1 tree: leaves, roots, inclusion and consistency paths."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.errors import LogInconsistent, ReceiptMalformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    # The hash of the complete subtree that spans entries [index * 2^level, (index + 1) * 2^level).
    Subtree = Callable[[int, int], bytes]

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry as a leaf; the prefix keeps an interior node from being offered as one."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two children into their parent."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold_complete(hashes: Sequence[bytes]) -> bytes:
    """Return the root over 2^k neighbouring hashes of one level."""
    level = list(hashes)
    while len(level) > 1:
        level = [node_hash(level[i], level[i + 1]) for i in range(0, len(level), 2)]
    return level[0]


@dataclass(frozen=True)
class Peaks:
    """The complete subtrees that make up a tree of ``size`` leaves, largest first; enough to append and to root."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> Peaks:
        """Return the tree with one more leaf hash."""
        hashes, size = list(self.hashes), self.size
        while size & 1:
            leaf = node_hash(hashes.pop(), leaf)
            size >>= 1
        return Peaks(self.size + 1, (*hashes, leaf))

    @classmethod
    def of(cls, size: int, subtree: Subtree) -> Peaks:
        """Read the peaks of the first ``size`` entries out of a tree that has at least as many."""
        levels = [level for level in reversed(range(size.bit_length())) if size >> level & 1]
        return cls(size, tuple(subtree(level, (size >> level) - 1) for level in levels))

    @property
    def root(self) -> bytes:
        """The tree's root hash."""
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for peak in reversed(self.hashes[:-1]):
            root = node_hash(peak, root)
        return root

    def pack(self) -> bytes:
        """Join the hashes for storage."""
        return b"".join(self.hashes)

    @classmethod
    def unpack(cls, size: int, packed: bytes) -> Peaks:
        """Read what ``pack`` wrote; raise LogInconsistent where the count does not fit the size."""
        if len(packed) != HASH_BYTES * size.bit_count():
            raise LogInconsistent(f"The stored peaks do not fit a log of {size} entries: run an audit.")
        return cls(size, tuple(packed[i : i + HASH_BYTES] for i in range(0, len(packed), HASH_BYTES)))


def range_hash(low: int, high: int, subtree: Subtree) -> bytes:
    """Return the RFC 6962 hash of entries [low, high), which starts a subtree at ``low``."""
    length = high - low
    if length == 0:
        return EMPTY_ROOT
    if length & (length - 1) == 0:
        level = length.bit_length() - 1
        return subtree(level, low >> level)
    split = low + _split(length)
    return node_hash(range_hash(low, split, subtree), range_hash(split, high, subtree))


def inclusion_path(index: int, size: int, subtree: Subtree) -> list[bytes]:
    """Return the audit path of entry ``index`` in the tree of ``size`` entries, leaf side first (§2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"entry {index} is not in a log of {size}")
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        split = low + _split(high - low)
        if index < split:
            path.append(range_hash(split, high, subtree))
            high = split
        else:
            path.append(range_hash(low, split, subtree))
            low = split
    return path[::-1]


def consistency_path(old: int, new: int, subtree: Subtree) -> list[bytes]:
    """Return the proof that the tree of ``old`` entries is a prefix of the one of ``new`` (§2.1.2)."""
    if not 0 < old <= new:
        raise ValueError(f"no proof leads from {old} to {new} entries")
    path: list[bytes] = []
    low, high, whole = 0, new, True
    while old < high:
        split = low + _split(high - low)
        if old <= split:
            path.append(range_hash(split, high, subtree))
            high = split
        else:
            path.append(range_hash(low, split, subtree))
            low, whole = split, False
    if not whole:
        path.append(range_hash(low, high, subtree))
    return path[::-1]


def root_from_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root that a path leads to (RFC 9162 §2.1.3.2).

    Raises ReceiptMalformed where the path is longer or shorter than this index and size need.
    """
    if not 0 <= index < size:
        raise ReceiptMalformed(f"The receipt's index {index} lies outside its log of {size} entries.")
    node, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ReceiptMalformed("The receipt's path has more hashes than its place in the log needs.")
        if node & 1 or node == last:
            root = node_hash(sibling, root)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        node, last = node >> 1, last >> 1
    if last:
        raise ReceiptMalformed("The receipt's path has fewer hashes than its place in the log needs.")
    return root


def check_consistency(  # noqa: C901 - Its steps are those of the RFC, in its order.
    old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]
) -> None:
    """Raise LogInconsistent unless the path shows that the old tree is a prefix of the new (RFC 9162 §2.1.4.2)."""
    if old == new:
        if path or old_root != new_root:
            raise LogInconsistent(f"Two roots are claimed for the same {old} entries.")
        return
    if old == 0:
        if path or old_root != EMPTY_ROOT:
            raise LogInconsistent("The empty log has one root and needs no path.")
        return
    if old > new:
        raise LogInconsistent(f"The log shrank from {old} to {new} entries.")
    steps: Iterator[bytes] = iter(path)
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    first = old_root if old & (old - 1) == 0 else next(steps, b"")
    old_seen = new_seen = first
    for step in steps:
        if last == 0:
            raise LogInconsistent("The consistency proof is too long.")
        if node & 1 or node == last:
            old_seen, new_seen = node_hash(step, old_seen), node_hash(step, new_seen)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new_seen = node_hash(new_seen, step)
        node, last = node >> 1, last >> 1
    if last or old_seen != old_root or new_seen != new_root:
        raise LogInconsistent(f"The log of {old} entries is not the beginning of the log of {new}.")


def _split(length: int) -> int:
    """Return the largest power of two below ``length`` (at least 2)."""
    return 1 << (length - 1).bit_length() - 1
