"""Show a log to the public exactly as far as it was published: checkpoint, tiles, entry bundles (C2SP tlog-tiles)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from verify_service.errors import NotFound
from verify_service.record_log.merkle import HASH_BYTES
from verify_service.record_log.tiles import MAX_LEVEL, TILE_HEIGHT, TILE_WIDTH, bundle, tile_path, tiles_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verify_service.record_log.log import LogId, LogStore

TILE_NAME = re.compile(
    r"(?P<level>0|[1-9][0-9]?|entries)/(?P<index>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)
NOT_PUBLISHED = "This is not part of the published log."


class PublicLog:
    """The published part of one log; nothing past the last published size can be had here."""

    def __init__(self, log: LogId, store: LogStore) -> None:
        self.log = log
        self._store = store

    def checkpoint(self) -> str:
        """Return the newest published checkpoint."""
        published = self._store.checkpoint_covering(self.log, self._size(), published=True)
        if published is None:
            raise NotFound("This log has published nothing.")
        return published.note

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
        note, size = self.checkpoint(), self._size()
        for level, index, width in tiles_of(size):
            path = tile_path(level, index, width)
            yield path, self.tile(path.removeprefix("tile/"))
            if level == 0:
                entries = tile_path("entries", index, width)
                yield entries, self.tile(entries.removeprefix("tile/"))
        yield "checkpoint", note.encode()

    def _size(self) -> int:
        head = self._store.head(self.log)
        if head is None:
            raise NotFound("There is no such log.")
        return head.published
