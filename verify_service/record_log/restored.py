"""Say what a restored database lacks of what this host promised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.errors import ConfigurationError
from verify_service.record_log.merkle import range_hash
from verify_service.record_log.tiles import subtree_from_tiles

if TYPE_CHECKING:
    from verify_service.record_log.high_water import Mark
    from verify_service.record_log.log import LogId, LogStore


@dataclass(frozen=True)
class Restored:
    """A log as the database has it, beside the size that was promised, None where this host has no mark.

    ``same`` says whether, as far as both go, it is the history that was promised.
    """

    log: LogId
    size: int
    promised: int | None
    same: bool

    @property
    def missing(self) -> range:
        """The indexes of the entries that were promised and are not there."""
        return range(self.size, max(self.size, self.promised or 0))

    @property
    def ok(self) -> bool:
        """Whether everything that was promised is there."""
        return self.promised is not None and self.same and not self.missing

    @property
    def sentence(self) -> str:
        """What was found, for a person."""
        if self.promised is None:
            return f"{self.log}: {self.size} entries; this host has no high-water mark, so nothing can be compared."
        if not self.same:
            return f"{self.log}: ANOTHER HISTORY than the one promised at {self.promised} entries: stop, keep both."
        if self.missing:
            lost = f"entries {self.missing[0]} to {self.missing[-1]}" if len(self.missing) > 1 else f"entry {self.size}"
            return f"{self.log}: {self.size} entries, but {self.promised} were promised: {lost} MISSING."
        return f"{self.log}: {self.size} entries, with all {self.promised} that were promised."


def compare(log: LogId, store: LogStore, mark: Mark | None) -> Restored:
    """Compare a log with a high-water mark that was read before; raise ConfigurationError where there is no log."""
    head = store.head(log)
    if head is None:
        raise ConfigurationError(f"There is no log {log} in this database: restore another backup.")
    if mark is None or head.size < mark.size:
        return Restored(log, head.size, None if mark is None else mark.size, same=True)
    subtree = subtree_from_tiles(lambda level, tile: store.tile(log, level, tile))
    root = head.peaks.root if head.size == mark.size else range_hash(0, mark.size, subtree)
    return Restored(log, head.size, mark.size, same=root == mark.root)
