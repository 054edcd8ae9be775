"""Proofs in logs of 10 thousand, 1 million and 10 million entries, on each engine: ``python -m benchmarks.proofs``.

Prints one JSON object a line. The tiles are loaded in bulk, of random leaves; every proof is made as a receipt's is,
and is checked. The three logs are asked in turn. ``ratio`` to the smallest may be 2.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from os import urandom
from pathlib import Path
from statistics import quantiles

from tests.postgresql import PostgreSQL
from verify_service.record_log.log import LogId
from verify_service.record_log.merkle import (
    HASH_BYTES,
    Peaks,
    check_consistency,
    consistency_path,
    fold_complete,
    inclusion_path,
    root_from_inclusion,
)
from verify_service.record_log.tiles import TILE_WIDTH, split_tile, subtree_from_tiles
from verify_service.storage.case_store import CaseStore
from verify_service.storage.database import Database
from verify_service.storage.log_statements import ADD_ENTRIES, PUT_TILES
from verify_service.storage.log_store import LogTables
from verify_service.storage.tables import metadata
from verify_service.vault import Vault

SIZES = (10_000, 1_000_000, 10_000_000)
LOG = LogId("LAPD", "records")
ROUNDS, PROOFS = 10, 200
LOADED_AT_ONCE = 512
WHOLE = TILE_WIDTH * HASH_BYTES


@dataclass(frozen=True)
class Loaded:
    """A log of some size."""

    store: LogTables
    size: int
    kept: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def subtree(self):
        return subtree_from_tiles(lambda level, tile: self.store.tile(LOG, level, tile), self.kept)

    def inclusion(self, index: int) -> float:
        """Return the seconds that the proof of one entry takes."""
        leaf, root = self.subtree()(0, index), self.root(self.size)
        begun = time.perf_counter()
        path = inclusion_path(index, self.size, self.subtree())
        taken = time.perf_counter() - begun
        if root_from_inclusion(leaf, index, self.size, path) != root:
            raise SystemExit(f"the proof of entry {index} of {self.size} does not hold")
        return taken

    def consistency(self, old: int) -> float:
        """Return the seconds that the proof takes that the log goes on from a smaller one."""
        roots = self.root(old), self.root(self.size)
        begun = time.perf_counter()
        path = consistency_path(old, self.size, self.subtree())
        taken = time.perf_counter() - begun
        check_consistency(old, roots[0], self.size, roots[1], path)
        return taken

    def root(self, size: int) -> bytes:
        return Peaks.of(size, self.subtree()).root


def load(url: str, size: int) -> Loaded:
    """Fill a new database with the tiles of a log of random leaves."""
    database = Database(url)
    metadata.create_all(database.engine)
    whole, rest = divmod(size, TILE_WIDTH)
    tiles = ((0, number, urandom(WHOLE)) for number in range(whole))
    for level in count(1):
        roots = put(database, tiles)
        if not roots:
            break
        tiles = [
            (level, start // TILE_WIDTH, b"".join(roots[start : start + TILE_WIDTH]))
            for start in range(0, len(roots), TILE_WIDTH)
        ]
    names = {"department": LOG.department, "log": LOG.name, "subject": None, "seq": None}
    entries = [{**names, "idx": size - rest + place, "entry": b"\x01" + urandom(32)} for place in range(rest)]
    with database.write() as connection:
        ADD_ENTRIES.run(connection, entries)
    return Loaded(LogTables(database, CaseStore(Vault({}, urandom))), size)


def put(database: Database, tiles) -> list[bytes]:
    """Store the tiles of one level and return the roots of those that are whole."""
    roots, rows = [], []

    def flush() -> None:
        with database.write() as connection:
            PUT_TILES.run(connection, rows)
        rows.clear()

    for level, number, content in tiles:
        rows.append({"department": LOG.department, "log": LOG.name, "level": level, "n": number, "content": content})
        if len(content) == WHOLE:
            roots.append(fold_complete(split_tile(content)))
        if len(rows) == LOADED_AT_ONCE:
            flush()
    flush()
    return roots


def measure(engine: str):
    """Yield what was found for each size."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if engine == "postgresql":
            server = PostgreSQL()
            stack.callback(server.stop)
        logs = [
            load(server.create() if engine == "postgresql" else f"sqlite:///{folder / str(size)}.db", size)
            for size in SIZES
        ]
        chosen, waits = random.Random(1), defaultdict(list)
        for _ in range(ROUNDS):
            for log in logs:
                for _ in range(PROOFS):
                    waits["inclusion", log.size].append(log.inclusion(chosen.randrange(log.size)))
                    waits["consistency", log.size].append(log.consistency(chosen.randrange(1, log.size)))
    for size in SIZES:
        found = {"benchmark": "proofs", "engine": engine, "entries": size}
        for kind in ("inclusion", "consistency"):
            cuts, least = (quantiles(waits[kind, asked], n=100) for asked in (size, SIZES[0]))
            found |= {f"{kind}_ratio": round(cuts[49] / least[49], 2)}
            found |= {f"{kind}_p50_ms": round(cuts[49] * 1000, 3), f"{kind}_p99_ms": round(cuts[98] * 1000, 3)}
        yield found


if __name__ == "__main__":
    for engine in sys.argv[1:] or ("sqlite", "postgresql"):
        for found in measure(engine):
            print(json.dumps(found), flush=True)
