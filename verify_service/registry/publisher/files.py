"""Read and write the files that a registry serves: ``DIR/metadata`` and ``DIR/targets``, as consistent snapshots."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp

from verify_service.errors import ConfigurationError, RegistryRefused
from verify_service.registry.publisher.roles import HASH

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TIMESTAMP = "timestamp.json"


class RegistryFiles:
    """The files of one folder.

    What is written is newer than what is published where a publication was cut short: published is what the
    timestamp leads to, and the newest root, which clients look for by its number.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def written(self, role: str) -> int:
        """Return the newest version of a role that there is a file of, 0 where there is none."""
        if role == Timestamp.type:
            return self.published(role)
        paths = (self.folder / "metadata").glob(f"*.{role}.json")
        return max((int(number) for path in paths if (number := path.name.partition(".")[0]).isdigit()), default=0)

    def published(self, role: str) -> int:
        """Return the version of a role that clients are led to, 0 where there is none."""
        if role == Root.type:
            return self.written(role)
        path = self.folder / "metadata" / TIMESTAMP
        if not path.is_file():
            return 0
        timestamp = read_metadata(path).signed
        if role == Timestamp.type:
            return int(timestamp.version)
        if role == Snapshot.type:
            return int(timestamp.snapshot_meta.version)
        entry = self.read(Snapshot.type, timestamp.snapshot_meta.version).signed.meta.get(f"{role}.json")
        return 0 if entry is None else int(entry.version)

    def content(self, role: str, version: int) -> bytes:
        """Return the bytes of a version; raise ConfigurationError where it is not there."""
        path = self.path(role, version)
        if version == 0 or not path.is_file():
            raise ConfigurationError(f"There is no {role} in {path.parent}: publish it first.")
        return path.read_bytes()

    def read(self, role: str, version: int) -> Metadata[Any]:
        """Return a version parsed, its signatures not checked; raise ConfigurationError where it is not there."""
        return parsed(self.content(role, version), str(self.path(role, version)))

    def path(self, role: str, version: int) -> Path:
        """Return where a version stands; the timestamp alone has one place for all of its versions."""
        return self.folder / "metadata" / (TIMESTAMP if role == Timestamp.type else f"{version}.{role}.json")

    def agencies(self) -> list[str]:
        """Return the codes of all agencies that the newest targets written delegate to."""
        delegations = self.read(Targets.type, self.written(Targets.type)).signed.delegations
        return list(delegations.roles or {}) if delegations else []

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let nobody else publish meanwhile: two timestamps of one version would stop every client.

        Raises RegistryRefused at once where somebody does.
        """
        folder = self.folder / "metadata"
        folder.mkdir(parents=True, exist_ok=True)
        # The folder itself is locked, so that whoever renews the timestamp needs to write nothing else.
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise RegistryRefused("Another publication is under way: let it finish.") from error
        finally:
            os.close(descriptor)

    def put(self, role: str, version: int, content: bytes) -> None:
        """Write a version of a role."""
        write_whole(self.path(role, version), content)

    def put_target(self, path: str, content: bytes) -> TargetFile:
        """Write a target under the name that carries its digest, as consistent snapshots ask (TUF §6.2)."""
        target = TargetFile.from_data(path, content, [HASH])
        write_whole(self.target_path(target), content)
        return target

    def target_path(self, target: TargetFile) -> Path:
        """Return where a target's bytes stand."""
        folder, _, name = target.path.rpartition("/")
        return self.folder / "targets" / folder / f"{target.hashes[HASH]}.{name}"


def read_metadata(path: Path) -> Metadata[Any]:
    """Parse a metadata file without checking signatures; raise ConfigurationError where it is none."""
    return parsed(path.read_bytes(), str(path))


def parsed(content: bytes, name: str) -> Metadata[Any]:
    """Parse metadata without checking signatures; raise ConfigurationError, which names it, where it is none."""
    try:
        return Metadata.from_bytes(content)
    except RepositoryError as error:
        raise ConfigurationError(f"{name} is not TUF metadata: restore the file. ({error})") from error


def write_whole(path: Path, content: bytes) -> None:
    """Put a file in place whole and on its disk, so that nobody fetches half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
