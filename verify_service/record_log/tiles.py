"""Cut the tree into C2SP tlog-tiles, and read subtree hashes back out of them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from verify_service.record_log.merkle import HASH_BYTES, fold_complete, leaf_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from verify_service.record_log.merkle import Subtree

TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT
MAX_LEVEL = 63
# Some 200 bytes each; a log of ten million entries has 80,000.
MOST_KEPT = 100_000


def tile_path(level: int | str, index: int, width: int = TILE_WIDTH) -> str:
    """Name a tile below the log's prefix, such as ``tile/0/x001/067.p/12``; level ``entries`` names bundles."""
    digits = f"{index:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    name = "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])
    return f"tile/{level}/{name}" + (f".p/{width}" if width < TILE_WIDTH else "")


def tiles_of(size: int) -> Iterator[tuple[int, int, int]]:
    """Yield (level, index, width) of every tile of a tree of ``size`` entries, partial ones included."""
    level = 0
    while count := size >> (TILE_HEIGHT * level):
        full, width = divmod(count, TILE_WIDTH)
        yield from ((level, index, TILE_WIDTH) for index in range(full))
        if width:
            yield level, full, width
        level += 1


def bundle(entries: Sequence[bytes]) -> bytes:
    """Join entries as an entry bundle: each behind its length as a big-endian uint16."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unbundle(content: bytes) -> list[bytes]:
    """Split an entry bundle; raise ValueError where it ends within an entry."""
    entries: list[bytes] = []
    place = 0
    while place < len(content):
        start = place + 2
        place = start + int.from_bytes(content[place:start], "big")
        if place > len(content):
            raise ValueError(f"entry {len(entries)} is cut off")
        entries.append(content[start:place])
    return entries


def level_zero(entries: Sequence[bytes]) -> bytes:
    """Return the level 0 tile over some entries."""
    return b"".join(leaf_hash(entry) for entry in entries)


def split_tile(tile: bytes) -> list[bytes]:
    """Return a tile's hashes."""
    return [tile[i : i + HASH_BYTES] for i in range(0, len(tile), HASH_BYTES)]


def subtree_from_tiles(
    read_tile: Callable[[int, int], bytes], kept: dict[tuple[int, int], bytes] | None = None
) -> Subtree:
    """Make a subtree reader over ``read_tile(level, index)``, which gives a whole or partial tile's bytes.

    Each tile is read once in the reader's life. What the tree at hand does not contain must not be asked for.
    In ``kept`` one reader leaves to the next what it found above the tiles of level 0: a complete subtree of a log
    never changes, and near the top and the right edge every proof asks for the same. That is for proofs which are
    checked before they leave, never for what compares the tiles with something.
    """
    read = cache(read_tile)

    def subtree(level: int, index: int) -> bytes:
        if kept is None or level < TILE_HEIGHT:
            return from_tile(level, index)
        found = kept.get((level, index))
        if found is None:
            found = from_tile(level, index)
            if len(kept) >= MOST_KEPT:
                kept.clear()
            kept[level, index] = found
        return found

    def from_tile(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, TILE_HEIGHT)
        first = index << height
        tile_index, offset = divmod(first, TILE_WIDTH)
        tile = read(tile_level, tile_index)
        end = (offset + (1 << height)) * HASH_BYTES
        if len(tile) < end:
            raise LookupError(f"tile {tile_level}/{tile_index} is too short")
        return fold_complete(split_tile(tile[offset * HASH_BYTES : end]))

    return subtree


def grown_tiles(
    size: int, entries: Sequence[bytes], read_tile: Callable[[int, int], bytes]
) -> list[tuple[int, int, bytes]]:
    """Return (level, index, bytes) of each stored tile that ``entries``, appended to ``size``, changes.

    Level 0 is stored once a tile is whole (before that it is derived from the entries); above, tiles grow.
    ``read_tile`` reads the state before the append.
    """
    changed: dict[tuple[int, int], bytes] = {}
    level, start = 0, size
    hashes = [leaf_hash(entry) for entry in entries]
    while hashes:
        roots = []
        first, width = divmod(start, TILE_WIDTH)
        if level == 0 and width + len(hashes) < TILE_WIDTH:
            # No tile becomes whole, so nothing has to be read or stored.
            break
        tile = read_tile(level, first) if width else b""
        content = tile + b"".join(hashes)
        for offset in range(0, len(content), TILE_WIDTH * HASH_BYTES):
            piece = content[offset : offset + TILE_WIDTH * HASH_BYTES]
            whole = len(piece) == TILE_WIDTH * HASH_BYTES
            if whole or level:
                changed[level, first + offset // (TILE_WIDTH * HASH_BYTES)] = piece
            if whole:
                roots.append(fold_complete(split_tile(piece)))
        level, start, hashes = level + 1, first, roots
    return [(level, index, content) for (level, index), content in changed.items()]
