"""Events appended by 32 clients against raw commits by as many, on each engine: ``python -m benchmarks.append``.

Prints one JSON object a line. A raw commit is a transaction that inserts one row as large as a sealed event, through
the same driver into the same database. ``ratio`` is of access events, which belong to no subject;
``ratio_on_incident`` of events that also change an incident's read model. Of several rounds it is the median.

The disk takes 1 ms: ``slow_disk.c`` stands for fsync and fdatasync in this program and in PostgreSQL. With
``--fsync-ms 0`` it is this machine's own disk. ``lone_commit_ms`` shows what one commit waits for either way.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Column, LargeBinary, MetaData, String, Table

from tests.deployment import DEVELOPMENT
from tests.postgresql import PostgreSQL
from tests.street import caller
from verify_service.access.event import AccessEvents
from verify_service.record_log.log import Append, Composition, Draft, RetryKey
from verify_service.settings import parse
from verify_service.storage.prepared import Insertion
from verify_service.verification.event import Moments, Reporter, body, event
from verify_service.wiring import Service

DEPARTMENT = "LAPD"
CLIENTS = 32
LONE_COMMITS = 51
RAW = Table("raw", MetaData(), Column("id", String(32), primary_key=True), Column("content", LargeBinary))
ADD_RAW = Insertion(RAW)


class Client:
    """One of many who append and commit at once."""

    def __init__(self, service: Service, number: int) -> None:
        self.service = service
        self.access = AccessEvents(service.logs, service.vault, service.clock)
        self.caller = caller()
        self.incident = f"incident:{number}"
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


def fresh() -> str:
    return os.urandom(16).hex()


def measure(engine: str, rounds: int, seconds: float) -> dict[str, float]:
    with ExitStack() as stack:
        clients = stack.enter_context(ready(engine))
        # Each thread keeps its connection, so they are the same ones throughout.
        pool = stack.enter_context(ThreadPoolExecutor(CLIENTS))
        rates = {"append": [], "append_to_incident": [], "commit": []}
        for _ in range(rounds):
            for name, found in rates.items():
                found.append(rate(pool, [getattr(client, name) for client in clients], seconds))
        lone = statistics.median(timed(clients[0].commit) for _ in range(LONE_COMMITS))
    return {
        "engine": engine,
        "ratio": median_ratio(rates["append"], rates["commit"]),
        "ratio_on_incident": median_ratio(rates["append_to_incident"], rates["commit"]),
        "sealed_bytes": len(clients[0].content),
        "lone_commit_ms": round(lone * 1000, 2),
        **{f"{name}_per_s": round(statistics.median(found)) for name, found in rates.items()},
    }


@contextmanager
def ready(engine: str):
    """Yield clients of a new deployment."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder / 'verify.db'}"
        if engine == "postgresql":
            server = PostgreSQL()
            stack.callback(server.stop)
            url = server.create()
        environment = {**DEVELOPMENT, "VERIFY_HOME": str(folder / "home"), "VERIFY_DATABASE_URL": url}
        service = Service(parse(environment, needs=(), cores=1))
        service.generate_keys()
        service.upgrade()
        stack.callback(service.database.dispose)
        RAW.metadata.create_all(service.database.engine)
        yield [Client(service, number) for number in range(CLIENTS)]


def rate(pool: ThreadPoolExecutor, calls, seconds: float) -> float:
    """Return how many calls a second there are when each client repeats its own."""
    started = time.perf_counter()

    def repeat(call) -> int:
        count = 0
        while time.perf_counter() - started < seconds:
            call()
            count += 1
        return count

    return sum(pool.map(repeat, calls)) / (time.perf_counter() - started)


def timed(call) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def median_ratio(numbers: list[float], yardstick: list[float]) -> float:
    return round(statistics.median(a / b for a, b in zip(numbers, yardstick, strict=True)), 2)


@contextmanager
def slow_disk(milliseconds: float):
    """Yield the environment of a program for which every wait for the disk, its children's too, takes this long."""
    if not milliseconds:
        yield dict(os.environ)
        return
    compiler = shutil.which("cc")
    if compiler is None:
        raise SystemExit("There is no C compiler for the slow disk: run `make tools`, or measure with --fsync-ms 0.")
    with tempfile.TemporaryDirectory() as folder:
        # PostgreSQL's own user has to read it.
        Path(folder).chmod(0o755)
        library, source = Path(folder) / "slow_disk.so", Path(__file__).with_name("slow_disk.c")
        nanoseconds = f"-DNANOSECONDS={round(milliseconds * 1_000_000)}"
        subprocess.run([compiler, "-shared", "-fPIC", "-O2", nanoseconds, "-o", library, source], check=True)
        yield {**os.environ, "LD_PRELOAD": str(library)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engines", nargs="*", default=["sqlite", "postgresql"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--fsync-ms", type=float, default=1)
    asked = parser.parse_args()
    if not asked.fsync_ms:
        for engine in asked.engines:
            print(json.dumps(measure(engine, asked.rounds, asked.seconds)), flush=True)
        return
    with slow_disk(asked.fsync_ms) as environment:
        options = ["--rounds", str(asked.rounds), "--seconds", str(asked.seconds), "--fsync-ms", "0"]
        again = [sys.executable, "-m", "benchmarks.append", *asked.engines, *options]
        subprocess.run(again, env=environment, check=True)


if __name__ == "__main__":
    main()
