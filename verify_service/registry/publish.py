"""Publish a registry whose keys are all at hand: a sample's, for demonstrations and tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tuf.api.metadata import DelegatedRole, Delegations, Root, Snapshot, TargetFile, Targets, Timestamp

from verify_service.registry.agency import profile_path, roster_path
from verify_service.registry.publisher.files import RegistryFiles
from verify_service.registry.publisher.freshness import Freshness
from verify_service.registry.publisher.roles import Lifetimes, S, expiry, signed_by

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta
    from pathlib import Path

    from securesystemslib.signer import Signer

    from verify_service.registry.profile import Profile
    from verify_service.registry.signing_keys import SigningKeys

ROOT_KEYS, ROOT_THRESHOLD = 5, 3
AUTHORITY_KEYS, AUTHORITY_THRESHOLD = 3, 2
AGENCY_KEYS, AGENCY_THRESHOLD = 3, 2
ONLINE_KEYS, ONLINE_THRESHOLD = 1, 1

KEYS = {
    Root.type: (ROOT_KEYS, ROOT_THRESHOLD),
    Targets.type: (AUTHORITY_KEYS, AUTHORITY_THRESHOLD),
    Snapshot.type: (ONLINE_KEYS, ONLINE_THRESHOLD),
    Timestamp.type: (ONLINE_KEYS, ONLINE_THRESHOLD),
}


class Publisher:
    """The publishing side of one registry at one moment; each file gets the next version of its role.

    The order of publication is root, targets, agencies, snapshot, timestamp. It checks nothing of what it is given:
    a real publisher stages, signs and releases.
    """

    def __init__(self, folder: Path, keys: SigningKeys, at: datetime, lifetimes: Lifetimes | None = None) -> None:
        self._files = RegistryFiles(folder)
        self._keys = keys
        self._at = at
        self._lifetimes = lifetimes or Lifetimes()
        self._freshness = Freshness(self._files, self._signers, at, self._lifetimes)

    def root(self) -> bytes:
        """Publish a root that names the keys of the four top-level roles, and return its bytes."""
        root = Root(consistent_snapshot=True)
        for role, (_, threshold) in KEYS.items():
            for signer in self._keys.load(role):
                root.add_key(signer.public_key, role)
            root.roles[role].threshold = threshold
        return self._publish(Root.type, root, self._lifetimes.root)

    def targets(self, profiles: Iterable[Profile]) -> None:
        """Publish the trust authority's own files: every agency's profile, and the delegation of its one roster."""
        profiles = sorted(profiles, key=lambda profile: profile.agency)
        delegations = Delegations(keys={}, roles={})
        targets = Targets(delegations=delegations)
        for profile in profiles:
            targets.targets[profile_path(profile.agency)] = self._put(profile_path(profile.agency), profile.content())
            delegations.roles[profile.agency] = delegation(profile.agency, AGENCY_THRESHOLD)  # type: ignore[index]  # Given as {} above.
            for signer in self._keys.load(profile.agency):
                targets.add_key(signer.public_key, profile.agency)
        self._publish(Targets.type, targets, self._lifetimes.targets)

    def agency(self, agency: str, roster: bytes | None, lifetime: timedelta | None = None) -> None:
        """Publish an agency's role, with a new roster or without any."""
        path = roster_path(agency)
        targets = {} if roster is None else {path: self._put(path, roster)}
        self._publish(agency, Targets(targets=targets), lifetime or self._lifetimes.agency)

    def renew(self, agency: str) -> None:
        """Publish an agency's role anew as it is."""
        role = self._files.read(agency, self._files.written(agency))
        self._publish(agency, Targets(targets=role.signed.targets), self._lifetimes.agency)

    def snapshot(self) -> None:
        """Publish which version of every role is the newest."""
        roles = [Targets.type, *self.agencies()]
        written = {role: self._files.written(role) for role in roles}
        newest = {role: (version, self._files.content(role, version)) for role, version in written.items()}
        self._files.put(Snapshot.type, *self._freshness.snapshot(newest))

    def timestamp(self) -> datetime:
        """Publish that the newest snapshot is the newest still, and return until when that can be relied on."""
        version = self._files.written(Snapshot.type)
        content = self._files.content(Snapshot.type, version)
        self._files.put(Timestamp.type, *self._freshness.timestamp(version, content))
        return expiry(self._at, self._lifetimes.timestamp)

    def refresh(self) -> datetime:
        """Renew the timestamp and, where it is due, the snapshot; return until when the timestamp can be relied on."""
        return self._freshness.refresh()

    def agencies(self) -> list[str]:
        """Return the codes of all agencies that the newest targets delegate to."""
        return self._files.agencies()

    def _publish(self, role: str, signed: S, lifetime: timedelta) -> bytes:
        signed.version = self._files.written(role) + 1
        signed.expires = expiry(self._at, lifetime)
        content = signed_by(signed, self._signers(role))
        self._files.put(role, signed.version, content)
        return content

    def _signers(self, role: str) -> list[Signer]:
        threshold = KEYS[role][1] if role in KEYS else AGENCY_THRESHOLD
        return list(self._keys.load(role)[:threshold])

    def _put(self, path: str, content: bytes) -> TargetFile:
        return self._files.put_target(path, content)


def delegation(agency: str, threshold: int) -> DelegatedRole:
    """Return the one delegation that an agency may have: its roster, and for good."""
    return DelegatedRole(agency, [], threshold, terminating=True, paths=[roster_path(agency)])
