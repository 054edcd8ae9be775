"""Keep what is about to be published in ``DIR/staged``, which is never served, until enough holders have signed it."""

from __future__ import annotations

import copy
import fcntl
import os
import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from tuf.api.exceptions import LengthOrHashMismatchError
from tuf.api.metadata import Metadata, Root, TargetFile, Targets

from verify_service.errors import ConfigurationError, RegistryRefused
from verify_service.registry.agency import profile_path, roster_path
from verify_service.registry.profile import Profile, profile_of
from verify_service.registry.publisher.files import RegistryFiles, read_metadata, write_whole
from verify_service.registry.publisher.roles import ONLINE, Lifetimes, expiry
from verify_service.registry.publisher.verified import VerifiedFiles

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime
    from pathlib import Path


class Staging:
    """The drafts of one registry at one moment; each role has at most one, the version after the published one.

    ``waiting`` are drafts that it leaves out. ``files`` is what is served, verified from ``root`` on, else from the
    folder's own first root.
    """

    def __init__(self, folder: Path, at: datetime, root: bytes | None = None, *, lost_keys: bool = False) -> None:
        self.folder = folder
        self.files = VerifiedFiles(folder, root, lost_keys=lost_keys)
        self.at = at
        self.lifetimes = Lifetimes()
        self._drafts = folder / "staged"
        self._targets = RegistryFiles(self._drafts)
        self.waiting: frozenset[str] = frozenset()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Let nobody else stage, sign or publish meanwhile; wait where somebody does.

        Raises ConfigurationError where there is no such folder.
        """
        if not self.folder.is_dir():
            raise ConfigurationError(f"There is no folder {self.folder}: begin with `root init`.")
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def without(self, roles: Collection[str]) -> Staging:
        """Return this staging as it is if these drafts are left for later."""
        others = copy.copy(self)
        others.waiting = self.waiting | frozenset(roles)
        return others

    def roles(self) -> list[str]:
        """Return the roles that have a draft: root and targets first, then the agencies in order.

        What a publication that was cut short has published already is no draft any more.
        """
        staged = {role for role in self._found() - self.waiting if not self._is_out(role)}
        top = [role for role in (Root.type, Targets.type) if role in staged]
        return [*top, *sorted(staged - {*top, *ONLINE})]

    def _found(self) -> set[str]:
        return {path.name[: -len(".json")] for path in self._drafts.glob("*.json")}

    def _is_out(self, role: str) -> bool:
        version = self.files.published(role)
        return version > 0 and self.files.content(role, version) == self.draft_path(role).read_bytes()

    def draft(self, role: str) -> Metadata[Any]:
        """Return a role's draft; raise RegistryRefused where there is none."""
        if role not in self.roles():
            raise RegistryRefused(f"Nothing is staged for {role}: stage a change first, or renew it as it is.")
        return read_metadata(self.draft_path(role))

    def draft_path(self, role: str) -> Path:
        """Return where a role's draft stands."""
        return self._drafts / f"{role}.json"

    def published(self, role: str) -> Metadata[Any] | None:
        """Return what is published of a role, None where nothing is; raise RegistryRefused where it was altered."""
        version = self.files.published(role)
        return self.files.read(role, version) if version else None

    def standing(self, role: str) -> Any:
        """Return what a role will say once its draft, if any, is published, as a copy; None where there is neither."""
        metadata = self.draft(role) if role in self.roles() else self.published(role)
        return None if metadata is None else metadata.signed

    def authority(self) -> Targets:
        """Return what the trust authority will say; raise ConfigurationError where there is no registry yet."""
        targets = self.standing(Targets.type)
        if targets is None:
            raise ConfigurationError(f"There is no registry in {self.folder} yet: begin with `root init`.")
        return targets  # type: ignore[no-any-return]  # Metadata of this role is of this type.

    def stage(self, role: str, signed: Root | Targets) -> None:
        """Make this the role's draft, unsigned; a draft that was there, and what was signed of it, is gone."""
        signed.version = self.files.published(role) + 1
        signed.expires = expiry(self.at, self.lifetimes.of(role))
        self._keep(role, Metadata(signed))

    def add_signatures(self, role: str, signed: Metadata[Any]) -> None:
        """Add signatures to a role's draft; raise RegistryRefused where they were not made over what it says now."""
        with self.locked():
            draft = self.draft(role)
            if draft.signed_bytes != signed.signed_bytes:
                raise RegistryRefused(
                    f"The draft of {role} was changed while it was being signed, so nothing was: look at it and sign "
                    "anew."
                )
            draft.signatures |= signed.signatures
            self._keep(role, draft)

    def _keep(self, role: str, draft: Metadata[Any]) -> None:
        write_whole(self.draft_path(role), draft.to_bytes())

    def drop(self, role: str) -> None:
        """Forget a role's draft; the target files that only it signs for stay until all drafts are gone."""
        self.draft_path(role).unlink(missing_ok=True)

    def clear(self, roles: Collection[str]) -> None:
        """Forget the drafts of roles and those that are out, and once none is left, the files that they signed for."""
        for role in self._found():
            if role in roles or self._is_out(role):
                self.drop(role)
        if not self._found():
            shutil.rmtree(self._drafts, ignore_errors=True)

    def put_target(self, path: str, content: bytes) -> TargetFile:
        """Stage a file that a draft signs for."""
        return self._targets.put_target(path, content)

    def target_content(self, target: TargetFile) -> bytes:
        """Return a target's bytes, staged or published; raise RegistryRefused where they are not here.

        They are compared with what is signed for: a holder must not be shown one file and sign for another.
        """
        for files in (self._targets, self.files):
            path = files.target_path(target)
            if path.is_file():
                content = path.read_bytes()
                with suppress(LengthOrHashMismatchError):
                    target.verify_length_and_hashes(content)
                    return content
        raise RegistryRefused(f"The file {target.path} that is signed for is not here, or was altered: stage it anew.")

    def profile(self, agency: str) -> Profile:
        """Return an agency's profile as it will be; raise RegistryRefused where the registry has no such agency."""
        return self.profile_in(self.authority(), agency)

    def profile_in(self, targets: Targets, agency: str) -> Profile:
        """Return an agency's profile as some targets have it."""
        target = targets.targets.get(profile_path(agency))
        if target is None:
            raise RegistryRefused(f"The registry has no agency {agency}: add it with `agency add`.")
        return profile_of(agency, self.target_content(target))

    def published_roster(self, agency: str) -> TargetFile | None:
        """Return an agency's roster that is published, None where none is."""
        role = self.published(agency)
        return None if role is None else role.signed.targets.get(roster_path(agency))

    def delegators(self, role: str) -> list[Root | Targets]:
        """Return who must each find a role signed by enough keys; raise RegistryRefused for a role nobody knows.

        While the root changes, that is the root before and the root after: clients that have not yet fetched the
        new one must not be stopped. An agency answers to the trust authority as it will be.
        """
        if role not in {Root.type, Targets.type, *ONLINE}:
            targets = self.authority()
            if targets.delegations is None or role not in (targets.delegations.roles or {}):
                raise RegistryRefused(
                    f"The registry has no role {role}: it has root, targets and those of agencies with keys."
                )
            return [targets]
        before = self.published(Root.type)
        after = self.draft(Root.type) if Root.type in self.roles() else None
        roots = [metadata.signed for metadata in (before, after) if metadata is not None]
        if not roots:
            raise ConfigurationError(f"There is no registry in {self.folder} yet: begin with `root init`.")
        return roots[:1] if len(roots) > 1 and _same_holders(role, *roots) else roots


def _same_holders(role: str, before: Root, after: Root) -> bool:
    old, new = before.roles[role], after.roles[role]
    return set(old.keyids) == set(new.keyids) and old.threshold == new.threshold
