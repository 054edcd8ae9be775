"""Make, keep and load the private keys of a registry's roles, in files that their owner alone can read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner

from verify_service.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

OWNER_ONLY = 0o600
OWNER_ONLY_FOLDER = 0o700
SEED_BYTES = 32


class SigningKeys:
    """The keys of each role as ``<folder>/<role>/<number>.pem``, Ed25519 in PKCS #8.

    A real trust authority keeps root and targets in hardware, offline; this is for samples and tests.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, role: str, count: int, random_bytes: Callable[[int], bytes]) -> Sequence[CryptoSigner]:
        """Make and keep ``count`` new keys of a role."""
        signers = [new_signer(random_bytes) for _ in range(count)]
        (self._folder / role).mkdir(mode=OWNER_ONLY_FOLDER, parents=True, exist_ok=True)
        for number, signer in enumerate(signers, start=1):
            write_private(self._folder / role / f"{number}.pem", signer.private_bytes)
        return signers

    def load(self, role: str) -> Sequence[CryptoSigner]:
        """Return the keys of a role; raise ConfigurationError where none is here."""
        paths = sorted((self._folder / role).glob("*.pem"))
        if not paths:
            raise ConfigurationError(f"The private keys of {role} are not in {self._folder}: name each with --key.")
        return [_signer(path) for path in paths]


def new_signer(random_bytes: Callable[[int], bytes]) -> CryptoSigner:
    """Make an Ed25519 key."""
    return CryptoSigner(Ed25519PrivateKey.from_private_bytes(random_bytes(SEED_BYTES)))


def _signer(path: Path) -> CryptoSigner:
    return CryptoSigner(cast("Ed25519PrivateKey", load_pem_private_key(path.read_bytes(), None)))


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that no one but its owner can read at any moment."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_private(path: Path, content: bytes) -> None:
    """Write or replace a file whole that no one but its owner can read at any moment."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    write_private(draft, content)
    draft.replace(path)
