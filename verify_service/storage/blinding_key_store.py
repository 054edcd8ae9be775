"""Keep sealed blinding keys; they are added, never changed and never removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from verify_service.errors import RegistryRefused
from verify_service.registry.keyring import SealedKey
from verify_service.storage.registry_tables import blinding_key
from verify_service.vault import Sealed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from verify_service.storage.database import Database


class BlindingKeyStore:
    """Implements ``registry.keyring.KeyStore``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def blinding_keys(self, department: str) -> Sequence[SealedKey]:
        """Return every key of a department."""
        statement = select(blinding_key).where(blinding_key.c.department == department)
        with self._database.read() as connection:
            rows = connection.execute(statement).all()
        return [SealedKey(row.agency, row.epoch, Sealed(row.key_id, row.wrapped_key, (row.sealed,))) for row in rows]

    def keep_blinding_keys(self, department: str, keys: Sequence[SealedKey]) -> None:
        """Add keys, all or none; raise RegistryRefused where an epoch has one already."""
        rows = [
            {
                "department": department,
                "agency": key.agency,
                "epoch": key.epoch,
                "key_id": key.sealed.key_id,
                "wrapped_key": key.sealed.wrapped_key,
                "sealed": key.sealed.parts[0],
            }
            for key in keys
        ]
        try:
            with self._database.write() as connection:
                connection.execute(insert(blinding_key), rows)
        except IntegrityError as error:
            raise RegistryRefused("One of these epochs has a blinding key already: take the file in again.") from error
