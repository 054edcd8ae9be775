"""Keys and randomness that are the same in every run."""

from __future__ import annotations

import random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verify_service.record_log.log_signer import LogSigner
from verify_service.record_log.trust import TrustPolicy
from verify_service.signing import NoteSigner
from verify_service.vault import DepartmentKeys, Vault

ORIGIN = "logs.example/log/LAPD/records"


def seeded_bytes(seed=0):
    return random.Random(seed).randbytes


class FixedKeys:
    """Vault keys that nobody changes."""

    def __init__(self, keys):
        self._keys = keys

    def keys(self):
        return self._keys

    def has_changed(self):
        return False


def sealed_vault(*departments):
    keys = DepartmentKeys("k1", {"k1": bytes(range(32))}, bytes(range(32, 64)))
    return Vault(FixedKeys(dict.fromkeys(departments or ("LAPD",), keys)), seeded_bytes(1))


def signer(origin=ORIGIN):
    return NoteSigner(origin, Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96))))


class OneKey:
    """The keys of a log that has one, for ever."""

    def __init__(self, key=None):
        self._key = key or signer()
        self.origin = self._key.name

    def policy(self):
        return TrustPolicy((self._key.key,))

    def signer(self):
        return LogSigner((self._key,), self.policy())
