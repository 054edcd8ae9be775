"""Run a witness as its operator does: `witnessctl add-log`, then `serve`, in a process of its own."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.served import free_port

WITNESSCTL = Path(sys.executable).with_name("witnessctl")
PATIENCE_SECONDS = 20


class ServedWitness:
    """A witness in a folder, watching some logs."""

    def __init__(self, home, name, *vkeys):
        self.home = home
        self.process = None
        for vkey in vkeys:
            self.vkey = json.loads(self.ctl("add-log", vkey, "--name", name, "--json"))["vkey"]
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def ctl(self, command, *arguments):
        ran = [WITNESSCTL, command, "--home", str(self.home), *arguments]
        return subprocess.run(ran, capture_output=True, text=True, timeout=60, check=True).stdout

    def start(self):
        command = [WITNESSCTL, "serve", "--home", str(self.home), "--bind", f"127.0.0.1:{self.port}"]
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            try:
                self.post(b"")
            except OSError:
                assert self.process.poll() is None, "the witness did not start"
                time.sleep(0.05)
            else:
                return self
        raise AssertionError("the witness does not answer")

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE_SECONDS)

    def kill(self):
        """End it as a power cut ends its processes."""
        # Its own session: no other process is in the group.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_SECONDS)

    def post(self, body):
        """Submit a checkpoint and return (status, body)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("POST", "/add-checkpoint", body)
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def status(self):
        return json.loads(self.ctl("status", "--json"))
