"""The full audit against reading, opening and hashing the same rows, on each engine: ``python -m benchmarks.audit``.

Prints one JSON object a line. ``ratio`` is the time of the audit, less that of checking the checkpoints' signatures,
over the time that it takes to read the same rows through the same pages, to open each by the vault and to hash it.
Those are the logs' records and the states in the read models. It may be 4.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time

from sqlalchemy import select

from benchmarks.databases import database
from tests.history import filled
from tests.memory import growth, in_a_new_program
from verify_service.evidence.audit import audit
from verify_service.record_log.audit import PAGE
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.proposal import record_place
from verify_service.settings import parse
from verify_service.storage.log_store import read_head, read_records
from verify_service.storage.rows import sealed_of
from verify_service.storage.tables import incident, verification
from verify_service.wiring import Service


def yardstick(service: Service) -> float:
    """Return the seconds to read, open and hash every row that is sealed."""
    started = time.perf_counter()
    with service.database.snapshot() as connection:
        for department, place, sealed in sealed_rows(service, connection):
            for part in service.vault.open(department, place, sealed):
                hashlib.sha256(part).digest()
    return time.perf_counter() - started


def sealed_rows(service: Service, connection):
    """Yield (department, place, sealed) of the logs' records and of the states in the read models."""
    for log in service.log_ids():
        for start in range(0, read_head(connection, log).size, PAGE):
            for row in read_records(connection, log, start, PAGE):
                yield log.department, record_place(log, row.entry), row.sealed
    for table in (verification, incident):
        for row in connection.execution_options(yield_per=PAGE).execute(select(table)):
            yield row.department, f"{table.name}/{row.id}", sealed_of(row, "state")


def signatures(service: Service) -> tuple[int, float]:
    """Return how many checkpoints there are, and the seconds to check what signs them."""
    count, seconds = 0, 0.0
    with service.audit_source().moment() as moment:
        for snapshot, policy in moment.logs():
            keys = policy.keys_of(snapshot.head.origin)
            checkpoints = list(snapshot.checkpoints)
            started = time.perf_counter()
            for checkpoint in checkpoints:
                Checkpoint.parse(checkpoint.note)[1].check(keys)
            seconds += time.perf_counter() - started
            count += len(checkpoints)
    return count, seconds


def measure(environment: dict[str, str]) -> dict[str, float]:
    service = Service(parse(environment, needs=(), cores=1))
    with growth() as memory:
        started = time.perf_counter()
        report = audit(service.audit_source(), service.vault, service.marks())
        seconds = time.perf_counter() - started
    if not report.ok:
        raise SystemExit("\n".join(report.sentences()))
    read = min(yardstick(service) for _ in range(3))
    checkpoints, signed = signatures(service)
    records = sum(report.sizes.values())
    return {
        "benchmark": "audit",
        "engine": service.database.engine.dialect.name,
        "ratio": round((seconds - signed) / read, 2),
        "records": records,
        "records_per_s": round(records / seconds),
        "audit_s": round(seconds, 2),
        "yardstick_s": round(read, 2),
        "checkpoints": checkpoints,
        "signatures_s": round(signed, 2),
        "peak_rss_growth_mb": round(memory.mb, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engines", nargs="*", default=["sqlite", "postgresql"])
    parser.add_argument("--records", type=int, default=100_000)
    asked = parser.parse_args()
    for engine in asked.engines:
        with database(engine) as (folder, url):
            environment = filled(folder / engine, url, asked.records)
            print(json.dumps(in_a_new_program(measure, environment)), flush=True)


if __name__ == "__main__":
    main()
