"""Events appended by 1 to 64 clients against raw commits by as many, on each engine: ``python -m benchmarks.append``.

Prints one JSON object a line. The clients are threads of two processes, as the service's workers are; a lone client is
in one. A raw commit is a transaction that inserts one row as large as a sealed event, through the same driver into the
same database. ``ratio`` is of access events, which belong to no subject; ``ratio_on_incident`` of events that also
change an incident's read model. Each is measured in turn; of several rounds it is the median.

The disk takes 1 ms: ``slow_disk.c`` stands for fsync and fdatasync in this program and in PostgreSQL. With
``--fsync-ms 0`` it is this machine's own disk. ``lone_commit_ms`` shows what one commit waits for either way.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles

from sqlalchemy import Column, LargeBinary, MetaData, String, Table

from benchmarks.databases import database
from tests.deployment import DEVELOPMENT
from tests.street import caller
from verify_service.access.event import AccessEvents
from verify_service.record_log.append import Append, Composition, Draft, RetryKey
from verify_service.settings import parse
from verify_service.storage.prepared import Insertion
from verify_service.verification.event import Moments, Reporter, body, event
from verify_service.wiring import Service

DEPARTMENT = "LAPD"
CLIENTS = (1, 4, 16, 32, 64)
WORKERS = 2
LONE_COMMITS = 51
SLOWED = "LD_PRELOAD"
MEASURED = ("append", "append_to_incident", "commit")
RAW = Table("raw", MetaData(), Column("id", String(32), primary_key=True), Column("content", LargeBinary))
ADD_RAW = Insertion(RAW)


class Client:
    """One of many who append and commit at once."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.access = AccessEvents(service.logs, service.vault, service.clock)
        self.caller = caller()
        self.incident = f"incident:{fresh()}"
        self.append_to_incident()
        self.append()
        sealed = service.log_store.records(service.logs.access(DEPARTMENT).log, 0, 1)[0].sealed
        self.content = os.urandom(len(sealed.wrapped_key) + sum(map(len, sealed.parts)))

    def append(self) -> None:
        self.access.read(self.caller, "readVerification", f"verification:{fresh()}", "1", None)

    def append_to_incident(self) -> None:
        key = RetryKey(os.urandom(32), bytes(32))
        self.service.logs.records(DEPARTMENT).append(Append(frozenset({self.incident}), self._compose, key))

    def commit(self) -> None:
        with self.service.database.write() as connection:
            ADD_RAW.run(connection, [{"id": fresh(), "content": self.content}])

    def _compose(self, subjects):
        if subjects[self.incident].state is None:
            kind, observed = "incident_opened", {"number": None, "provisional": True}
        else:
            kind, observed = "scene_facts", {"place_type": "street"}
        by = Reporter(self.caller, Moments(received_at=self.service.clock.now()))
        record = event(kind, self.incident, body(observed=observed), by=by)
        return Composition((Draft(record),), lambda placed, _: str(placed[0].index).encode())


class Worker:
    """A process with as many clients as it is asked for."""

    here: Worker

    def __init__(self, environment: dict[str, str]) -> None:
        self.service = Service(parse(environment, needs=(), cores=1))
        self.clients = [Client(self.service) for _ in range(max(CLIENTS) // WORKERS)]
        self.pool = ThreadPoolExecutor(len(self.clients))

    @classmethod
    def begin(cls, environment: dict[str, str]) -> None:
        cls.here = cls(environment)

    @classmethod
    def waits(cls, name: str, count: int, starts: float, seconds: float) -> list[float]:
        """Return how long each call took when ``count`` clients repeat theirs from a moment on."""

        def repeat(client: Client) -> list[float]:
            call, waited = getattr(client, name), []
            time.sleep(max(0, starts - time.time()))
            while (begun := time.time()) < starts + seconds:
                call()
                waited.append(time.time() - begun)
            return waited

        return [wait for waited in cls.here.pool.map(repeat, cls.here.clients[:count]) for wait in waited]


def fresh() -> str:
    return os.urandom(16).hex()


def measure(engine: str, rounds: int, seconds: float, fsync_ms: float):
    """Yield what was found for each number of clients."""
    with ExitStack() as stack:
        environment = stack.enter_context(deployed(engine))
        spawn = multiprocessing.get_context("spawn")
        workers = [
            stack.enter_context(ProcessPoolExecutor(1, spawn, Worker.begin, (environment,))) for _ in range(WORKERS)
        ]
        # The clock runs once both are there.
        for ready in [worker.submit(Worker.waits, "commit", 0, 0, 0) for worker in workers]:
            ready.result()
        for clients in CLIENTS:
            found = {name: ([], []) for name in MEASURED}
            for _ in range(rounds):
                for name, (rates, slowest) in found.items():
                    waits = together(workers, name, clients, seconds)
                    rates.append(len(waits) / seconds)
                    slowest.append(quantiles(waits, n=100)[98] * 1000)
            yield {
                "benchmark": "append",
                "engine": engine,
                "fsync_ms": fsync_ms,
                "clients": clients,
                "ratio": median_ratio(found["append"][0], found["commit"][0]),
                "ratio_on_incident": median_ratio(found["append_to_incident"][0], found["commit"][0]),
                "lone_commit_ms": round(lone_commit(environment), 2),
                **{f"{name}_per_s": round(median(rates)) for name, (rates, _) in found.items()},
                **{f"{name}_p99_ms": round(median(slowest), 1) for name, (_, slowest) in found.items()},
            }


def together(workers: list[ProcessPoolExecutor], name: str, clients: int, seconds: float) -> list[float]:
    """Return the waits of so many clients, half of them in each process."""
    starts = time.time() + 0.1
    counts = [clients // WORKERS] * WORKERS if clients > 1 else [1, 0]
    running = [
        worker.submit(Worker.waits, name, count, starts, seconds) for worker, count in zip(workers, counts, strict=True)
    ]
    return [wait for waits in running for wait in waits.result()]


def lone_commit(environment: dict[str, str]) -> float:
    """Return the milliseconds that one commit takes, the median of some."""
    database = Service(parse(environment, needs=(), cores=1)).database

    def once() -> float:
        begun = time.perf_counter()
        with database.write() as connection:
            ADD_RAW.run(connection, [{"id": fresh(), "content": b""}])
        return time.perf_counter() - begun

    found = median(once() for _ in range(LONE_COMMITS)) * 1000
    database.dispose()
    return found


@contextmanager
def deployed(engine: str):
    """Yield the settings of a new deployment."""
    with ExitStack() as stack:
        folder, url = stack.enter_context(database(engine))
        environment = {**DEVELOPMENT, "VERIFY_HOME": str(folder / "home"), "VERIFY_DATABASE_URL": url}
        service = Service(parse(environment, needs=(), cores=1))
        service.generate_keys()
        service.upgrade()
        RAW.metadata.create_all(service.database.engine)
        service.database.dispose()
        yield environment


def median_ratio(numbers: list[float], yardstick: list[float]) -> float:
    return round(median(a / b for a, b in zip(numbers, yardstick, strict=True)), 2)


@contextmanager
def slow_disk(milliseconds: float):
    """Yield the environment of a program for which every wait for the disk, its children's too, takes this long."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise SystemExit("There is no C compiler for the slow disk: run `make tools`, or measure with --fsync-ms 0.")
    with tempfile.TemporaryDirectory() as folder:
        # PostgreSQL's own user has to read it.
        Path(folder).chmod(0o755)
        library, source = Path(folder) / "slow_disk.so", Path(__file__).with_name("slow_disk.c")
        nanoseconds = f"-DNANOSECONDS={round(milliseconds * 1_000_000)}"
        subprocess.run([compiler, "-shared", "-fPIC", "-O2", nanoseconds, "-o", library, source], check=True)
        yield {**os.environ, SLOWED: str(library)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engines", nargs="*", default=["sqlite", "postgresql"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--fsync-ms", type=float, default=1)
    asked = parser.parse_args()
    if asked.fsync_ms and SLOWED not in os.environ:
        with slow_disk(asked.fsync_ms) as environment:
            subprocess.run([sys.executable, "-m", "benchmarks.append", *sys.argv[1:]], env=environment, check=True)
        return
    for engine in asked.engines:
        for found in measure(engine, asked.rounds, asked.seconds, asked.fsync_ms):
            print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
