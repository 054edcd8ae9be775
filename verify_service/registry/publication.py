"""Verify one published state of the registry with TUF, from a pinned root and at one given moment."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from tuf.api.exceptions import (
    BadVersionNumberError,
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    LengthOrHashMismatchError,
    RepositoryError,
    SlowRetrievalError,
    UnsignedMetadataError,
)
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp
from tuf.ngclient import Updater

from verify_service.errors import RegistryRefused
from verify_service.registry.agency import agency_of_profile, profile_path, roster_path
from verify_service.registry.cycle import SignedBy
from verify_service.registry.delegation import check_authority, check_role, key_fingerprint
from verify_service.registry.edition import SignedFile
from verify_service.registry.profile import LARGEST_PROFILE
from verify_service.registry.roster import LARGEST_ROSTER, is_sha256
from verify_service.signing import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from tuf.api.metadata import TargetFile

    from verify_service.registry.source import Source

TOP_LEVEL = (Root.type, Timestamp.type, Snapshot.type, Targets.type)

# The first that fits is said; the order matters where one is a kind of another.
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (ExpiredMetadataError, "has expired: its signers have to publish it anew"),
    (BadVersionNumberError, "has another version than it must have, so an old state may be played back"),
    (UnsignedMetadataError, "is not signed by enough of its keys"),
    (LengthOrHashMismatchError, "is not the file that was signed for"),
    (DownloadLengthMismatchError, "is larger than was signed for"),
    (SlowRetrievalError, "did not arrive in time"),
    (DownloadHTTPError, "cannot be fetched"),
    (DownloadError, "cannot be fetched"),
    (RepositoryError, "is refused by TUF"),
    (OSError, "cannot be kept on this machine"),
)


@dataclass(frozen=True)
class VerifiedFile:
    """A piece of metadata whose signatures were checked: its bytes, what they say, and a digest of its keys."""

    role: str
    content: bytes
    signed: SignedFile
    keys: str


@dataclass(frozen=True)
class PublishedTarget:
    """A file that a role signs for."""

    sha256: str
    signed: TargetFile


class _UpdaterAt(Updater):
    """tuf's client, judging expiry at a given moment instead of the machine's.

    tuf 7 freezes the machine's clock in its trusted set when it is constructed and offers no argument for it. A test
    holds this to its effect, should that attribute ever move.
    """

    def __init__(self, at: datetime, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._trusted_set.reference_time = at


class Publication:
    """One published state, fetched and verified; good for one use, as tuf's client is.

    ``folder`` keeps what was trusted last, so that unchanged files are not fetched again and versions cannot go
    back; only one Publication may be open on it. ``signed`` tells, of each role verified so far, whose signatures
    counted.
    """

    def __init__(self, source: Source, pinned_root: bytes, folder: Path, at: datetime) -> None:
        self.signed: dict[str, SignedBy] = {}
        self._source = source
        self._metadata = folder / "metadata"
        self._metadata.mkdir(parents=True, exist_ok=True)
        with _in_own_words("The pinned root"):
            self._pinned_version = Metadata.from_bytes(pinned_root).signed.version
            self._updater = _UpdaterAt(
                at,
                metadata_dir=str(self._metadata),
                metadata_base_url=f"{source.base}metadata/",
                fetcher=source.fetcher,
                bootstrap=pinned_root,
            )
        with _in_own_words("The registry's root, timestamp, snapshot or targets"):
            self._updater.refresh()
        self._root: Root = _parsed(self._metadata_of(Root.type))
        self._targets: Targets = _parsed(self._metadata_of(Targets.type))
        if not self._root.consistent_snapshot:
            raise RegistryRefused("The registry's root does not ask for consistent snapshots, so files could be mixed.")
        self._check_authority()
        self.top_level: Mapping[str, VerifiedFile] = {
            role: self._verified(role, self._metadata_of(role), self._root) for role in TOP_LEVEL
        }

    @property
    def roots(self) -> tuple[bytes, ...]:
        """Every root from the pinned one to the newest, each signed for by the one before it."""
        versions = range(self._pinned_version, self.top_level[Root.type].signed.version + 1)
        return tuple((self._metadata / "root_history" / f"{version}.root.json").read_bytes() for version in versions)

    @property
    def agencies(self) -> tuple[str, ...]:
        """The codes of all agencies that the trust authority has a profile of, sorted."""
        return tuple(sorted(filter(None, map(agency_of_profile, self._targets.targets))))

    def profile(self, agency: str) -> PublishedTarget:
        """Return what the trust authority signs as an agency's profile."""
        return _published(self._targets.targets[profile_path(agency)], LARGEST_PROFILE)

    def role(self, agency: str) -> tuple[VerifiedFile | None, PublishedTarget | None]:
        """Return an agency's verified role and the roster that it signs for; None where there is none.

        Raises RegistryRefused where the role cannot be trusted or names anything but the agency's one roster.
        """
        if self._targets.delegations is None or agency not in (self._targets.delegations.roles or {}):
            return None, None
        with _in_own_words(f"The role of {agency}"):
            target = self._updater.get_targetinfo(roster_path(agency))
        verified = self._verified(agency, self._metadata_of(agency), self._targets)
        check_role(agency, _parsed(verified.content))
        return verified, None if target is None else _published(target, LARGEST_ROSTER)

    def require_signed(self, agency: str, content: bytes) -> None:
        """Raise RegistryRefused unless a role that was verified earlier has enough signatures of its keys of now."""
        with _in_own_words(f"The last good role of {agency}"):
            metadata: Metadata[Targets] = Metadata.from_bytes(content)
            self._targets.verify_delegate(agency, metadata.signed_bytes, metadata.signatures)

    @contextmanager
    def opened(self, target: PublishedTarget) -> Iterator[IO[bytes]]:
        """Fetch a target and yield it as a file once it was found to be what was signed for.

        This is what tuf's ``download_target`` does, without a second copy of some megabytes. Raises RegistryRefused.
        """
        folder, slash, name = target.signed.path.rpartition("/")
        # A consistent snapshot carries the digest in the file's name (TUF §6.2).
        url = f"{self._source.base}targets/{folder}{slash}{target.sha256}.{name}"
        with ExitStack() as files:
            with _in_own_words(f"The file {target.signed.path}"):
                file = files.enter_context(self._source.fetcher.download_file(url, target.signed.length))
                target.signed.verify_length_and_hashes(file)
            file.seek(0)
            yield file

    def _check_authority(self) -> None:
        # A step of its own, for the conformance suite's repositories have patterns where ours have agencies.
        check_authority(self._targets)

    def _verified(self, role: str, content: bytes, delegator: Root | Targets) -> VerifiedFile:
        metadata = Metadata.from_bytes(content)
        # tuf's client has verified it; this asks again only for whose signatures they were.
        result = delegator.get_verification_result(role, metadata.signed_bytes, metadata.signatures)
        self.signed[role] = SignedBy(metadata.signed.version, tuple(sorted(result.signed)))
        return VerifiedFile(
            role=role,
            content=content,
            signed=SignedFile(metadata.signed.version, sha256_hex(content), metadata.signed.expires),
            keys=key_fingerprint(delegator, role),
        )

    def _metadata_of(self, role: str) -> bytes:
        # After a refresh the client's folder holds exactly the bytes that it verified last.
        return (self._metadata / f"{role}.json").read_bytes()


def _parsed(content: bytes) -> Any:
    return Metadata.from_bytes(content).signed


def _published(target: TargetFile, largest: int) -> PublishedTarget:
    if not is_sha256(target.hashes.get("sha256")):
        raise RegistryRefused(f"The file {target.path} is signed for without a SHA-256.")
    if target.length > largest:
        raise RegistryRefused(f"The file {target.path} is said to have {target.length} bytes; {largest} are allowed.")
    return PublishedTarget(target.hashes["sha256"], target)


@contextmanager
def _in_own_words(subject: str) -> Iterator[None]:
    try:
        yield
    except tuple(kind for kind, _ in _REASONS) as error:
        words = next(words for kind, words in _REASONS if isinstance(error, kind))
        raise RegistryRefused(f"{subject} {words}. ({type(error).__name__}: {error})") from error
