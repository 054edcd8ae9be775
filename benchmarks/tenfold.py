"""Compare the federal census with ten times as many entries, side by side in one run: ``python -m benchmarks.tenfold``.

Prints one JSON object a line: per engine and size what ``benchmarks.ingest`` measures, then the ratios of the look-ups'
medians, which may be 1.2, and on SQLite how long submissions take without and during the ingest of the larger one.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.ingest import measure
from tests.deployment import claim
from tests.memory import in_a_new_program
from tests.postgresql import PostgreSQL
from tests.served import Served
from verify_service.registry.synthesize import ENTRIES, Wish, synthesize

SIZES = (ENTRIES, 1_400_000)
ROUNDS = 3
OFFICERS, PAUSE_S = 4, 0.05
LOOKUPS = [f"lookup_{who}_{status}_ms" for who in ("one", "all") for status in ("active", "absent")]


def sizes(folder: Path, registries: dict[int, Path]) -> None:
    server = PostgreSQL()
    for engine in ("sqlite", "postgresql"):
        found = {entries: [] for entries in SIZES}
        for number in range(ROUNDS):
            for entries, registry in registries.items():
                own = folder / f"{engine}-{entries}-{number}"
                own.mkdir()
                url = server.create() if engine == "postgresql" else f"sqlite:///{own}/verify.db"
                found[entries].append(in_a_new_program(measure, url, registry))
                if engine == "postgresql":
                    server.drop(url)
        medians = {entries: middle(rounds) for entries, rounds in found.items()}
        for answer in medians.values():
            print(json.dumps(answer), flush=True)
        small, large = medians.values()
        ratios = {name.removesuffix("_ms"): round(large[name] / small[name], 2) for name in LOOKUPS}
        print(json.dumps({"engine": engine, "ten_times_over_census": ratios}), flush=True)
    server.stop()


def middle(rounds: list[dict[str, float]]) -> dict[str, float]:
    """Return each figure's median over the rounds."""
    return {
        name: value if isinstance(value, str) else statistics.median(each[name] for each in rounds)
        for name, value in rounds[0].items()
    }


@contextmanager
def officers(served: Served, waits: list[float]):
    """Let some submit with pauses, as often as a large city's at its busiest, until the block ends."""
    body, ended = claim("DHS-ICE", served.sample.known("DHS-ICE").value), threading.Event()

    def submit(officer: int) -> None:
        while not ended.is_set():
            started = time.perf_counter()
            status, reply = served.ask("POST", "/v1/verifications", body, f"{officer}-{time.monotonic_ns()}")
            waits.append(time.perf_counter() - started)
            if status != 201:
                raise RuntimeError(reply)
            time.sleep(PAUSE_S)

    threads = [threading.Thread(target=submit, args=(officer,)) for officer in range(OFFICERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def submissions(folder: Path, registry: Path) -> dict[str, float]:
    """Submit to a server on SQLite for as long as another department's large registry is taken in, and without."""
    url = f"sqlite:///{folder / 'served.db'}"
    served = Served(folder / "home", url, VERIFY_DEPARTMENTS="LAPD,SFPD", VERIFY_WORKERS="2")
    other = {
        **served.environment,
        "VERIFY_DEPARTMENTS": "OAKLAND",
        "VERIFY_REGISTRY": str(registry),
        "VERIFY_REGISTRY_ROOT": str(registry / "metadata/1.root.json"),
        "VERIFY_BLINDING_KEYS": str(registry / "private/blinding-keys.json"),
    }
    environment = {**os.environ, **other}
    command = [sys.executable, "-m", "verify_service.cli"]
    subprocess.run([*command, "keys", "generate"], env=environment, check=True, stdout=subprocess.DEVNULL)
    during, without = [], []
    served.start()
    try:
        with officers(served, during):
            started = time.perf_counter()
            subprocess.run([*command, "ingest"], env=environment, check=True, stdout=subprocess.DEVNULL)
            seconds = time.perf_counter() - started
        with officers(served, without):
            time.sleep(seconds)
    finally:
        served.stop()
    return {
        "ingest_s": round(seconds, 1),
        **{
            f"{name}_{what}_ms": round(statistics.quantiles(waits, n=100)[percentile] * 1000, 1)
            for name, waits in (("without", without), ("during", during))
            for what, percentile in (("p50", 49), ("p99", 98))
        },
        "slowest_during_ms": round(max(during) * 1000, 1),
        "submitted": [len(without), len(during)],
    }


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        registries = {entries: folder / f"registry-{entries}" for entries in SIZES}
        for entries, registry in registries.items():
            synthesize(registry, Wish(entries=entries), datetime.now(UTC), os.urandom)
        sizes(folder, registries)
        print(json.dumps({"submissions": submissions(folder, registries[SIZES[1]])}), flush=True)


if __name__ == "__main__":
    main()
