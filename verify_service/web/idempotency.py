"""Make a recording request safe to repeat: who sent which key, and whether the body is still the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from verify_service.errors import IdempotencyKeyMissing, MalformedRequest
from verify_service.record_log.append import RetryKey
from verify_service.signing import canonical_bytes

if TYPE_CHECKING:
    from verify_service.caller import Caller
    from verify_service.vault import Vault

HEADER = "Idempotency-Key"
VISIBLE_ASCII = re.compile(r"[!-~]{1,255}")


def retry_key(vault: Vault, caller: Caller, operation: str, path: str, header: str | None, document: Any) -> RetryKey:
    """Make the blind index of (caller, operation, key) and the keyed fingerprint of the path and the body.

    ``document`` is the parsed body: white space and the order of names do not make it another request. The path is
    in the fingerprint, so that a key cannot be used again for another case. Raises IdempotencyKeyMissing, and
    MalformedRequest for a key that is not 1 to 255 visible ASCII characters.
    """
    if not header:
        raise IdempotencyKeyMissing(
            f"Add the header {HEADER} with a fresh random value, such as a UUID, and keep it for every retry."
        )
    if not VISIBLE_ASCII.fullmatch(header):
        raise MalformedRequest(f"Write 1 to 255 visible ASCII characters in {HEADER}.")
    return RetryKey(
        request=_index(vault, caller, "idempotency-key", [caller.identity, operation, header]),
        fingerprint=_index(vault, caller, "idempotency-body", [path, document]),
    )


def _index(vault: Vault, caller: Caller, purpose: str, parts: list[Any]) -> bytes:
    # JSON keeps the parts apart whatever is in them.
    return vault.index(caller.department, purpose, canonical_bytes(parts).decode())
