"""Believe of what is published only what its own signers signed, from a root that a holder has on."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuf.api.exceptions import LengthOrHashMismatchError, UnsignedMetadataError
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from verify_service.errors import ConfigurationError, RegistryRefused
from verify_service.registry.publisher.files import RegistryFiles, parsed
from verify_service.registry.publisher.roles import TOP_LEVEL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tuf.api.metadata import MetaFile


@dataclass(frozen=True)
class _Verified:
    content: bytes
    signed: Any


class VerifiedFiles(RegistryFiles):
    """The published files of one folder, each read once and verified as clients verify it; raises RegistryRefused.

    Whoever can write into the folder could otherwise change what holders are shown as published, and have them sign
    it anew. Expiry alone is not asked for: what has expired is what holders are to renew.

    ``root`` is the root to begin with, else the folder's own first one. With ``lost_keys``, what the root before the
    newest names is good too: a publication of this kind may have been cut short between the root and the timestamp.
    """

    def __init__(self, folder: Path, root: bytes | None = None, *, lost_keys: bool = False) -> None:
        super().__init__(folder)
        self._pinned = root
        self._lost_keys = lost_keys
        self._read: dict[str, _Verified | None] = {}
        self._chain: Sequence[_Verified] = ()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let nobody else publish meanwhile, and read what is published anew, now and afterwards."""
        with super().held():
            self._forget()
            try:
                yield
            finally:
                self._forget()

    def first_root(self) -> bytes | None:
        """Return the root that all the others are judged from, None where nothing is published."""
        roots = self._roots()
        return roots[0].content if roots else None

    def published(self, role: str) -> int:
        """Return the version of a role that clients are led to, 0 where there is none."""
        found = self._published(role)
        return 0 if found is None else int(found.signed.version)

    def content(self, role: str, version: int) -> bytes:
        """Return the bytes of a version; raise ConfigurationError where it is not there."""
        found = self._published(role)
        return found.content if found and found.signed.version == version else super().content(role, version)

    def _forget(self) -> None:
        self._read, self._chain = {}, ()

    def _published(self, role: str) -> _Verified | None:
        if role not in self._read:
            self._read[role] = self._led_to(role) if self._roots() else None
        return self._read[role]

    def _led_to(self, role: str) -> _Verified | None:
        """Follow the files from the root on, as TUF's client does (TUF §5.3 to §5.6)."""
        if role == Root.type:
            return self._roots()[-1]
        if role == Timestamp.type:
            path = self.path(role, 0)
            return self._signed(role, path.read_bytes()) if path.is_file() else None
        leading = self._published(Timestamp.type if role == Snapshot.type else Snapshot.type)
        if leading is None:
            return None
        entry = leading.signed.snapshot_meta if role == Snapshot.type else leading.signed.meta.get(f"{role}.json")
        return None if entry is None else self._announced(role, entry)

    def _announced(self, role: str, entry: MetaFile) -> _Verified:
        content = super().content(role, entry.version)
        try:
            entry.verify_length_and_hashes(content)
        except LengthOrHashMismatchError as error:
            raise self._refusal(role, "is not the file that was announced") from error
        found = self._signed(role, content)
        if found.signed.version != entry.version:
            raise self._refusal(role, "is of another version than was announced")
        return found

    def _signed(self, role: str, content: bytes) -> _Verified:
        metadata = parsed(content, f"The published {role}")
        if metadata.signed.type != (role if role in TOP_LEVEL else Targets.type):
            raise self._refusal(role, f"is a {metadata.signed.type}")
        delegators = self._delegators(role)
        if delegators and not any(_is_signed(role, metadata, delegator) for delegator in delegators):
            raise self._refusal(role, "is not signed by enough of its keys")
        return _Verified(content, metadata.signed)

    def _delegators(self, role: str) -> list[Root | Targets]:
        """Return who names a role's keys; none for an agency that was removed, which its hash alone vouches for."""
        if role in TOP_LEVEL:
            return [root.signed for root in self._roots()[-2 if self._lost_keys else -1 :]]
        targets = self._published(Targets.type)
        delegations = None if targets is None else targets.signed.delegations
        return [targets.signed] if targets and delegations and role in (delegations.roles or {}) else []

    def _roots(self) -> Sequence[_Verified]:
        """Return every root from the first to the newest, each signed for by the one before it and by itself."""
        if not self._chain:
            self._chain = tuple(self._linked_roots())
        return self._chain

    def _linked_roots(self) -> Iterator[_Verified]:
        path = self.path(Root.type, 1)
        if self._pinned is not None:
            path = self.path(Root.type, parsed(self._pinned, "The root that was given").signed.version)
            if not path.is_file() or path.read_bytes() != self._pinned:
                raise RegistryRefused(f"{path} is not the root that was given: this is another registry.")
        before: Metadata[Any] | None = None
        while path.is_file():
            root = parsed(content := path.read_bytes(), str(path))
            if before is not None and root.signed.version != before.signed.version + 1:
                raise self._refusal(Root.type, "does not follow the one before it")
            for delegator in (root.signed, *([before.signed] if before else [])):
                if not _is_signed(Root.type, root, delegator):
                    raise self._refusal(Root.type, "is not signed by enough of its keys")
            yield _Verified(content, root.signed)
            before, path = root, self.path(Root.type, root.signed.version + 1)

    def _refusal(self, role: str, fault: str) -> RegistryRefused:
        return RegistryRefused(
            f"The {role} that is published in {self.folder} {fault}: sign nothing, and restore the folder from a copy "
            "that `verify` accepts."
        )


def _is_signed(role: str, metadata: Metadata[Any], delegator: Root | Targets) -> bool:
    try:
        delegator.verify_delegate(role, metadata.signed_bytes, metadata.signatures)
    except UnsignedMetadataError:
        return False
    return True


def read_root(path: Path) -> bytes:
    """Read a pinned root; raise ConfigurationError where it cannot be read or is none."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"The root {path} cannot be read: {error.strerror}.") from error
    if parsed(content, str(path)).signed.type != Root.type:
        raise ConfigurationError(f"{path} is no root: take the one that the trust authority handed over.")
    return content
