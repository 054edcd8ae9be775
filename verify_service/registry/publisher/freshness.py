"""Make the snapshot and the timestamp, which say what is newest, with the keys that are online."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, Timestamp

from verify_service.errors import RegistryRefused
from verify_service.registry.publisher.roles import HASH, Lifetimes, expiry, signed_by

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from securesystemslib.signer import Signer

    from verify_service.registry.publisher.files import RegistryFiles

    SignersOf = Callable[[str], Sequence[Signer]]


class Freshness:
    """The two roles that follow every change, signed at one moment; nothing is written but by ``refresh``."""

    def __init__(
        self, files: RegistryFiles, signers_of: SignersOf, at: datetime, lifetimes: Lifetimes | None = None
    ) -> None:
        self._files = files
        self._signers_of = signers_of
        self._at = at
        self._lifetimes = lifetimes or Lifetimes()

    def snapshot(self, changed: Mapping[str, tuple[int, bytes]]) -> tuple[int, bytes]:
        """Return version and bytes of a snapshot that names these versions of roles, and else what is published.

        A role that is delegated to no longer keeps its entry: a snapshot without it would stop every client
        (TUF §5.5.5).
        """
        published = self._files.published(Snapshot.type)
        meta = dict(self._files.read(Snapshot.type, published).signed.meta) if published else {}
        for role, (version, content) in changed.items():
            meta[f"{role}.json"] = MetaFile.from_data(version, content, [HASH])
        # One that was written and never published is not taken up again, so no name has ever two contents.
        snapshot = Snapshot(version=self._files.written(Snapshot.type) + 1, meta=meta)
        snapshot.expires = expiry(self._at, self._lifetimes.snapshot)
        return snapshot.version, signed_by(snapshot, self._signers_of(Snapshot.type))

    def timestamp(self, version: int, snapshot: bytes) -> tuple[int, bytes]:
        """Return version and bytes of a timestamp that leads to a snapshot."""
        timestamp = Timestamp(
            version=self._files.published(Timestamp.type) + 1,
            expires=expiry(self._at, self._lifetimes.timestamp),
            snapshot_meta=MetaFile.from_data(version, snapshot, [HASH]),
        )
        return timestamp.version, signed_by(timestamp, self._signers_of(Timestamp.type))

    def refresh(self) -> datetime:
        """Renew the published timestamp, and before it the snapshot where it has used up half of its time.

        Returns until when the timestamp can be relied on. Raises RegistryRefused, leaving the timestamp that is there,
        where clients would not take the new one.
        """
        version = self._files.published(Snapshot.type)
        content = self._files.content(Snapshot.type, version)
        left = self._files.read(Snapshot.type, version).signed.expires - self._at
        if left < self._lifetimes.snapshot / 2:
            version, content = self.snapshot({})
            self._require_signed(Snapshot.type, content)
            self._files.put(Snapshot.type, version, content)
        timestamp = self.timestamp(version, content)
        self._require_signed(Timestamp.type, timestamp[1])
        self._files.put(Timestamp.type, *timestamp)
        return expiry(self._at, self._lifetimes.timestamp)

    def _require_signed(self, role: str, content: bytes) -> None:
        root: Root = self._files.read(Root.type, self._files.published(Root.type)).signed
        metadata: Metadata[Any] = Metadata.from_bytes(content)
        try:
            root.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
        except UnsignedMetadataError as error:
            raise RegistryRefused(
                f"The keys given are not enough for {role} by the published root: give each of its keys with --key."
            ) from error
