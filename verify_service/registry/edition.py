"""Describe one verified state of the registry, and what storage must keep of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from datetime import datetime

    from verify_service.registry.profile import Profile
    from verify_service.registry.roster import RosterHeader


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
    agency: str
    sha256: str
    seq: int
    epoch: int
    key_id: str
    count: int
    issued_at: datetime
    coverage: Mapping[str, str]
    synthetic: bool

    @classmethod
    def of(cls, number: int, sha256: str, header: RosterHeader) -> RosterRef:
        """Name a stored roster by what its header says."""
        return cls(
            number=number,
            agency=header.agency,
            sha256=sha256,
            seq=header.seq,
            epoch=header.epoch,
            key_id=header.key_id,
            count=header.count,
            issued_at=header.issued_at,
            coverage=header.coverage,
            synthetic=header.synthetic,
        )


@dataclass(frozen=True)
class AgencyState:
    """What an edition holds of one agency; ``role`` and ``roster`` are None where it publishes none.

    Where the newest publication of an agency was refused or held, both are still those of the last good one, so that
    they expire together. ``newer_not_taken`` says so: then nobody can tell from here who is in the newest roster.
    """

    profile: Profile
    profile_sha256: str
    role: SignedFile | None
    roster: RosterRef | None
    newer_not_taken: bool = False


@dataclass(frozen=True)
class Edition:
    """One verified, ingested state of the registry with its present freshness.

    ``number`` changes when the list of (agency, profile, roster) does. ``refreshed_at`` is when a fetch last found
    the timestamp good. A newer timestamp alone renews freshness and leaves ``number`` as it is. ``pinned_root`` is the
    SHA-256 of the root that it was verified from, empty where that was not kept yet.
    """

    number: int
    agencies: Mapping[str, AgencyState]
    root: SignedFile
    timestamp: SignedFile
    snapshot: SignedFile
    targets: SignedFile
    refreshed_at: datetime
    pinned_root: str

    @property
    def profiles_fresh_until(self) -> datetime:
        """When the first of the files expires that every profile, and its held number, rests on."""
        return min(file.expires for file in (self.root, self.timestamp, self.snapshot, self.targets))

    @property
    def synthetic(self) -> bool:
        """Whether any agency here is a sample."""
        return any(agency.profile.synthetic for agency in self.agencies.values())

    @property
    def contents(self) -> dict[str, tuple[str, str | None]]:
        """What makes this edition another than the one before: per agency the SHA-256 of profile and roster."""
        return {
            code: (agency.profile_sha256, None if agency.roster is None else agency.roster.sha256)
            for code, agency in self.agencies.items()
        }


@dataclass(frozen=True)
class Entry:
    """A roster line found by its tag."""

    kind: str
    status: str
    not_before: datetime | None
    expires: datetime | None


if TYPE_CHECKING:
    TagsOf = Callable[[Edition | None], Collection[tuple[int, bytes]]]


class EditionStore(Protocol):
    """Where editions and rosters are kept, each under its department; nothing of one is found from another.

    An edition is swapped in one transaction: a reader sees the old one whole or the new one whole. What an edition
    has ever named stays: a record quotes it, and a court may ask for it decades later.
    """

    def current(self, department: str) -> Edition | None:
        """Return the edition to answer from, None before the first ingest.

        Called for every request, so it may answer from memory once one short statement has told that nothing
        changed; what another process committed before the call must be seen.
        """

    def look_up(self, department: str, tags_of: TagsOf) -> tuple[Edition | None, dict[tuple[int, bytes], Entry]]:
        """Return the edition that stands, and the entries among the (roster number, 32-byte tag) made for it.

        All are asked for in one statement, whose time must not depend on how many are found. ``tags_of`` is called
        with an edition, perhaps one remembered and then with the newer one that stands by now; what it raises for the
        edition that stands is raised. The edition and the entries belong together.
        """

    def file(self, department: str, sha256: str) -> bytes | None:
        """Return the bytes of a piece of metadata or a profile that an edition ever stood on, or None."""

    def roster_content(self, department: str, number: int) -> Iterator[bytes]:
        """Yield the exact bytes of a roster as they were signed, piece by piece.

        They may be written again from the entries, since a line has one form; their SHA-256 tells whether all is there.
        """
