"""Read a log that somebody serves as C2SP tlog-tiles, from a folder or an address, and believe nothing of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from verify_service.errors import LogAltered, LogIncomplete, ReceiptMalformed
from verify_service.record_log.checkpoint import decimal
from verify_service.record_log.merkle import HASH_BYTES
from verify_service.record_log.tiles import TILE_HEIGHT, TILE_WIDTH, subtree_from_tiles, tile_path, unbundle

if TYPE_CHECKING:
    from pathlib import Path

    from verify_service.record_log.merkle import Subtree

CHECKPOINT = "checkpoint"
HISTORY = "checkpoints"
SIZES = f"{HISTORY}/sizes"


class LogFiles(Protocol):
    """Where a log's files lie."""

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, None where there is none; raise OSError where that cannot be known."""


@dataclass(frozen=True)
class LogFolder:
    """A log in a folder, as ``verify-service export-log`` leaves it."""

    folder: Path

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, None where there is none."""
        try:
            return (self.folder / path).read_bytes()
        except FileNotFoundError:
            return None


@dataclass(frozen=True)
class ServedLog:
    """A log's checkpoints, unjudged; ``tree`` reads what stands under one."""

    files: LogFiles

    def checkpoint(self) -> str:
        """Return the newest checkpoint; raise LogIncomplete where there is none."""
        return _text(CHECKPOINT, _present(CHECKPOINT, self.files.read(CHECKPOINT)))

    def sizes(self) -> list[int]:
        """Return the sizes of the checkpoints in the log's history, none where it keeps no history."""
        content = self.files.read(SIZES)
        if content is None:
            return []
        return [decimal(line, f"A line of {SIZES}") for line in _text(SIZES, content).splitlines()]

    def checkpoint_of(self, size: int) -> str:
        """Return a checkpoint of the history; raise LogIncomplete where it is not there."""
        path = f"{HISTORY}/{size}"
        return _text(path, _present(path, self.files.read(path)))

    def tree(self, size: int) -> ServedTree:
        """Return the tiles and entries of a tree of so many entries."""
        return ServedTree(self.files, size)


@dataclass(frozen=True)
class ServedTree:
    """The tiles and entry bundles of one size of a log, unjudged but for their form."""

    files: LogFiles
    size: int

    def tile(self, level: int, index: int) -> bytes:
        """Return a tile as far as this size fills it; raise LogIncomplete or LogAltered where it is none."""
        width = self._width(level, index)
        path, content = self._read(level, index, width)
        if len(content) % HASH_BYTES or len(content) < width * HASH_BYTES:
            raise LogAltered(f"{path} has {len(content)} bytes, which are not {width} hashes.")
        return content[: width * HASH_BYTES]

    def bundle(self, index: int) -> list[bytes]:
        """Return the entries of a bundle as far as this size fills it; raise as ``tile`` does."""
        width = self._width(0, index)
        path, content = self._read("entries", index, width)
        try:
            entries = unbundle(content)
        except ValueError as error:
            raise LogAltered(f"{path} is not an entry bundle: {error}.") from error
        if len(entries) < width:
            raise LogAltered(f"{path} has {len(entries)} entries, not {width}.")
        return entries[:width]

    @cached_property
    def subtree(self) -> Subtree:
        """Subtree hashes out of the tiles, each of which is read once."""
        return subtree_from_tiles(self.tile)

    def _width(self, level: int, index: int) -> int:
        return min(TILE_WIDTH, (self.size >> (TILE_HEIGHT * level)) - index * TILE_WIDTH)

    def _read(self, level: int | str, index: int, width: int) -> tuple[str, bytes]:
        """Return a file's name and bytes; a partial tile may have given way to the whole one (tlog-tiles §Partial)."""
        path = tile_path(level, index, width)
        content = self.files.read(path)
        if content is None and width < TILE_WIDTH:
            content = self.files.read(tile_path(level, index))
        return path, _present(path, content)


def _present(path: str, content: bytes | None) -> bytes:
    if content is None:
        raise LogIncomplete(f"The log does not serve {path}, which a log of this size has.")
    return content


def _text(path: str, content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ReceiptMalformed(f"{path} is not UTF-8 text.") from error
