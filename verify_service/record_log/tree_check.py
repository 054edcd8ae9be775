"""Check a whole served log: every bundle, tile, level, root and checkpoint, and go on later from where it came."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from verify_service.errors import LogAltered, LogInconsistent, ReceiptMalformed
from verify_service.record_log.merkle import HASH_BYTES, Peaks, leaf_hash
from verify_service.record_log.tiles import TILE_HEIGHT, TILE_WIDTH, grown_tiles, level_zero, tile_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from verify_service.record_log.checkpoint import Checkpoint
    from verify_service.record_log.served_log import ServedLog, ServedTree
    from verify_service.record_log.trust import Accepted, TrustPolicy


@dataclass(frozen=True)
class Reached:
    """How far an earlier check came: the newest checkpoint it accepted, and the whole bundles it had compared."""

    origin: str
    seen: tuple[int, bytes]
    compared: tuple[int, bytes]

    def text(self) -> str:
        """Write it as a JSON document."""
        (seen, seen_root), (compared, compared_root) = self.seen, self.compared
        document = {
            "log": self.origin,
            "seen": {"size": seen, "root": seen_root.hex()},
            "compared": {"size": compared, "root": compared_root.hex()},
        }
        return json.dumps(document) + "\n"

    @classmethod
    def parse(cls, text: str) -> Reached:
        """Read what ``text`` wrote; raise ReceiptMalformed where it is something else."""
        try:
            document = json.loads(text)
            return cls(str(document["log"]), _place(document["seen"]), _place(document["compared"], TILE_WIDTH))
        except (KeyError, TypeError, ValueError) as error:
            raise ReceiptMalformed("This is not what an earlier check left: start anew with another file.") from error


def _place(stated: dict[str, object], step: int = 1) -> tuple[int, bytes]:
    size, root = stated["size"], bytes.fromhex(str(stated["root"]))
    if not isinstance(size, int) or size < 0 or size % step:
        raise ValueError(f"{size!r} is no size of a log")
    return size, root


def check_log(
    log: ServedLog, policy: TrustPolicy, before: Reached | None, reached: Callable[[Reached], None]
) -> Accepted:
    """Return the newest checkpoint once everything under it agrees; ``reached`` is told after every bundle.

    1. The policy accepts the newest checkpoint, and it does not go back behind what an earlier check saw.
    2. The tree begins with what the earlier check compared.
    3. Every bundle hashes to its tile, and every tile to the level above.
    4. The tree has the root that was signed, and had the root of every checkpoint seen or in the history.

    Raises an EvidenceFault of its own for each, and OSError where a file cannot be had.
    """
    accepted = policy.accept(log.checkpoint())  # 1
    newest = accepted.checkpoint
    roots = _history(log, policy, newest)
    if before is not None:
        _check_follows(newest, before)
        _claim(roots, *before.seen)
    tree = log.tree(newest.size)
    start = Peaks() if before is None else Peaks.of(before.compared[0], tree.subtree)
    if before is not None and start.root != before.compared[1]:  # 2
        raise LogInconsistent(f"The log's first {start.size} entries are not those that were checked before.")
    for size, root in roots.items():  # 4, as far as it was compared before
        if size <= start.size:
            _check_root(Peaks.of(size, tree.subtree), root)
    now = Reached(newest.origin, (newest.size, newest.root), (start.size, start.root))
    for peaks in _walk(tree, start, roots):  # 3, 4
        if peaks.size % TILE_WIDTH == 0:
            now = replace(now, compared=(peaks.size, peaks.root))
            reached(now)
    reached(now)
    return accepted


def _history(log: ServedLog, policy: TrustPolicy, newest: Checkpoint) -> dict[int, bytes]:
    """Return the root of each checkpoint of the log's history by size; each is signed, but may lack witnesses."""
    roots = {newest.size: newest.root}
    for size in log.sizes():
        checkpoint = policy.accept_signed(log.checkpoint_of(size)).checkpoint
        if (checkpoint.origin, checkpoint.size) != (newest.origin, size):
            raise LogInconsistent(f"The history's checkpoint of {size} entries is of another log or size.")
        if size > newest.size:
            raise LogInconsistent(f"The history reaches {size} entries, but the newest checkpoint {newest.size}.")
        _claim(roots, size, checkpoint.root)
    return roots


def _claim(roots: dict[int, bytes], size: int, root: bytes) -> None:
    if roots.setdefault(size, root) != root:
        raise LogInconsistent(f"Two roots were signed for the same {size} entries: the log has two histories.")


def _check_follows(newest: Checkpoint, before: Reached) -> None:
    if newest.origin != before.origin:
        raise LogInconsistent(
            f"The earlier check was of the log {before.origin}: use another file for {newest.origin}."
        )
    if newest.size < max(before.seen[0], before.compared[0]):
        raise LogInconsistent(f"The log shrank from {before.seen[0]} to {newest.size} entries since the earlier check.")


def _check_root(peaks: Peaks, root: bytes) -> None:
    if peaks.root != root:
        raise LogAltered(f"The first {peaks.size} entries that the log serves do not have the root that it signed.")


def _walk(tree: ServedTree, peaks: Peaks, roots: dict[int, bytes]) -> Iterator[Peaks]:
    """Yield the tree after each further bundle, compared with its tiles and with the roots of sizes it passes."""
    growing = {
        (level, index): tree.tile(level, index)[: width * HASH_BYTES]
        for level in range(1, peaks.size.bit_length() // TILE_HEIGHT + 1)
        for index, width in [divmod(peaks.size >> (TILE_HEIGHT * level), TILE_WIDTH)]
        if width
    }
    if tree.size == 0:
        _check_root(peaks, roots[0])
    for index in range(peaks.size // TILE_WIDTH, -(-tree.size // TILE_WIDTH)):
        entries = tree.bundle(index)
        if level_zero(entries) != tree.tile(0, index):
            raise LogAltered(f"{tile_path('entries', index, len(entries))} does not hash to its tile of level 0.")
        for level, above, content in grown_tiles(peaks.size, entries, lambda level, n: growing.get((level, n), b"")):
            growing[level, above] = content
            if len(content) == TILE_WIDTH * HASH_BYTES:
                _check_tile(tree, level, above, growing.pop((level, above)))
        for entry in entries:
            peaks = peaks.append(leaf_hash(entry))
            if peaks.size in roots:
                _check_root(peaks, roots[peaks.size])
        yield peaks
    for (level, above), content in growing.items():
        _check_tile(tree, level, above, content)


def _check_tile(tree: ServedTree, level: int, index: int, content: bytes) -> None:
    # Level 0 was compared with its bundle.
    if level and tree.tile(level, index) != content:
        path = tile_path(level, index, len(content) // HASH_BYTES)
        raise LogAltered(f"{path} does not hold the roots of the tiles below it.")
