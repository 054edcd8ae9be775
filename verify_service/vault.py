"""Seal what must not lie in clear: envelope encryption, blind indexes and fingerprints, per department."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from verify_service.errors import ConfigurationError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

KEY_BYTES = 32
NONCE_BYTES = 12


class SealBroken(ServiceError):
    """A sealed value does not open: the row was altered, or its key is not here."""

    code = "seal_broken"
    title = "A sealed value does not open"


@dataclass(frozen=True)
class DepartmentKeys:
    """A department's secrets: envelope keys by id, the one in use, and the key of its blind indexes."""

    active: str
    envelope: Mapping[str, bytes]
    index: bytes


@dataclass(frozen=True)
class Sealed:
    """Ciphertexts under one data key of their own, which is itself wrapped by envelope key ``key_id``."""

    key_id: str
    wrapped_key: bytes
    parts: tuple[bytes, ...]


class Vault:
    """Seal and open with AES-256-GCM under a fresh data key a row (FIPS-approved algorithms, SP 800-38D)."""

    def __init__(self, departments: Mapping[str, DepartmentKeys], random_bytes: Callable[[int], bytes]) -> None:
        self._departments = dict(departments)
        self._wrapping = {
            (name, key_id): AESGCM(key) for name, keys in departments.items() for key_id, key in keys.envelope.items()
        }
        self._random_bytes = random_bytes

    def seal(self, department: str, place: str, parts: Sequence[bytes]) -> Sealed:
        """Seal ``parts`` together; ``place`` names the row, so that a row copied elsewhere does not open.

        A data key seals one row once: part n uses nonce n, so a change of any part seals the whole row anew.
        """
        key_id = self._keys(department).active
        data_key = self._random_bytes(KEY_BYTES)
        nonce = self._random_bytes(NONCE_BYTES)
        bound = f"{department}\0{place}".encode()
        wrapped = nonce + self._wrapping[department, key_id].encrypt(nonce, data_key, bound)
        cipher = AESGCM(data_key)
        sealed = (cipher.encrypt(_part_nonce(number), part, bound) for number, part in enumerate(parts))
        return Sealed(key_id, wrapped, tuple(sealed))

    def open(self, department: str, place: str, sealed: Sealed) -> tuple[bytes, ...]:
        """Open every part of a row; raise SealBroken where any byte of it or its place was altered."""
        bound = f"{department}\0{place}".encode()
        wrapping = self._wrapping.get((department, sealed.key_id))
        if wrapping is None:
            raise SealBroken(f"Envelope key {sealed.key_id} of {department} is not here: restore the vault key file.")
        nonce, wrapped = sealed.wrapped_key[:NONCE_BYTES], sealed.wrapped_key[NONCE_BYTES:]
        try:
            cipher = AESGCM(wrapping.decrypt(nonce, wrapped, bound))
            return tuple(cipher.decrypt(_part_nonce(n), part, bound) for n, part in enumerate(sealed.parts))
        except InvalidTag as error:
            raise SealBroken(f"The row at {place} was altered or moved: run an audit.") from error

    def index(self, department: str, purpose: str, value: str) -> bytes:
        """Return the 32-byte blind index of a value: equal values meet, nothing else is told without the key."""
        message = f"{purpose}\0{value}".encode()
        return hmac.new(self._keys(department).index, message, hashlib.sha256).digest()

    def _keys(self, department: str) -> DepartmentKeys:
        keys = self._departments.get(department)
        if keys is None:
            raise ConfigurationError(
                f"The vault has no keys for department {department}: add it to VERIFY_DEPARTMENTS and run "
                "`verify-service keys generate`."
            )
        return keys


def _part_nonce(number: int) -> bytes:
    return number.to_bytes(NONCE_BYTES, "big")
