"""Make and read the key files: the vault's keys and each log's signing key, the owner's alone."""

from __future__ import annotations

import base64
import json
import os
from contextlib import contextmanager
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
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from verify_service.record_log.log import LogId
    from verify_service.signing import NoteKey

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
        write_key_file(vault, _vault_document(kept))
        made.append(vault)
    for log in logs:
        path = log_key_file(directory, log)
        if not path.exists():
            _write_signing_key(path, Ed25519PrivateKey.from_private_bytes(random_bytes(KEY_BYTES)))
            made.append(path)
    return made


class VaultFile:
    """The file with every department's vault keys; implements ``vault.KeySource``.

    Every method raises ConfigurationError where the file is missing, open to others or not such a file. Envelope keys
    of a department are named k1, k2 … in the order in which they were made.
    """

    def __init__(self, directory: Path) -> None:
        self.path = directory / VAULT_FILE
        self._read: tuple[int, ...] | None = None

    def keys(self) -> dict[str, DepartmentKeys]:
        """Read every department's keys."""
        self._read = self._now()
        return {
            name: DepartmentKeys(
                keys["active"],
                {key_id: base64.b64decode(key) for key_id, key in keys["envelope"].items()},
                base64.b64decode(keys["index"]),
            )
            for name, keys in _departments(self.path).items()
        }

    def has_changed(self) -> bool:
        """Tell whether the file is another than when it was last read."""
        return self._now() not in {None, self._read}

    def changed_at(self) -> float:
        """Return when the file was last written, in seconds since 1970."""
        return self.path.stat().st_mtime

    def add(self, department: str, random_bytes: Callable[[int], bytes]) -> str:
        """Make another envelope key, which is not yet used, and return its id."""
        with self._changing(department) as keys:
            key_id = f"k{max(int(name.removeprefix('k')) for name in keys['envelope']) + 1}"
            keys["envelope"][key_id] = _b64(random_bytes(KEY_BYTES))
        return key_id

    def use(self, department: str, key_id: str) -> None:
        """Seal under an envelope key from now on."""
        with self._changing(department) as keys:
            _known(department, keys, key_id)
            keys["active"] = key_id

    def drop(self, department: str, key_id: str) -> None:
        """Take an envelope key out of the file; the one in use stays."""
        with self._changing(department) as keys:
            _known(department, keys, key_id)
            if key_id == keys["active"]:
                raise ConfigurationError(f"Envelope key {key_id} of {department} is in use: use another one first.")
            del keys["envelope"][key_id]

    @contextmanager
    def _changing(self, department: str) -> Iterator[dict[str, Any]]:
        departments = _departments(self.path)
        if department not in departments:
            raise ConfigurationError(f"{self.path} has no keys of department {department}: check the name.")
        yield departments[department]
        write_key_file(self.path, _vault_document(departments))

    def _now(self) -> tuple[int, ...] | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size


def _known(department: str, keys: dict[str, Any], key_id: str) -> None:
    if key_id not in keys["envelope"]:
        known = ", ".join(keys["envelope"])
        raise ConfigurationError(f"{department} has no envelope key {key_id}: it has {known}.")


def _vault_document(departments: dict[str, Any]) -> bytes:
    return json.dumps({"v": VAULT_V1, "departments": departments}, indent=1).encode()


def log_signer(path: Path, origin: str) -> NoteSigner:
    """Read a log's signing key; raise ConfigurationError where the file is missing or open to others."""
    content = read_key_file(path)
    try:
        key = load_pem_private_key(content, None)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(f"{path} is not an Ed25519 key: restore it from your backup.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"{path} is not an Ed25519 key: restore it from your backup.")
    return NoteSigner(origin, key)


def make_log_key(directory: Path, log: LogId, origin: str, random_bytes: Callable[[int], bytes]) -> NoteKey:
    """Make one more signing key of a log, in a file with its id in the name, and return its public half."""
    signer = NoteSigner(origin, Ed25519PrivateKey.from_private_bytes(random_bytes(KEY_BYTES)))
    _write_signing_key(log_key_file(directory, log, signer.key_id.hex()), signer.private)
    return signer.key


def log_key_file(directory: Path, log: LogId, key_id: str = "") -> Path:
    """Return where a log's signing key is kept: its first one, or a later one by its id."""
    return directory / f"log-{log.department}-{log.name}{key_id and '.'}{key_id}.pem"


def later_log_keys(directory: Path, log: LogId) -> list[Path]:
    """Return the files of a log's keys after its first."""
    return sorted(directory.glob(f"log-{log.department}-{log.name}.*.pem"))


def log_terms_file(directory: Path, log: LogId) -> Path:
    """Return where the public halves and terms of a log's keys are kept."""
    return directory / f"log-{log.department}-{log.name}.keys"


def _write_signing_key(path: Path, key: Ed25519PrivateKey) -> None:
    write_key_file(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _departments(path: Path) -> dict[str, Any]:
    try:
        match json.loads(read_key_file(path)):
            case {"v": version, "departments": dict(departments)} if version == VAULT_V1:
                return departments
    except ValueError:
        pass
    raise ConfigurationError(f"{path} is not a {VAULT_V1} file: restore it from your backup.")


def read_key_file(path: Path) -> bytes:
    """Read a key file; raise ConfigurationError where it is missing or open to others."""
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


def write_key_file(path: Path, content: bytes) -> None:
    """Write a key file whole or not at all."""
    half = path.with_suffix(".part")
    half.unlink(missing_ok=True)
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
    # Until the folder is on its disk too, a power cut could take back a key that has signed already.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _b64(content: bytes) -> str:
    return base64.b64encode(content).decode()
