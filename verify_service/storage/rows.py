"""Turn sealed values into columns and back."""

from __future__ import annotations

from typing import Any

from verify_service.vault import Sealed


def sealed_row(sealed: Sealed, *parts: str) -> dict[str, Any]:
    """Return the columns of a sealed value; ``parts`` names the column of each part."""
    return {"key_id": sealed.key_id, "wrapped_key": sealed.wrapped_key, **dict(zip(parts, sealed.parts, strict=True))}


def sealed_of(row: Any, *parts: str) -> Sealed:
    """Return the sealed value that stands in a row's columns."""
    return Sealed(row.key_id, row.wrapped_key, tuple(getattr(row, part) for part in parts))
