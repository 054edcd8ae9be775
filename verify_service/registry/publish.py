"""Write and sign the files of a TUF repository: root, targets, agencies' roles, snapshot and timestamp."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from verify_service.errors import ConfigurationError
from verify_service.registry.agency import profile_path, roster_path

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from verify_service.registry.profile import Profile
    from verify_service.registry.signing_keys import SigningKeys

ROOT_KEYS, ROOT_THRESHOLD = 5, 3
AUTHORITY_KEYS, AUTHORITY_THRESHOLD = 3, 2
AGENCY_KEYS, AGENCY_THRESHOLD = 3, 2
ONLINE_KEYS, ONLINE_THRESHOLD = 1, 1
HASH = "sha256"

KEYS = {
    Root.type: (ROOT_KEYS, ROOT_THRESHOLD),
    Targets.type: (AUTHORITY_KEYS, AUTHORITY_THRESHOLD),
    Snapshot.type: (ONLINE_KEYS, ONLINE_THRESHOLD),
    Timestamp.type: (ONLINE_KEYS, ONLINE_THRESHOLD),
}

S = TypeVar("S", Root, Snapshot, Targets, Timestamp)


@dataclass(frozen=True)
class Lifetimes:
    """How long each role's signature stands before it has to be renewed."""

    root: timedelta = timedelta(days=365)
    targets: timedelta = timedelta(days=90)
    agency: timedelta = timedelta(hours=72)
    snapshot: timedelta = timedelta(days=7)
    timestamp: timedelta = timedelta(hours=24)


class Publisher:
    """The publishing side of one registry at one moment; each file gets the next version of its role.

    The order of publication is root, targets, agencies, snapshot, timestamp. Nothing that clients fetch is ever
    overwritten but the timestamp, which comes last: until then they see the state before.
    """

    def __init__(self, folder: Path, keys: SigningKeys, at: datetime, lifetimes: Lifetimes | None = None) -> None:
        self._metadata = folder / "metadata"
        self._files = folder / "targets"
        self._keys = keys
        self._at = at.astimezone(UTC)
        self._lifetimes = lifetimes or Lifetimes()

    def root(self) -> bytes:
        """Publish a root that names the keys of the four top-level roles, and return its bytes."""
        root = Root(consistent_snapshot=True)
        for role, (_, threshold) in KEYS.items():
            for signer in self._keys.load(role):
                root.add_key(signer.public_key, role)
            root.roles[role].threshold = threshold
        return self._publish(Root.type, root, self._lifetimes.root, ROOT_THRESHOLD)

    def targets(self, profiles: Iterable[Profile]) -> None:
        """Publish the trust authority's own files: every agency's profile, and the delegation of its one roster."""
        profiles = sorted(profiles, key=lambda profile: profile.agency)
        delegations = Delegations(keys={}, roles={})
        targets = Targets(delegations=delegations)
        for profile in profiles:
            targets.targets[profile_path(profile.agency)] = self._put(profile_path(profile.agency), profile.content())
            delegations.roles[profile.agency] = DelegatedRole(  # type: ignore[index]  # Given as {} above.
                profile.agency, [], AGENCY_THRESHOLD, terminating=True, paths=[roster_path(profile.agency)]
            )
            for signer in self._keys.load(profile.agency):
                targets.add_key(signer.public_key, profile.agency)
        self._publish(Targets.type, targets, self._lifetimes.targets, AUTHORITY_THRESHOLD)

    def agency(self, agency: str, roster: bytes | None, lifetime: timedelta | None = None) -> None:
        """Publish an agency's role, with a new roster or without any."""
        path = roster_path(agency)
        targets = {} if roster is None else {path: self._put(path, roster)}
        self._publish(agency, Targets(targets=targets), lifetime or self._lifetimes.agency, AGENCY_THRESHOLD)

    def renew(self, agency: str) -> None:
        """Publish an agency's role anew as it is."""
        role: Metadata[Targets] = self._newest(agency)
        self._publish(agency, Targets(targets=role.signed.targets), self._lifetimes.agency, AGENCY_THRESHOLD)

    def snapshot(self) -> None:
        """Publish which version of every role is the newest."""
        roles = [Targets.type, *self.agencies()]
        snapshot = Snapshot(meta={f"{role}.json": self._meta(role) for role in roles})
        self._publish(Snapshot.type, snapshot, self._lifetimes.snapshot, ONLINE_THRESHOLD)

    def timestamp(self) -> datetime:
        """Publish that the newest snapshot is the newest still, and return until when that can be relied on."""
        timestamp = Timestamp(version=self._timestamp_version() + 1, snapshot_meta=self._meta(Snapshot.type))
        content = self._signed(Timestamp.type, timestamp, self._lifetimes.timestamp, ONLINE_THRESHOLD)
        _write(self._metadata / "timestamp.json", content)
        return timestamp.expires

    def refresh(self) -> datetime:
        """Renew the timestamp, and before it the snapshot where it has used up half of its time."""
        snapshot: Metadata[Snapshot] = self._newest(Snapshot.type)
        if snapshot.signed.expires - self._at < self._lifetimes.snapshot / 2:
            self.snapshot()
        return self.timestamp()

    def agencies(self) -> list[str]:
        """Return the codes of all agencies that the newest targets delegate to."""
        targets: Metadata[Targets] = self._newest(Targets.type)
        delegations = targets.signed.delegations
        return list(delegations.roles or {}) if delegations else []

    def _publish(self, role: str, signed: S, lifetime: timedelta, threshold: int) -> bytes:
        signed.version = self._version(role) + 1
        content = self._signed(role, signed, lifetime, threshold)
        _write(self._metadata / f"{signed.version}.{role}.json", content)
        return content

    def _signed(self, role: str, signed: S, lifetime: timedelta, threshold: int) -> bytes:
        signed.expires = self._at + lifetime
        metadata = Metadata(signed)
        for signer in self._keys.load(role)[:threshold]:
            metadata.sign(signer, append=True)
        return metadata.to_bytes()

    def _put(self, path: str, content: bytes) -> TargetFile:
        """Write a target under the name that carries its digest, as consistent snapshots ask (TUF §6.2)."""
        target = TargetFile.from_data(path, content, [HASH])
        folder, _, name = path.rpartition("/")
        _write(self._files / folder / f"{target.hashes[HASH]}.{name}", content)
        return target

    def _meta(self, role: str) -> MetaFile:
        version = self._version(role)
        return MetaFile.from_data(version, self._path(role, version).read_bytes(), [HASH])

    def _newest(self, role: str) -> Metadata[S]:
        return Metadata.from_file(str(self._path(role, self._version(role))))

    def _path(self, role: str, version: int) -> Path:
        if version == 0:
            raise ConfigurationError(f"There is no {role} in {self._metadata}: publish it first.")
        return self._metadata / f"{version}.{role}.json"

    def _version(self, role: str) -> int:
        return max((int(path.name.partition(".")[0]) for path in self._metadata.glob(f"*.{role}.json")), default=0)

    def _timestamp_version(self) -> int:
        path = self._metadata / "timestamp.json"
        return Metadata.from_file(str(path)).signed.version if path.is_file() else 0


def _write(path: Path, content: bytes) -> None:
    """Put a file in place whole, so that nobody fetches half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(content)
    draft.replace(path)
