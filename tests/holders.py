"""A trust authority and an agency whose holders keep their keys apart, working through the commands alone."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from tests.fakes.clock import SetClock
from verify_service.registry.blinding import parse_blinding_key_file
from verify_service.registryctl import main

PROFILE = {
    "v": "profile/v1",
    "agency": "XY-POL",
    "name": "Sample police (synthetic)",
    "level": 4,
    "kinds": ["badge", "minted", "op_code"],
    "formats": {"badge": "[0-9]{5}"},
    "callback": {"number": "+12025550199", "source": "synthetic: a made-up number", "tested_on": "2026-11-01"},
    "synthetic": True,
}
CODE = PROFILE["agency"]
COUNTS = {"root": 5, "targets": 3, "snapshot": 1, "timestamp": 1}
COMPLETE = ["badge", "minted", "op_code"]
# So many that a department does not hold a roster in which one of them changes.
ROWS = [
    "badge,10001,active,,",
    "badge,10002,active,2026-01-01,2027-01-31",
    *(f"badge,{number},active,," for number in range(20001, 20011)),
]


class Holders:
    """Everybody's keys, each in a file of its own, and the folder that is published from."""

    def __init__(self, folder, clock=None):
        self.home = folder
        self.folder = folder / "registry"
        self.clock = clock or SetClock()
        self.keys = {}
        self.blinding_file = folder / "blinding-keys.json"
        self.source = folder / "list.csv"

    def run(self, *words):
        return main([str(word) for word in words], self.clock)

    def do(self, *words):
        assert self.run(*words) == 0, words

    def make_keys(self, role, count):
        made = []
        for number in range(count):
            path = self.home / f"{role}-{len(self.keys.get(role, [])) + number}-{self.clock.now():%Y%m%d%H%M%S}.pem"
            self.do("key", "new", path)
            made.append(path)
        self.keys[role] = made
        return made

    def publics(self, role, option="--key"):
        return [word for path in self.keys[role] for word in (option, f"{path}.pub")]

    def init(self):
        """Stage and sign a first root and an authority without agencies."""
        self._take_over(_begun("_init"))

    def published(self):
        """Publish a registry with one agency and its first roster."""
        self._take_over(_begun("_publish"))
        return self

    def _take_over(self, other):
        """Go on from what others did at the same moment; making it anew for each test would take most of its time."""
        shutil.copytree(other.home, self.home, dirs_exist_ok=True)
        self.keys = {role: [self.home / path.name for path in paths] for role, paths in other.keys.items()}

    def _init(self):
        for role, count in COUNTS.items():
            self.make_keys(role, count)
        self.do("root", "init", self.folder, *(word for role in COUNTS for word in self.publics(role, f"--{role}-key")))
        self.sign("root", 3)
        self.sign("targets", 2)

    def sign(self, role, count=2, keys=None):
        for path in (keys or self.keys[role])[:count]:
            self.do("sign", self.folder, role, "--key", path)

    def online(self):
        return [word for role in ("snapshot", "timestamp") for path in self.keys[role] for word in ("--key", path)]

    def publish(self, *options):
        return self.run("publish", self.folder, *self.online(), *options)

    def profile(self, **changes):
        path = self.home / "profile.json"
        path.write_text(json.dumps({**PROFILE, **changes}, indent=2))
        return path

    def enrol(self, **changes):
        self.make_keys(CODE, 3)
        self.do("agency", "add", self.folder, self.profile(**changes), *self.publics(CODE))

    def list(self, *rows):
        self.source.write_text("\n".join(["kind,value,status,not_before,expires", *rows, ""]))

    def build(self, *options):
        if not self.blinding_file.exists():
            self.do("blinding-key", "new", self.blinding_file, CODE)
        covered = [word for kind in COMPLETE for word in ("--coverage", f"{kind}=complete")]
        return self.run(
            "roster", "build", self.folder, CODE, self.source, "--blinding-keys", self.blinding_file, *covered, *options
        )

    def _publish(self):
        self.init()
        self.enrol()
        self.sign("targets")
        self.list(*ROWS)
        assert self.build() == 0
        self.sign(CODE)
        assert self.publish() == 0

    def verifies(self):
        return self.run("verify", self.folder) == 0

    @property
    def root(self):
        return (self.folder / "metadata/1.root.json").read_bytes()

    @property
    def blinding_keys(self):
        return parse_blinding_key_file(self.blinding_file.read_bytes())


@cache
def _begun(step):
    holders = Holders(Path(mkdtemp()))
    getattr(holders, step)()
    return holders
