"""Gather the values that a record holds only as salted digests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verify_service.record_log.record import SealedField

if TYPE_CHECKING:
    from collections.abc import Callable

SALT_BYTES = 32


class SealedFields:
    """Gather the values that a record holds only as digests."""

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self.fields: list[SealedField] = []

    def seal(self, value: Any) -> str | None:
        """Return the digest of a value, None where there is none."""
        if value is None:
            return None
        sealed = SealedField(value, self._random_bytes(SALT_BYTES))
        self.fields.append(sealed)
        return sealed.digest
