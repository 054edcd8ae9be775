"""Show a log to the public exactly as far as it was published (C2SP tlog-tiles), with its history of checkpoints."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from verify_service.errors import NotFound
from verify_service.record_log.merkle import HASH_BYTES
from verify_service.record_log.served_log import CHECKPOINT, HISTORY, SIZES
from verify_service.record_log.tiles import MAX_LEVEL, TILE_HEIGHT, TILE_WIDTH, bundle, tile_path, tiles_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verify_service.record_log.log import LogId, LogStore, StoredCheckpoint

TILE_NAME = re.compile(
    r"(?P<level>0|[1-9][0-9]?|entries)/(?P<index>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)
SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
NOT_PUBLISHED = "This is not part of the published log."


class PublicLog:
    """The published part of one log; nothing past the last published size can be had here."""

    def __init__(self, log: LogId, store: LogStore) -> None:
        self.log = log
        self._store = store

    def checkpoint(self) -> str:
        """Return the newest published checkpoint."""
        return _shown(self._newest())

    def past(self, name: str) -> str:
        """Return what stands below ``checkpoints/``: the published ``sizes``, one a line, or the checkpoint of a size.

        Raises NotFound where that was not published.
        """
        if name == SIZES.removeprefix(f"{HISTORY}/"):
            return "".join(f"{past.size}\n" for past in self._store.checkpoints(self.log, published=True))
        if SIZE.fullmatch(name):
            found = self._store.checkpoint_covering(self.log, int(name), published=True)
            if found is not None and found.size == int(name):
                return _shown(found)
        raise NotFound(NOT_PUBLISHED)

    def tile(self, name: str) -> bytes:
        """Return a tile or entry bundle by its name below ``tile/``; raise NotFound where it is not published."""
        found = TILE_NAME.fullmatch(name)
        if found is None:
            raise NotFound(NOT_PUBLISHED)
        index = int(found["index"].replace("x", "").replace("/", ""))
        width = int(found["width"] or TILE_WIDTH)
        level = 0 if found["level"] == "entries" else int(found["level"])
        last = (index * TILE_WIDTH + width) << (TILE_HEIGHT * level)
        if (
            width > TILE_WIDTH
            or level > MAX_LEVEL
            or last > self._size()
            or tile_path(found["level"], index, width) != f"tile/{name}"
        ):
            raise NotFound(NOT_PUBLISHED)
        if found["level"] == "entries":
            return bundle(self._store.entries(self.log, index * TILE_WIDTH, width))
        return self._store.tile(self.log, level, index)[: width * HASH_BYTES]

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Yield (path, content) of everything that is published, the checkpoint last."""
        newest = self._newest()
        for level, index, width in tiles_of(newest.size):
            path = tile_path(level, index, width)
            yield path, self.tile(path.removeprefix("tile/"))
            if level == 0:
                entries = tile_path("entries", index, width)
                yield entries, self.tile(entries.removeprefix("tile/"))
        # What is published meanwhile belongs to the next reading.
        past = [kept for kept in self._store.checkpoints(self.log, published=True) if kept.size <= newest.size]
        yield from ((f"{HISTORY}/{kept.size}", _shown(kept).encode()) for kept in past)
        yield SIZES, "".join(f"{kept.size}\n" for kept in past).encode()
        yield CHECKPOINT, _shown(newest).encode()

    def _newest(self) -> StoredCheckpoint:
        published = self._store.checkpoint_covering(self.log, self._size(), published=True)
        if published is None:
            raise NotFound("This log has published nothing.")
        return published

    def _size(self) -> int:
        head = self._store.head(self.log)
        if head is None:
            raise NotFound("There is no such log.")
        return head.published


def _shown(checkpoint: StoredCheckpoint) -> str:
    return checkpoint.witnessed or checkpoint.note
