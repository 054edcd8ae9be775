"""A night is long: workers whose threads ended, because nobody asked for half a minute, live on."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.deployment import claim
from tests.served import Served

pytestmark = pytest.mark.long
# granian ends a thread after 30 s without work.
QUIET_SECONDS = 36


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_workers_outlive_their_threads(request, tmp_path, engine):
    server = request.getfixturevalue("postgresql") if engine == "postgresql" else None
    url = server.create() if server else f"sqlite:///{tmp_path / 'verify.db'}"
    served = Served(tmp_path / "home", url, VERIFY_WORKERS="2", VERIFY_THREADS="8").start()
    body = claim("DHS-ICE", served.sample.known("DHS-ICE").value)
    workers = children(served.process.pid)
    assert len(workers) >= 2
    with ThreadPoolExecutor(32) as clients:
        keys = [f"key-{number}" for number in range(320)]
        statuses = [
            status for status, _ in clients.map(lambda k: served.ask("POST", "/v1/verifications", body, k), keys)
        ]
    assert set(statuses) == {201}
    crowded = max(threads(worker) for worker in workers)
    time.sleep(QUIET_SECONDS)
    assert max(threads(worker) for worker in workers) < crowded, "no thread ended, so this shows nothing"
    assert children(served.process.pid) == workers
    assert served.ask("GET", "/v1/verifications")[0] == 200
    served.stop()
    if server:
        server.drop(url)


def children(pid):
    return {
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    }


def threads(pid):
    return len(list(Path(f"/proc/{pid}/task").iterdir()))
