"""Keep the development issuer's signing key where only its owner can read it."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from verify_service.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

DIRECTORY = "devissuer"
FILE_NAME = "key.pem"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def signing_key(home: Path) -> ec.EllipticCurvePrivateKey:
    """Return the P-256 key kept in a state directory, made there at the first call.

    Raises ConfigurationError where others could read the key, or where the file holds another.
    """
    path = home / DIRECTORY / FILE_NAME
    if not path.exists():
        _make(path)
    if path.stat().st_mode & OTHERS:
        raise ConfigurationError(
            f"Others can read {path}, so anybody could sign in: run chmod 600 on it, or remove it."
        )
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise ConfigurationError(f"{path} holds no key: remove it, and a new one is made.") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ConfigurationError(f"{path} holds another kind of key: remove it, and a new one is made.")
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{FILE_NAME}.{os.getpid()}")
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    draft.touch(mode=0o600)
    draft.write_bytes(pem)
    try:
        # Two commands may start at once; a link fails where a file stands, so the first key is everybody's.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
