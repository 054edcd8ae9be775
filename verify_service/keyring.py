"""Make and read the key files: the vault's keys and each log's signing key, the owner's alone."""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from verify_service.errors import ConfigurationError
from verify_service.signing import NoteSigner
from verify_service.vault import KEY_BYTES, DepartmentKeys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from verify_service.record_log.log import LogId

VAULT_FILE = "vault.json"
VAULT_V1 = "vault-keys/v1"
FIRST_KEY = "k1"
OPEN_TO_OTHERS = 0o077


def generate(
    directory: Path, departments: Iterable[str], logs: Iterable[LogId], random_bytes: Callable[[int], bytes]
) -> list[Path]:
    """Make the key files that are missing and return them; what is there stays as it is."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = []
    vault = directory / VAULT_FILE
    kept: dict[str, Any] = _departments(vault) if vault.exists() else {}
    missing = [department for department in departments if department not in kept]
    if missing:
        for department in missing:
            envelope = {FIRST_KEY: _b64(random_bytes(KEY_BYTES))}
            kept[department] = {"active": FIRST_KEY, "envelope": envelope, "index": _b64(random_bytes(KEY_BYTES))}
        _write(vault, json.dumps({"v": VAULT_V1, "departments": kept}, indent=1).encode())
        made.append(vault)
    for log in logs:
        path = _signing_key(directory, log)
        if not path.exists():
            key = Ed25519PrivateKey.from_private_bytes(random_bytes(KEY_BYTES))
            _write(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            made.append(path)
    return made


def vault_keys(directory: Path) -> dict[str, DepartmentKeys]:
    """Read every department's vault keys; raise ConfigurationError where the file is missing or open to others."""
    return {
        name: DepartmentKeys(
            keys["active"],
            {key_id: base64.b64decode(key) for key_id, key in keys["envelope"].items()},
            base64.b64decode(keys["index"]),
        )
        for name, keys in _departments(directory / VAULT_FILE).items()
    }


def log_signer(directory: Path, log: LogId, origin: str) -> NoteSigner:
    """Read a log's signing key; raise ConfigurationError where the file is missing or open to others."""
    path = _signing_key(directory, log)
    content = _read(path)
    try:
        key = load_pem_private_key(content, None)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(f"{path} is not an Ed25519 key: restore it from your backup.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"{path} is not an Ed25519 key: restore it from your backup.")
    return NoteSigner(origin, key)


def _signing_key(directory: Path, log: LogId) -> Path:
    return directory / f"log-{log.department}-{log.name}.pem"


def _departments(path: Path) -> dict[str, Any]:
    try:
        match json.loads(_read(path)):
            case {"v": version, "departments": dict(departments)} if version == VAULT_V1:
                return departments
    except ValueError:
        pass
    raise ConfigurationError(f"{path} is not a {VAULT_V1} file: restore it from your backup.")


def _read(path: Path) -> bytes:
    try:
        mode, content = path.stat().st_mode, path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"The key file {path} is missing. For a new deployment run `verify-service keys generate`; otherwise "
            "restore it from your backup, for nothing sealed or signed with it can be made anew."
        ) from error
    if mode & OPEN_TO_OTHERS:
        raise ConfigurationError(f"The key file {path} is open to others: run `chmod 600 {path}`.")
    return content


def _write(path: Path, content: bytes) -> None:
    """Write a key file whole or not at all."""
    half = path.with_suffix(".part")
    half.unlink(missing_ok=True)
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()
