"""Run the real service in processes of its own, as an operator does, and kill it as nobody would."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

from tests.deployment import DEVELOPMENT, build
from tests.registries import SampleRegistry
from verify_service import settings_file
from verify_service.clock import SystemClock
from verify_service.settings import parse
from verify_service.wiring import Service

_drawn = set()


def free_port():
    """Return a port that nothing listens at, and another one each time: who drew it may not listen there yet."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
        if port not in _drawn:
            _drawn.add(port)
            return port


@contextmanager
def served_on(request, engine, folder, **more):
    """Serve a deployment on an engine, and end it."""
    server = request.getfixturevalue("postgresql") if engine == "postgresql" else None
    url = server.create() if server else f"sqlite:///{folder / 'verify.db'}"
    made = Served(folder / "home", url, **more)
    try:
        yield made.start()
    finally:
        made.stop()
        if server:
            server.drop(url)


class Served:
    """A deployment on disk and the server on it, which can be killed and started again."""

    program = "verify_service.cli"

    def __init__(self, home, database_url, issuer=None, **more):
        self.home = home
        self.port = free_port()
        # Another issuer than the development one binds its tokens to keys, and proofs to the address that is called.
        elsewhere = {"VERIFY_ISSUER": issuer, "VERIFY_PUBLIC_URL": f"http://127.0.0.1:{self.port}"} if issuer else {}
        self.sample = SampleRegistry(home / "registry", SystemClock())
        self.environment = {
            "VERIFY_HOME": str(home),
            **DEVELOPMENT,
            "VERIFY_DEPARTMENTS": "LAPD",
            "VERIFY_DATABASE_URL": database_url,
            "VERIFY_BIND": f"127.0.0.1:{self.port}",
            "VERIFY_DEVISSUER_PORT": str(free_port()),
            "VERIFY_REGISTRY": str(self.sample.folder),
            "VERIFY_REGISTRY_ROOT": str(self.sample.folder / "metadata/1.root.json"),
            "VERIFY_BLINDING_KEYS": str(self.sample.folder / "private/blinding-keys.json"),
            **elsewhere,
            **more,
        }
        build_with = {name: value for name, value in self.environment.items() if name != "VERIFY_HOME"}
        build(home, self.sample, **build_with).database.dispose()
        # Another issuer's tokens come from there.
        self.token = self.service().token("officer") if self.environment["VERIFY_ISSUER"] == "development" else None
        self.process = None
        self.said = home / "said"

    def service(self):
        return Service(parse(self.environment, needs=(), cores=1))

    def start(self, within=30):
        environment = {**{n: v for n, v in os.environ.items() if not n.startswith("VERIFY_")}, **self.environment}
        # A pipe that nobody reads would fill with warnings, and every thread that has one to give would wait for ever.
        with self.said.open("w") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self.program, "serve"],
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.said.read_text()
            with contextlib.suppress(OSError):
                if self.ask("GET", "/readyz")[0] == 200:
                    return self
            time.sleep(0.05)
        raise AssertionError("the server did not become ready")

    def kill(self):
        """End every process of the server at once, with nothing said."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def ask(self, method, path, body=None, key=None, connection=None, token=None):
        """Return (status, body bytes) of one request."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        if body is not None:
            headers |= {"Content-Type": "application/json", "Idempotency-Key": key}
        own = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            own.request(method, path, None if body is None else json.dumps(body), headers)
            reply = own.getresponse()
            return reply.status, reply.read()
        finally:
            if connection is None:
                own.close()


__all__ = ["Served", "free_port", "settings_file"]
