"""Blind identifiers with a key of their agency and epoch, so that a stolen roster tells nothing without the key."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verify_service.errors import RegistryRefused
from verify_service.registry.agency import is_agency_code
from verify_service.registry.identifier import CANON
from verify_service.signing import b64, canonical_bytes, unb64

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verify_service.registry.identifier import Identifier

KEY_BYTES = 32
KEY_ID_LENGTH = 16
KEY_FILE_VERSION = "blinding-keys/v1"
_KEY_ID_PREFIX = b"officer-verify/blinding-key/v1\0"


@dataclass(frozen=True)
class BlindingKey:
    """The secret that one agency's roster is blinded with during one epoch."""

    agency: str
    epoch: int
    key: bytes

    @property
    def key_id(self) -> str:
        """Sixteen hexadecimal characters that name the key in a roster's header and tell nothing about it."""
        return hashlib.sha256(_KEY_ID_PREFIX + self.key).hexdigest()[:KEY_ID_LENGTH]

    def tag(self, identifier: Identifier) -> bytes:
        """Return HMAC-SHA256(key, canon ‖ 0 ‖ agency ‖ 0 ‖ kind ‖ 0 ‖ value): the 32 bytes that stand in the roster.

        The zero bytes keep the parts apart, since none of them can hold one.
        """
        message = f"{CANON}\0{self.agency}\0{identifier.kind}\0{identifier.value}"
        return hmac.digest(self.key, message.encode(), "sha256")

    def __repr__(self) -> str:
        """Leave the key out, so that no traceback or diagnostic shows it."""
        return f"BlindingKey({self.agency!r}, epoch={self.epoch}, key_id={self.key_id!r})"


def blinding_key_file(keys: Iterable[BlindingKey]) -> bytes:
    """Write the private key file ``blinding-keys/v1`` that an agency hands over out of band."""
    rows = [{"agency": key.agency, "epoch": key.epoch, "key": b64(key.key)} for key in keys]
    return canonical_bytes({"v": KEY_FILE_VERSION, "keys": rows})


def parse_blinding_key_file(content: bytes) -> Sequence[BlindingKey]:
    """Read a private key file; raise RegistryRefused where it is malformed, never quoting any of it."""
    try:
        document = json.loads(content)
        version, rows = document.pop("v"), document.pop("keys")
        keys = tuple(_key(row) for row in rows)
    except (ValueError, KeyError, TypeError, AttributeError):
        # The cause is left out of the chain: its text may hold key material.
        raise RegistryRefused(f"The blinding key file is not a well-formed {KEY_FILE_VERSION} document.") from None
    if version != KEY_FILE_VERSION or document:
        raise RegistryRefused(f"The blinding key file does not have exactly the fields of {KEY_FILE_VERSION}.")
    if len({(key.agency, key.epoch) for key in keys}) != len(keys):
        raise RegistryRefused("The blinding key file has two keys for one agency and epoch.")
    return keys


def _key(row: dict[str, Any]) -> BlindingKey:
    key = BlindingKey(row["agency"], row["epoch"], unb64(row["key"]))
    if row.keys() != {"agency", "epoch", "key"} or len(key.key) != KEY_BYTES:
        raise ValueError("its fields")
    if not is_agency_code(key.agency) or type(key.epoch) is not int or key.epoch < 1:
        raise ValueError("its agency or epoch")
    return key
