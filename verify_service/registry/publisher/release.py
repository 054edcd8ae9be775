"""Publish what is staged and ready, all of it together, once it was checked as a client will check it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tuf.api.metadata import Root, Snapshot, Targets, Timestamp
from tuf.ngclient.fetcher import FetcherInterface

from verify_service.clock import rfc3339
from verify_service.errors import RegistryRefused
from verify_service.registry.agency import profile_path
from verify_service.registry.inspection import inspect
from verify_service.registry.publication import Publication
from verify_service.registry.publisher.files import RegistryFiles, write_whole
from verify_service.registry.publisher.freshness import Freshness
from verify_service.registry.publisher.holders import check_holders
from verify_service.registry.publisher.signatures import counts
from verify_service.registry.publisher.signers import online_signers
from verify_service.registry.publisher.succession import check_clock, check_draft_clock, check_roster, check_version
from verify_service.registry.source import CountingFetcher, FolderFetcher, Source, first_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from securesystemslib.signer import Signer
    from tuf.api.metadata import TargetFile

    from verify_service.registry.inspection import AgencyFinding, Inspection
    from verify_service.registry.publisher.freshness import SignersOf
    from verify_service.registry.publisher.staging import Staging

    Write = Callable[[Path, bytes], None]
    Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Release:
    """What was published: each role's version, what is wrong with agencies that it did not touch, and what waits.

    ``waiting`` says of each draft that did not go out why it could not.
    """

    versions: dict[str, int]
    expires: str
    warnings: Sequence[str]
    waiting: Mapping[str, str]


class Candidate:
    """All files of the next publication, in the order in which they are to be written.

    What nothing leads to yet comes first, then the timestamp, which leads to all of it, and last the root. Until the
    root is there, clients judge by the old one; so where a role's keys change, its new version is signed for by both.
    With ``root_first``, for keys that are lost, the root comes just before the timestamp, and clients that come
    between the two keep what they had.
    """

    def __init__(self, staging: Staging, signers_of: SignersOf, *, root_first: bool) -> None:
        self._staging = staging
        self.drafts = staging.roles()
        self.versions: dict[str, int] = {}
        self.files: list[tuple[Path, bytes]] = []
        changed: dict[str, tuple[int, bytes]] = {}
        root: list[tuple[Path, bytes]] = []
        for role in self.drafts:
            version, content = staging.draft(role).signed.version, staging.draft_path(role).read_bytes()
            self.versions[role] = version
            if role == Root.type:
                root = [self._file(role, version, content)]
                continue
            self.files += [self._target(target) for target in staging.draft(role).signed.targets.values()]
            changed[role] = version, content
        self.files += [self._file(role, *written) for role, written in changed.items()]
        freshness = Freshness(staging.files, signers_of, staging.at, staging.lifetimes)
        snapshot = freshness.snapshot(changed)
        timestamp = freshness.timestamp(*snapshot)
        last = [self._file(Timestamp.type, *timestamp)]
        self.files += [self._file(Snapshot.type, *snapshot), *(root + last if root_first else last + root)]
        self.versions |= {Snapshot.type: snapshot[0], Timestamp.type: timestamp[0]}

    def laid_out(self, folder: Path, *, with_root: bool = True) -> RegistryFiles:
        """Write the files into a folder that lies over what is published."""
        for path, content in self.files:
            if with_root or not path.name.endswith(f".{Root.type}.json"):
                write_whole(folder / path, content)
        return RegistryFiles(folder)

    def _file(self, role: str, version: int, content: bytes) -> tuple[Path, bytes]:
        return self._staging.files.path(role, version).relative_to(self._staging.folder), content

    def _target(self, target: TargetFile) -> tuple[Path, bytes]:
        path = self._staging.files.target_path(target).relative_to(self._staging.folder)
        return path, self._staging.target_content(target)


def publish(
    staging: Staging,
    signers: Sequence[Signer],
    *,
    lost_keys: bool = False,
    write: Write = write_whole,
    progress: Progress = lambda *_: None,
) -> Release:
    """Check all drafts that are ready together with what is published, write them, and forget them.

    Raises RegistryRefused, writing nothing, where no draft is ready, or where anything else is not as a client must
    find it. Cut short at any file, it leaves a registry that verifies; publishing again completes it.
    """
    staging.authority()
    with staging.files.held(), staging.locked():
        check_clock(staging)
        if not staging.roles() and not lost_keys:
            staging.clear([])
            raise RegistryRefused("Nothing is staged: `timestamp` renews what is published.")
        waiting: dict[str, str] = {}
        while True:
            ready = _ready(staging, waiting)
            if waiting and not ready.roles():
                raise RegistryRefused(" ".join(["Nothing was published.", *waiting.values()]))
            candidate = Candidate(ready, online_signers(ready, signers), root_first=lost_keys)
            inspection = _check(ready, candidate, lost_keys=lost_keys, progress=progress)
            faulty = _faulty_drafts(ready, candidate, inspection)
            if not faulty:
                break
            waiting |= faulty
        for path, content in candidate.files:
            if not _is_there(staging.folder / path, content):
                write(staging.folder / path, content)
        staging.clear(candidate.drafts)
    expires = staging.files.read(Timestamp.type, candidate.versions[Timestamp.type]).signed.expires
    return Release(candidate.versions, rfc3339(expires), inspection.faults, waiting)


def _ready(staging: Staging, waiting: dict[str, str]) -> Staging:
    """Return the staging without the drafts that cannot go out, and add to ``waiting`` why each of them cannot.

    Each is judged by those before it that are ready, so that an agency answers to targets that will be published.
    """
    for role in staging.without(waiting).roles():
        try:
            _require_ready(staging.without(waiting), role)
        except RegistryRefused as refusal:
            waiting[role] = refusal.detail
    return staging.without(waiting)


def _require_ready(staging: Staging, role: str) -> None:
    """Raise RegistryRefused where a draft does not follow what is published, before anything is put together."""
    check_version(staging, role)
    check_draft_clock(staging, role)
    missing = max(count.missing for count in counts(staging, role, staging.draft(role)))
    # With a new root, whether the targets are signed by enough keys before it is for a client to say, just below.
    if missing and not (role == Targets.type and Root.type in staging.roles()):
        raise RegistryRefused(f"{role} is not signed by enough of its keys: {missing} more have to `sign`.")
    if role in {Root.type, Targets.type}:
        check_holders(staging.standing(Root.type), staging.authority())
    else:
        check_roster(staging, role)


def _is_there(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _check(staging: Staging, candidate: Candidate, *, lost_keys: bool, progress: Progress) -> Inspection:
    """Verify what clients will see, before the new root and after it, and return what they find after it."""
    if Root.type in candidate.versions and staging.published(Root.type) is not None and not lost_keys:
        with TemporaryDirectory() as folder:
            files = candidate.laid_out(Path(folder), with_root=False)
            try:
                _publication(staging, files, Path(folder))
            except RegistryRefused as refusal:
                raise RegistryRefused(
                    f"{refusal.detail} While clients move on to the new root, the keys before it have to sign too; "
                    "if they are lost, publish with --lost-keys."
                ) from refusal
    with TemporaryDirectory() as folder:
        files = candidate.laid_out(Path(folder))
        return inspect(_publication(staging, files, Path(folder)), progress)


def _faulty_drafts(staging: Staging, candidate: Candidate, inspection: Inspection) -> dict[str, str]:
    """Return the agencies whose own drafts no client would take, and why.

    Raises RegistryRefused where the authority's draft is what puts an agency at fault.
    """
    faulty = [finding for finding in inspection.agencies if finding.fault]
    for finding in faulty:
        if finding.agency not in candidate.versions and not _was_there(staging, finding):
            raise RegistryRefused(f"Nothing was published. {finding.fault}")
    return {finding.agency: str(finding.fault) for finding in faulty if finding.agency in candidate.versions}


def _publication(staging: Staging, files: RegistryFiles, folder: Path) -> Publication:
    fetcher = _Layered(FolderFetcher(files.folder), FolderFetcher(staging.folder))
    source = Source(str(staging.folder), "", CountingFetcher(fetcher))
    return Publication(source, first_root(source), folder / "client", staging.at)


def _was_there(staging: Staging, finding: AgencyFinding) -> bool:
    """Tell whether an agency's fault is its own and was there before.

    The fault of a role or roster is, where the agency's keys stay; so the authority can change the number or the level
    of an agency that has let its role expire. The fault of a profile, of which no level was read, is only where the
    profile stays too.
    """
    published = staging.published(Targets.type)
    if published is None:
        return False
    before, after, path = published.signed, staging.authority(), profile_path(finding.agency)
    return _keys(before, finding.agency) == _keys(after, finding.agency) and (
        finding.level is not None or before.targets.get(path) == after.targets.get(path)
    )


def _keys(targets: Targets, agency: str) -> tuple[object, list[object]] | None:
    delegations = targets.delegations
    role = delegations.roles.get(agency) if delegations and delegations.roles else None
    if delegations is None or role is None:
        return None
    return role, [delegations.keys[key_id] for key_id in role.keyids]


class _Layered(FetcherInterface):
    """Fetch what is about to be published, and what is not among it from what is published."""

    def __init__(self, above: FolderFetcher, below: FolderFetcher) -> None:
        self._above = above
        self._below = below

    def _fetch(self, url: str) -> Iterator[bytes]:
        return (self._above if self._above.has(url) else self._below).fetch(url)
