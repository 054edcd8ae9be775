"""Seal what must not lie in clear: envelope encryption, blind indexes and fingerprints, per department."""

from __future__ import annotations

import hashlib
import hmac
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from verify_service.errors import ConfigurationError, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

KEY_BYTES = 32
NONCE_BYTES = 12
# How long a process may go on sealing under a key after another one was made the one in use.
SECONDS_UNTIL_SEEN = 1.0


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


class KeySource(Protocol):
    """Where every department's keys are kept; they may be changed while the service runs."""

    def keys(self) -> Mapping[str, DepartmentKeys]:
        """Read them; raise ConfigurationError where they cannot be had."""

    def has_changed(self) -> bool:
        """Tell whether they changed since they were last read."""


@dataclass(frozen=True)
class Sealed:
    """Ciphertexts under one data key of their own, which is itself wrapped by envelope key ``key_id``."""

    key_id: str
    wrapped_key: bytes
    parts: tuple[bytes, ...]


class Vault:
    """Seal and open with AES-256-GCM under a fresh data key a row (FIPS-approved algorithms, SP 800-38D)."""

    def __init__(self, source: KeySource, random_bytes: Callable[[int], bytes]) -> None:
        self._source = source
        self._random_bytes = random_bytes
        self._look_again = 0.0
        self._read()

    def seal(self, department: str, place: str, parts: Sequence[bytes]) -> Sealed:
        """Seal ``parts`` together; ``place`` names the row, so that a row copied elsewhere does not open.

        A data key seals one row once: part n uses nonce n, so a change of any part seals the whole row anew.
        """
        data_key = self._random_bytes(KEY_BYTES)
        bound = _bound(department, place)
        key_id, wrapped = self._wrap(department, data_key, bound)
        cipher = AESGCM(data_key)
        sealed = (cipher.encrypt(_part_nonce(number), part, bound) for number, part in enumerate(parts))
        return Sealed(key_id, wrapped, tuple(sealed))

    def open(self, department: str, place: str, sealed: Sealed) -> tuple[bytes, ...]:
        """Open every part of a row; raise SealBroken where any byte of it or its place was altered."""
        bound = _bound(department, place)
        try:
            cipher = AESGCM(self._unwrap(department, sealed, bound))
            return tuple(cipher.decrypt(_part_nonce(n), part, bound) for n, part in enumerate(sealed.parts))
        except InvalidTag as error:
            raise _altered(place) from error

    def rewrap(self, department: str, place: str, sealed: Sealed) -> Sealed:
        """Return a row with its data key under the envelope key in use; raise SealBroken where it does not open."""
        bound = _bound(department, place)
        try:
            data_key = self._unwrap(department, sealed, bound)
        except InvalidTag as error:
            raise _altered(place) from error
        return Sealed(*self._wrap(department, data_key, bound), sealed.parts)

    def active(self, department: str) -> str:
        """Return the id of the envelope key in use at this moment."""
        self._look()
        return self._keys(department).active

    def index(self, department: str, purpose: str, value: str) -> bytes:
        """Return the 32-byte blind index of a value: equal values meet, nothing else is told without the key."""
        message = f"{purpose}\0{value}".encode()
        return hmac.new(self._keys(department).index, message, hashlib.sha256).digest()

    def _wrap(self, department: str, data_key: bytes, bound: bytes) -> tuple[str, bytes]:
        if time.monotonic() >= self._look_again:
            self._look()
        key_id = self._keys(department).active
        nonce = self._random_bytes(NONCE_BYTES)
        return key_id, nonce + self._wrapping[department, key_id].encrypt(nonce, data_key, bound)

    def _unwrap(self, department: str, sealed: Sealed, bound: bytes) -> bytes:
        wrapping = self._wrapping.get((department, sealed.key_id))
        if wrapping is None:
            self._look()
            wrapping = self._wrapping.get((department, sealed.key_id))
        if wrapping is None:
            raise SealBroken(f"Envelope key {sealed.key_id} of {department} is not here: restore the vault key file.")
        return wrapping.decrypt(sealed.wrapped_key[:NONCE_BYTES], sealed.wrapped_key[NONCE_BYTES:], bound)

    def _look(self) -> None:
        self._look_again = time.monotonic() + SECONDS_UNTIL_SEEN
        # Where the file cannot be read, a process that serves goes on with what it has; a start says what is wrong.
        with suppress(ConfigurationError):
            if self._source.has_changed():
                self._read()

    def _read(self) -> None:
        departments = dict(self._source.keys())
        # Keys are added before any row stands under them, so what is read here is the newer of the two.
        self._wrapping = {
            (name, key_id): AESGCM(key) for name, keys in departments.items() for key_id, key in keys.envelope.items()
        }
        self._departments = departments

    def _keys(self, department: str) -> DepartmentKeys:
        keys = self._departments.get(department)
        if keys is None:
            raise ConfigurationError(
                f"The vault has no keys for department {department}: add it to VERIFY_DEPARTMENTS and run "
                "`verify-service keys generate`."
            )
        return keys


def _bound(department: str, place: str) -> bytes:
    return f"{department}\0{place}".encode()


def _altered(place: str) -> SealBroken:
    return SealBroken(f"The row at {place} was altered or moved: run an audit.")


def _part_nonce(number: int) -> bytes:
    return number.to_bytes(NONCE_BYTES, "big")
