"""Keep a witness's key where its owner alone can read it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from verify_service.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "witness.pem"
OPEN_TO_OTHERS = 0o077


def make_key(home: Path, secret: bytes) -> None:
    """Make the key of a witness out of 32 random bytes, unless it has one."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = Ed25519PrivateKey.from_private_bytes(secret)
    half = home / f"{FILE_NAME}.part"
    half.unlink(missing_ok=True)
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link fails where a file stands: a key is never written over.
        os.link(half, home / FILE_NAME)
    except FileExistsError:
        pass
    finally:
        half.unlink()


def read_key(home: Path) -> Ed25519PrivateKey:
    """Return the key; raise ConfigurationError where it is missing, open to others or none."""
    path = home / FILE_NAME
    try:
        mode, content = path.stat().st_mode, path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigurationError(f"{path} is missing: run `witnessctl add-log`, or restore it.") from error
    if mode & OPEN_TO_OTHERS:
        raise ConfigurationError(f"The key file {path} is open to others: run `chmod 600 {path}`.")
    try:
        key = load_pem_private_key(content, None)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"{path} is not an Ed25519 key: restore it from your backup.")
    return key
