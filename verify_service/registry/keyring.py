"""Keep blinding keys sealed, and open them for look-ups; a retired key stays as long as a record may quote it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from verify_service.errors import RegistryRefused
from verify_service.registry.blinding import BlindingKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from verify_service.vault import Sealed, Vault


@dataclass(frozen=True)
class SealedKey:
    """A blinding key as it lies in the database."""

    agency: str
    epoch: int
    sealed: Sealed


class KeyStore(Protocol):
    """Where sealed blinding keys are kept, for each department its own; none is ever removed or replaced."""

    def blinding_keys(self, department: str) -> Sequence[SealedKey]:
        """Return every key kept."""

    def keep_blinding_keys(self, department: str, keys: Sequence[SealedKey]) -> None:
        """Add keys in one transaction; where an agency's epoch has one already, raise RegistryRefused and add none."""


class Keyring:
    """The blinding keys of each department, opened once and then held in memory."""

    def __init__(self, store: KeyStore, vault: Vault) -> None:
        self._store = store
        self._vault = vault
        self._opened: dict[str, dict[tuple[str, int], BlindingKey]] = {}

    def key(self, department: str, agency: str, epoch: int) -> BlindingKey | None:
        """Return the key that an agency's roster of this epoch is blinded with, or None where it is not held."""
        held = self._opened.get(department, {}).get((agency, epoch))
        # Another process may have taken the key in since, together with the roster that needs it.
        return held or self._open(department).get((agency, epoch))

    def held(self, department: str, agency: str, epoch: int) -> BlindingKey:
        """Return a key that must be there, since a stored roster was accepted with it; else raise RegistryRefused."""
        key = self.key(department, agency, epoch)
        if key is None:
            raise RegistryRefused(f"The blinding key of {agency} for epoch {epoch} is gone: restore the database.")
        return key

    def take_in(self, department: str, keys: Iterable[BlindingKey]) -> int:
        """Seal and keep those keys that are new, and return their number.

        Raises RegistryRefused, keeping nothing, where an epoch has another key already: the tags of records that
        quote it could never be checked again.
        """
        held, new = self._open(department), []
        for key in keys:
            known = held.get((key.agency, key.epoch))
            if known is None:
                new.append(key)
            elif known != key:
                raise RegistryRefused(
                    f"Another blinding key of {key.agency} for epoch {key.epoch} is held already: ask the agency which "
                    "is its own, and have it use a new epoch."
                )
        if new:
            self._store.keep_blinding_keys(department, [self._seal(department, key) for key in new])
            self._opened[department] = held | {(key.agency, key.epoch): key for key in new}
        return len(new)

    def _seal(self, department: str, key: BlindingKey) -> SealedKey:
        sealed = self._vault.seal(department, blinding_key_place(key.agency, key.epoch), [key.key])
        return SealedKey(key.agency, key.epoch, sealed)

    def _open(self, department: str) -> dict[tuple[str, int], BlindingKey]:
        opened = {}
        for row in self._store.blinding_keys(department):
            (key,) = self._vault.open(department, blinding_key_place(row.agency, row.epoch), row.sealed)
            opened[row.agency, row.epoch] = BlindingKey(row.agency, row.epoch, key)
        self._opened[department] = opened
        return opened


def blinding_key_place(agency: str, epoch: int) -> str:
    """Name a blinding key's row to the vault."""
    return f"blinding_key/{agency}/{epoch}"
