"""Publish everything that is staged, all of it together, once it was checked as a client will check it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tuf.api.metadata import Root, Snapshot, Targets, Timestamp
from tuf.ngclient.fetcher import FetcherInterface

from verify_service.clock import rfc3339
from verify_service.errors import RegistryRefused
from verify_service.registry.inspection import inspect
from verify_service.registry.publication import Publication
from verify_service.registry.publisher.files import RegistryFiles, write_whole
from verify_service.registry.publisher.freshness import Freshness
from verify_service.registry.publisher.holders import check_holders
from verify_service.registry.publisher.signatures import counts
from verify_service.registry.publisher.succession import check_clock, check_roster, check_version
from verify_service.registry.source import CountingFetcher, FolderFetcher, Source, first_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tuf.api.metadata import TargetFile

    from verify_service.registry.publisher.freshness import SignersOf
    from verify_service.registry.publisher.staging import Staging

    Write = Callable[[Path, bytes], None]
    Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Release:
    """What was published: each role's version, and what is wrong with agencies that it did not touch."""

    versions: dict[str, int]
    expires: str
    warnings: Sequence[str]


class Candidate:
    """All files of the next publication, in the order in which they are to be written.

    What nothing leads to yet comes first, then the timestamp, which leads to all of it, and last the root. Until the
    root is there, clients judge by the old one; so where a role's keys change, its new version is signed for by both.
    With ``root_first``, for keys that are lost, the root comes just before the timestamp, and clients that come
    between the two keep what they had.
    """

    def __init__(self, staging: Staging, signers_of: SignersOf, *, root_first: bool) -> None:
        self._staging = staging
        self.versions: dict[str, int] = {}
        self.files: list[tuple[Path, bytes]] = []
        changed: dict[str, tuple[int, bytes]] = {}
        root: list[tuple[Path, bytes]] = []
        for role in staging.roles():
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
    signers_of: SignersOf,
    *,
    lost_keys: bool = False,
    write: Write = write_whole,
    progress: Progress = lambda *_: None,
) -> Release:
    """Check all drafts together with what is published, write them, and clear the staging.

    Raises RegistryRefused, writing nothing, where anything is not as a client must find it. Cut short at any file, it
    leaves a registry that verifies; publishing again completes it.
    """
    staging.authority()
    with staging.files.held():
        _require_publishable(staging, lost_keys=lost_keys)
        candidate = Candidate(staging, signers_of, root_first=lost_keys)
        warnings = _check(staging, candidate, lost_keys=lost_keys, progress=progress)
        for path, content in candidate.files:
            if not _is_there(staging.folder / path, content):
                write(staging.folder / path, content)
        staging.clear()
    expires = staging.files.read(Timestamp.type, candidate.versions[Timestamp.type]).signed.expires
    return Release(candidate.versions, rfc3339(expires), warnings)


def _require_publishable(staging: Staging, *, lost_keys: bool) -> None:
    """Raise RegistryRefused where a draft does not follow what is published, before anything is put together.

    With ``lost_keys`` nothing needs to be staged: the root may be out already, and the timestamp not.
    """
    if not staging.roles() and not lost_keys:
        staging.clear()
        raise RegistryRefused("Nothing is staged: `timestamp` renews what is published.")
    check_clock(staging)
    check_holders(staging.standing(Root.type), staging.authority())
    for role in staging.roles():
        check_version(staging, role)
        missing = max(count.missing for count in counts(staging, role, staging.draft(role)))
        if missing and not (role == Targets.type and Root.type in staging.roles()):
            raise RegistryRefused(f"{role} is not signed by enough of its keys: {missing} more have to `sign`.")
        if role not in {Root.type, Targets.type}:
            check_roster(staging, role)


def _is_there(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _check(staging: Staging, candidate: Candidate, *, lost_keys: bool, progress: Progress) -> list[str]:
    """Verify what clients will see, before the new root and after it.

    Returns the faults of agencies that nothing staged concerns.
    """
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
        publication = _publication(staging, files, Path(folder))
        inspection = inspect(publication, progress)
    faults = {finding.agency: finding.fault for finding in inspection.agencies if finding.fault}
    for agency, fault in faults.items():
        if agency in candidate.versions or not _untouched(staging, agency):
            raise RegistryRefused(f"Nothing was published. {fault}")
    return list(faults.values())


def _publication(staging: Staging, files: RegistryFiles, folder: Path) -> Publication:
    fetcher = _Layered(FolderFetcher(files.folder), FolderFetcher(staging.folder))
    source = Source(str(staging.folder), "", CountingFetcher(fetcher))
    return Publication(source, first_root(source), folder / "client", staging.at)


def _untouched(staging: Staging, agency: str) -> bool:
    """Tell whether nothing that is staged concerns an agency, so that its fault is its own and was there before."""
    published = staging.published(Targets.type)
    if published is None:
        return False
    before, after = published.signed, staging.authority()
    return bool(
        {path: target for path, target in before.targets.items() if path.split("/")[1] == agency}
        == {path: target for path, target in after.targets.items() if path.split("/")[1] == agency}
        and _keys(before, agency) == _keys(after, agency)
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
