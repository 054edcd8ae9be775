"""Describe one verified state of the registry, and what storage must keep of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from verify_service.registry.profile import Profile


@dataclass(frozen=True)
class SignedFile:
    """A piece of TUF metadata as it was verified: its version, the SHA-256 of its bytes and its expiry."""

    version: int
    sha256: str
    expires: datetime


@dataclass(frozen=True)
class RosterRef:
    """An agency's roster as stored: its storage number and what its signed header says."""

    number: int
    sha256: str
    seq: int
    epoch: int
    key_id: str
    issued_at: datetime
    coverage: Mapping[str, str]
    synthetic: bool


@dataclass(frozen=True)
class AgencyState:
    """What an edition holds of one agency; ``role`` and ``roster`` are None where it publishes none."""

    profile: Profile
    profile_sha256: str
    role: SignedFile | None
    roster: RosterRef | None


@dataclass(frozen=True)
class Edition:
    """One verified, ingested state of the registry with its present freshness.

    ``refreshed_at`` is when a fetch last found the timestamp good. A newer timestamp alone renews freshness and
    leaves ``number`` as it is.
    """

    number: int
    agencies: Mapping[str, AgencyState]
    root: SignedFile
    timestamp: SignedFile
    snapshot: SignedFile
    targets: SignedFile
    refreshed_at: datetime

    @property
    def synthetic(self) -> bool:
        """Whether any agency here is a sample."""
        return any(agency.profile.synthetic for agency in self.agencies.values())


@dataclass(frozen=True)
class Entry:
    """A roster line found by its tag."""

    kind: str
    status: str
    not_before: datetime | None
    expires: datetime | None


class EditionStore(Protocol):
    """Where editions and rosters are kept.

    An edition is swapped in one transaction: a reader sees the old one whole or the new one whole.
    """

    def current(self, department: str) -> Edition | None:
        """Return the edition to answer from, None before the first ingest."""

    def entries(self, department: str, tags: Collection[tuple[int, bytes]]) -> dict[tuple[int, bytes], Entry]:
        """Return the entries among (roster number, 32-byte tag), all asked for in one statement."""
