"""Holders whose keys never leave a PKCS #11 token begin, sign and publish a registry that a department ingests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.registry import MemoryRegistry
from tests.holders import CODE, ROWS, Holders
from tests.registries import Station
from verify_service.clock import SystemClock
from verify_service.registry.identifier import Identifier

pytestmark = pytest.mark.long
LIBRARY = Path("/usr/lib/softhsm/libsofthsm2.so")
LABEL, PIN = "authority", "648219"
# How many keys each role has in the token.
KEYS = {"root": 3, "targets": 2, "snapshot": 1, "timestamp": 1, CODE: 2}
MAKE_KEY = """
import sys, pkcs11
from pkcs11.util.ec import encode_named_curve_parameters
library, label, pin, number = sys.argv[1:]
with pkcs11.lib(library).get_token(token_label=label).open(user_pin=pin, rw=True) as session:
    curve = session.create_domain_parameters(
        pkcs11.KeyType.EC, {pkcs11.Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")}, local=True
    )
    curve.generate_keypair(store=True, id=bytes([int(number)]), label=f"key {number}")
"""


class TokenHolders(Holders):
    """Holders whose every command gets the PIN on its standard input."""

    def __init__(self, folder):
        super().__init__(folder, SystemClock())
        (folder / "tokens").mkdir()
        configuration = folder / "softhsm2.conf"
        configuration.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\n")
        self.environment = {**os.environ, "SOFTHSM2_CONF": str(configuration), "PYKCS11LIB": str(LIBRARY)}
        self.pin = PIN
        self.start("softhsm2-util", "--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", "7391")
        number = 0
        for role, count in KEYS.items():
            self.keys[role] = []
            for _ in range(count):
                number += 1
                self.start(sys.executable, "-c", MAKE_KEY, str(LIBRARY), LABEL, PIN, str(number))
                uri = f"hsm:{number}?label={LABEL}"
                self.do("key", "public", uri, folder / f"{uri}.pub")
                self.keys[role].append(uri)

    def start(self, *words):
        subprocess.run(words, env=self.environment, check=True, capture_output=True)

    def run(self, *words):
        command = [sys.executable, "-m", "verify_service.registryctl", *map(str, words)]
        asked = {"env": self.environment, "input": f"{self.pin}\n".encode()}
        ended = subprocess.run(command, capture_output=True, check=False, **asked)
        self.said = (ended.stdout + ended.stderr).decode()
        return ended.returncode

    def publics(self, role, option="--key"):
        return [word for uri in self.keys[role] for word in (option, self.home / f"{uri}.pub")]


def test_a_registry_is_begun_signed_published_and_ingested_by_keys_in_a_token(tmp_path):
    holders = TokenHolders(tmp_path)
    words = [
        word for role in ("root", "targets", "snapshot", "timestamp") for word in holders.publics(role, f"--{role}-key")
    ]
    holders.do("root", "init", holders.folder, *words, "--root-threshold", 2)
    holders.do("agency", "add", holders.folder, holders.profile(), *holders.publics(CODE))
    holders.list(*ROWS)
    assert holders.build() == 0
    assert holders.run("sign", holders.folder, "root", "--key", "hsm:99?label=authority") == 2
    assert holders.run("sign", holders.folder, "root", "--key", "hsm:1?label=nobody") == 2
    holders.pin = "000000"
    assert holders.run("sign", holders.folder, "root", "--key", holders.keys["root"][0]) == 2
    assert "check its PIN" in holders.said
    assert "Traceback" not in holders.said
    holders.pin = PIN
    for role in ("root", "targets", CODE):
        holders.sign(role)
    assert holders.publish() == 0, holders.said
    assert holders.verifies()
    assert not list(tmp_path.rglob("*.pem"))
    memory = MemoryRegistry()
    station = Station(holders, memory, memory, tmp_path / "ingest")
    assert station.ingest().refusals == []
    assert station.result(Identifier("badge", "10001"), CODE) == "match_active"
    holders.do("timestamp", holders.folder, *holders.online())
