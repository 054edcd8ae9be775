"""Measure ingest and look-ups on both engines against reading the same bytes: ``python -m benchmarks.ingest``.

Prints one JSON object a line. ``ratio`` is ingest time over JSON parse + SHA-256 of the same rosters; it may be 3.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

from tests.fakes.keys import sealed_vault
from tests.memory import growth, in_a_new_program
from tests.postgresql import PostgreSQL
from verify_service.clock import SystemClock
from verify_service.registry.blinding import parse_blinding_key_file
from verify_service.registry.identifier import Identifier, parse_identifier
from verify_service.registry.ingest import Ingest
from verify_service.registry.keyring import Keyring
from verify_service.registry.registry import Registry
from verify_service.registry.synthesize import ENTRIES, Wish, synthesize
from verify_service.storage.blinding_key_store import BlindingKeyStore
from verify_service.storage.database import Database
from verify_service.storage.registry_store import RegistryStore
from verify_service.storage.registry_tables import metadata

DEPARTMENT = "lapd"
LOOKUPS = 500
VAULT = sealed_vault(DEPARTMENT)


class TimedDatabase(Database):
    """Note for how long each write holds the lock that submissions wait for."""

    holds: list[float]

    @contextmanager
    def write(self, *, lasting=True):
        with super().write(lasting=lasting) as connection:
            started = time.perf_counter()
            yield connection
        self.holds.append(time.perf_counter() - started)


class TimedStore(RegistryStore):
    """Note how long the transaction takes that makes a new edition stand."""

    swap_s: float

    def swap(self, *arguments):
        started = time.perf_counter()
        edition = super().swap(*arguments)
        self.swap_s = time.perf_counter() - started
        return edition


def size_mb(database: Database) -> float:
    if not database.is_sqlite:
        with database.read() as connection:
            return connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one() / 1e6
    return sum(path.stat().st_size for path in Path(database.engine.url.database).parent.glob("*.db*")) / 1e6


def baseline(registry: Path) -> float:
    rosters = [path.read_bytes() for path in sorted(registry.glob("targets/rosters/*/*"))]
    started = time.perf_counter()
    for content in rosters:
        hashlib.sha256(content).hexdigest()
        for line in content.split(b"\n")[:-1]:
            json.loads(line)
    return time.perf_counter() - started


def measure(url: str, registry: Path) -> dict[str, float]:
    database = TimedDatabase(url)
    database.holds = []
    metadata.create_all(database.engine)
    store, keyring = TimedStore(database), Keyring(BlindingKeyStore(database), VAULT)
    keyring.take_in(DEPARTMENT, parse_blinding_key_file((registry / "private/blinding-keys.json").read_bytes()))
    root = (registry / "metadata/1.root.json").read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        ingest = Ingest(DEPARTMENT, str(registry), root, Path(folder), store, keyring, SystemClock())
        with growth() as memory:
            started = time.perf_counter()
            report = ingest.run()
            seconds = time.perf_counter() - started
        swap = store.swap_s
        started = time.perf_counter()
        ingest.run()
        unchanged = time.perf_counter() - started
    answer = {
        "engine": database.engine.dialect.name,
        "entries": sum(entries for _, entries in report.loaded),
        "ingest_s": round(seconds, 3),
        "unchanged_s": round(unchanged, 3),
        "swap_ms": round(swap * 1000, 1),
        "database_mb": round(size_mb(database)),
        "peak_rss_growth_mb": round(memory.mb, 1),
        "longest_write_ms": round(max(database.holds) * 1000, 1),
        **lookups(Registry(store, keyring), registry),
    }
    database.dispose()
    return answer


def lookups(registry: Registry, folder: Path) -> dict[str, float]:
    known = json.loads((folder / "known-identifiers.json").read_bytes())["identifiers"]
    row = next(row for row in known if row["status"] == "active" and row["kind"] == "badge")
    active, agency = parse_identifier("badge", row["value"]), row["agency"]
    medians = {}
    for status, identifier in (("active", active), ("absent", absent(registry, agency))):
        for who, agencies in (("one", [agency]), ("all", None)):
            times = []
            for _ in range(LOOKUPS):
                started = time.perf_counter()
                registry.check(DEPARTMENT, identifier, agencies, datetime.now(UTC))
                times.append(time.perf_counter() - started)
            medians[f"lookup_{who}_{status}_ms"] = round(statistics.median(times) * 1000, 3)
    return medians


def absent(registry: Registry, agency: str) -> Identifier:
    """Return a number that nobody has, of digits that look like no other, since others are asked for with it."""
    numbers = (parse_identifier("badge", "".join(digits)) for digits in product("3479", repeat=5))
    return next(
        number
        for number in numbers
        if registry.check(DEPARTMENT, number, [agency], datetime.now(UTC)).checks[0].result == "no_match"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=ENTRIES)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        registry = Path(folder) / "registry"
        synthesize(registry, Wish(entries=asked.entries), datetime.now(UTC), os.urandom)
        server = PostgreSQL()
        for number in range(asked.rounds):
            yardstick = min(baseline(registry) for _ in range(2))
            for url in (f"sqlite:///{folder}/{number}.db", server.create()):
                answer = in_a_new_program(measure, url, registry)
                ratio = round(answer["ingest_s"] / yardstick, 2)
                print(json.dumps({"ratio": ratio, "parse_and_hash_s": round(yardstick, 3), **answer}), flush=True)
        server.stop()


if __name__ == "__main__":
    main()
