"""Where the time of one POST /v1/verifications goes, from socket to disk: ``python -m benchmarks.stages``.

Prints one JSON object a line: by stage the microseconds that pass, which add up to the whole, and those of the app's
own CPU. Each is the mean of many requests that one client sends after another to one worker of one thread. A stage's
time is its own, without the stages it calls; what the disk or the database is waited for passes in it, and is no CPU of
the app's. ``socket`` is what passes outside the app: the client, the kernel, HTTP.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from functools import wraps
from importlib import import_module

from benchmarks.databases import database
from benchmarks.served import process
from tests.deployment import claim
from tests.served import Served
from verify_service.devissuer import serving as devissuer

WARM, REQUESTS = 100, 500
# The places are wrapped from the outside: what has no name here counts to the stage that calls it.
STAGES = {
    "token": ("web.auth:Authenticator.admit", "web.auth:Authenticator.spend"),
    "JSON": ("web.json_body:read",),
    "retry key": ("web.gate:retry_key",),
    "schema": ("web.arguments:ArgumentsParser.parse",),
    "registry: blind and judge": ("registry.registry:Registry.check",),
    "registry: alternates": ("registry.registry:alternates",),
    "registry: look-up": ("storage.registry_store:RegistryStore._asked",),
    "read the incident, before": ("storage.log_store:LogTables.subjects",),
    "compose": ("verification.submission:Submission.compose",),
    "write and commit to records": ("record_log.proposal:Scribe.write",),
    "seal and open": ("vault:Vault.seal", "vault:Vault.open"),
    "group": ("record_log.group_commit:GroupCommit.submit",),
    "this host's turn": ("record_log.high_water:HighWater.turn",),
    "high-water mark: compare": ("record_log.high_water:Turn.check",),
    "high-water mark: write, fsync": ("record_log.high_water:Turn.advance",),
    "begin and commit, fsync": ("storage.database:Database.write",),
    "hold the tail": ("storage.log_store:LogTables.hold_tail",),
    "read replies and incident": ("record_log.batch:OpenBatch.load",),
    "place and reply": ("record_log.batch:OpenBatch.admit",),
    "tree and signature": ("record_log.batch:OpenBatch.close",),
    "rows": ("storage.log_store:HeldTail.write",),
    "read models": ("storage.case_store:CaseStore.project",),
}
APP, SOCKET = "flask: routing, reply", "socket"


class Watch:
    """Charges the time of a request to one stage at a time."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
        self._open: list[str] = []
        self._since = (0.0, 0.0)

    def enter(self, stage: str) -> None:
        self._charge()
        self._open.append(stage)

    def leave(self) -> None:
        self._charge()
        self._open.pop()

    def _charge(self) -> None:
        now = time.perf_counter(), time.thread_time()
        if self._open:
            spent = self.spent[self._open[-1]]
            spent[0] += now[0] - self._since[0]
            spent[1] += now[1] - self._since[1]
        self._since = now

    def function(self, stage: str, called):
        @wraps(called)
        def watched(*arguments, **named):
            if not self._open:
                return called(*arguments, **named)
            self.enter(stage)
            try:
                return called(*arguments, **named)
            finally:
                self.leave()

        return watched

    def block(self, stage: str, made):
        """Watch a context manager's beginning and end, but not what runs within it."""
        enter, leave = self.function(stage, lambda block: block.__enter__()), self.function(stage, _leave)

        @contextmanager
        @wraps(made)
        def watched(*arguments, **named):
            block = made(*arguments, **named)
            value = enter(block)
            try:
                yield value
            except BaseException:
                if not leave(block, *sys.exc_info()):
                    raise
            else:
                leave(block, None, None, None)

        return watched


def _leave(block, *error):
    return block.__exit__(*error)


def owner_of(place: str):
    """Return the module or class that a stage's function stands in, and its name there."""
    module, _, path = place.partition(":")
    owner = import_module(f"verify_service.{module}")
    *owners, name = path.split(".")
    for part in owners:
        owner = getattr(owner, part)
    return owner, name


def application():
    """Make the service's app with every stage watched; ``/spent`` tells and forgets what they took."""
    watch = Watch()
    for stage, places in STAGES.items():
        for place in places:
            owner, name = owner_of(place)
            called = getattr(owner, name)
            is_block = name in {"turn", "write", "hold_tail"} and hasattr(called, "__wrapped__")
            setattr(owner, name, (watch.block if is_block else watch.function)(stage, called))
    served = import_module("verify_service.server").application()

    def watched(environ, start_response):
        if environ["PATH_INFO"] == "/spent":
            start_response("200 OK", [("Content-Type", "application/json")])
            told = json.dumps(watch.spent).encode()
            watch.spent.clear()
            return [told]
        watch.enter(APP)
        try:
            return [b"".join(served(environ, start_response))]
        finally:
            watch.leave()

    return watched


def measure(engine: str) -> dict[str, object]:
    with ExitStack() as stack:
        folder, url = stack.enter_context(database(engine))
        served = Served(folder / "home", url)
        issuer_port = int(served.environment["VERIFY_DEVISSUER_PORT"])
        stack.enter_context(devissuer.running(served.home, issuer_port))
        app = f"'benchmarks.stages:application', host='127.0.0.1', port={served.port}, workers=1, threads=1"
        command = [sys.executable, "-c", f"from verify_service.web.serving import serve\nserve({app})"]
        stack.enter_context(process(command, served.environment, served.port, "/readyz"))
        client = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
        body = claim("DHS-ICE", served.sample.known("DHS-ICE").value)
        for _ in range(WARM):
            served.ask("POST", "/v1/verifications", body, os.urandom(8).hex(), client)
        served.ask("GET", "/spent", connection=client)
        begun = time.perf_counter()
        for _ in range(REQUESTS):
            served.ask("POST", "/v1/verifications", body, os.urandom(8).hex(), client)
        whole = time.perf_counter() - begun
        spent = json.loads(served.ask("GET", "/spent", connection=client)[1])
    spent[SOCKET] = [whole - sum(wall for wall, _ in spent.values()), 0]
    stages = {stage: [round(s / REQUESTS * 1_000_000) for s in seconds] for stage, seconds in spent.items()}
    return {
        "benchmark": "stages",
        "engine": engine,
        "whole": round(whole / REQUESTS * 1_000_000),
        "cpu": sum(cpu for _, cpu in stages.values()),
        "stages": dict(sorted(stages.items(), key=lambda found: -found[1][1])),
    }


if __name__ == "__main__":
    for engine in sys.argv[1:] or ("sqlite", "postgresql"):
        print(json.dumps(measure(engine)), flush=True)
