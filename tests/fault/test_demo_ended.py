"""Ended from outside, a demo leaves no server behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from tests.served import free_port

pytestmark = pytest.mark.long


def listens(port):
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_the_port_is_free_again(tmp_path, sent):
    ports = {"VERIFY_BIND": free_port(), "VERIFY_DEVISSUER_PORT": free_port()}
    environment = {
        **os.environ,
        "VERIFY_HOME": str(tmp_path / "home"),
        "VERIFY_BIND": f"127.0.0.1:{ports['VERIFY_BIND']}",
        "VERIFY_DEVISSUER_PORT": str(ports["VERIFY_DEVISSUER_PORT"]),
    }
    command = [sys.executable, "-m", "verify_service.cli", "demo"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as demo:
        said = b""
        while b"Stop with Ctrl-C" not in said:
            line = demo.stdout.readline()
            assert line, said
            said += line
        assert listens(ports["VERIFY_BIND"])
        demo.send_signal(sent)
        assert demo.wait(30) == 0
    deadline = time.monotonic() + 5
    while any(map(listens, ports.values())) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(listens, ports.values()))
