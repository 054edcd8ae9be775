"""Run one ingest cycle in a process of its own, and kill it with SIGKILL at a moment that was chosen before.

``python -m tests.fault.doomed_ingest URL REGISTRY FOLDER MOMENT WHEN``: ``WHEN`` is the number of a call or return of
any function, or the name of one that is about to return. A cycle that lives on prints how many there were.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.fakes.clock import SetClock
from tests.fakes.keys import sealed_vault
from tests.registries import DEPARTMENT
from verify_service.clock import parse_rfc3339, rfc3339
from verify_service.registry.ingest import Ingest
from verify_service.registry.keyring import Keyring
from verify_service.storage.blinding_key_store import BlindingKeyStore
from verify_service.storage.database import Database
from verify_service.storage.registry_store import RegistryStore


class Doom:
    """Counts calls and returns, those into C among them, and strikes when the chosen one comes."""

    def __init__(self, when):
        self.when = when
        self.seen = 0

    def __call__(self, frame, event, argument):
        self.seen += 1
        if self.when == str(self.seen) or (event == "return" and frame.f_code.co_name == self.when):
            os.kill(os.getpid(), signal.SIGKILL)


def run_doomed(station, when):
    """Let a station's next cycle be run and killed, and return the process that ended."""
    url = station.store._database.engine.url.render_as_string(hide_password=False)
    arguments = (url, station.sample.folder, station.folder, rfc3339(station.clock.now()), str(when))
    command = [sys.executable, "-m", "tests.fault.doomed_ingest", *arguments]
    return subprocess.run(command, check=False, capture_output=True)


def main(url, registry, folder, moment, when):
    database = Database(url)
    root = (Path(registry) / "metadata/1.root.json").read_bytes()
    keyring = Keyring(BlindingKeyStore(database), sealed_vault(DEPARTMENT))
    clock = SetClock(parse_rfc3339(moment))
    ingest = Ingest(DEPARTMENT, registry, root, Path(folder), RegistryStore(database), keyring, clock)
    doom = Doom(when)
    sys.setprofile(doom)
    ingest.run()
    sys.setprofile(None)
    print(doom.seen)  # noqa: T201 - This is a command.


if __name__ == "__main__":
    main(*sys.argv[1:])
