"""Name the tables of the registry: rosters, editions, ingest cycles and the highest versions seen."""

from __future__ import annotations

from verify_service.storage.tables import metadata

__all__ = ["metadata"]
