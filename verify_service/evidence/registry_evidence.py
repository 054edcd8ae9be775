"""Write the signed registry behind a record's checks as a TUF repository, to be verified without this service."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, Protocol

from verify_service.errors import ConfigurationError, RegistryEvidenceMissing
from verify_service.record_log.record import Record, parse_record
from verify_service.registry.agency import is_agency_code, profile_path, roster_path
from verify_service.signing import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from verify_service.registry.edition import RosterRef

README = "registry_evidence.md"
TOP_LEVEL = ("root", "timestamp", "snapshot", "targets")


class SignedFiles(Protocol):
    """Where the registry's signed bytes are kept; ``registry.edition.EditionStore`` says for how long."""

    def file(self, department: str, sha256: str) -> bytes | None:
        """Return a piece of metadata or a profile by its digest, or None."""

    def files(self, department: str, kind: str) -> Iterator[bytes]:
        """Yield everything that was kept of a TUF role, in no order."""

    def find_roster(self, department: str, agency: str, sha256: str) -> RosterRef | None:
        """Return an agency's roster if all of it is stored."""

    def roster_content(self, department: str, number: int) -> Iterator[bytes]:
        """Yield the bytes of a roster."""


@dataclass(frozen=True)
class RegistryEvidence:
    """What was written where: the agencies whose checks it is behind, and the first root, by which all else is held."""

    directory: Path
    agencies: tuple[str, ...]
    first_root: str
    first_root_sha256: str

    def document(self) -> dict[str, Any]:
        """Return it as a JSON document."""
        return {**vars(self), "directory": str(self.directory), "agencies": list(self.agencies)}


def export_registry_evidence(content: bytes, store: SignedFiles, directory: Path) -> RegistryEvidence:
    """Write what a record quotes of the registry, each file compared with its digest; all of it or nothing.

    ``content`` are the record's bytes. Raises RegistryEvidenceMissing where they are no record that quotes a registry,
    or where something is not kept as it was, and ConfigurationError where the directory is there already.
    """
    record, checks = _quoting(content)
    if directory.exists():
        raise ConfigurationError(f"{directory} is there already: name a directory that is not.")
    directory.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    try:
        repository = _Repository(record.department, store, draft)
        first_root = repository.root_chain(checks[0]["metadata"]["root"])
        for check in checks:
            repository.add(check)
        (draft / "record.json").write_bytes(content)
        (draft / "README.md").write_bytes(files(__package__).joinpath(README).read_bytes())
        draft.chmod(0o755)
        draft.replace(directory)
    except BaseException:
        shutil.rmtree(draft)
        raise
    name, sha256 = first_root
    return RegistryEvidence(directory, tuple(check["agency"] for check in checks), name, sha256)


def _quoting(content: bytes) -> tuple[Record, list[Mapping[str, Any]]]:
    try:
        record = parse_record(content)
    except ValueError as error:
        raise RegistryEvidenceMissing(f"This is no record: give the exact bytes of one as served. ({error})") from error
    computed = record.body.get("computed") if isinstance(record, Record) and record.body else None
    checks = [check for check in (computed or {}).get("checks", []) if check["metadata"] is not None]
    if not all(is_agency_code(check["agency"]) for check in checks):
        raise RegistryEvidenceMissing("This record names an agency that is none: it was altered.")
    if not isinstance(record, Record) or not checks:
        raise RegistryEvidenceMissing(
            "This record quotes no registry: give the record of a submission (event 0) that was checked against one."
        )
    return record, checks


class _Repository:
    """The files of one record's checks on their way into a folder; they all quote one edition."""

    def __init__(self, department: str, store: SignedFiles, folder: Path) -> None:
        self._department = department
        self._store = store
        self._folder = folder

    @cached_property
    def _targets(self) -> dict[int, bytes]:
        return {_version(content): content for content in self._store.files(self._department, "targets")}

    def root_chain(self, quoted: Mapping[str, Any]) -> tuple[str, str]:
        """Write every root from the first that is kept to the quoted one; return the first's name and SHA-256."""
        kept = {_version(content): content for content in self._store.files(self._department, "root")}
        if sha256_hex(kept.get(quoted["version"], b"")) != quoted["sha256"]:
            raise self._missing(f"version {quoted['version']} of root", quoted["sha256"])
        first = version = quoted["version"]
        while version in kept:
            self._write(f"metadata/{version}.root.json", [kept[version]])
            first, version = version, version - 1
        return f"metadata/{first}.root.json", sha256_hex(kept[first])

    def add(self, check: Mapping[str, Any]) -> None:
        """Write what one check stands on: timestamp, snapshot, targets, the agency's role, profile and roster."""
        agency = check["agency"]
        for role, quoted in check["metadata"].items():
            if quoted is not None and role != "root":
                name = agency if role == "role" else role
                place = "timestamp.json" if role == "timestamp" else f"{quoted['version']}.{name}.json"
                self._write(f"metadata/{place}", [self._file(f"{name} metadata", quoted["sha256"])])
        sha256 = check["profile_sha256"]
        self._write(_target(profile_path(agency), sha256), [self._file(f"profile of {agency}", sha256)])
        self._sign_for_profile(agency, sha256, check["metadata"]["targets"])
        if check["roster_sha256"] is not None:
            self._roster(agency, check["roster_sha256"])

    def _file(self, what: str, sha256: str) -> bytes:
        content = self._store.file(self._department, sha256)
        if content is None or sha256_hex(content) != sha256:
            raise self._missing(what, sha256)
        return content

    def _sign_for_profile(self, agency: str, sha256: str, quoted: Mapping[str, Any]) -> None:
        """Write older targets too where the quoted ones sign for a newer profile, which was refused."""
        for version, content in sorted(self._targets.items(), reverse=True):
            if version <= quoted["version"] and _signs_for(content, profile_path(agency), sha256):
                self._write(f"metadata/{version}.targets.json", [content])
                return
        raise self._missing(f"targets that sign for the profile of {agency}", sha256)

    def _roster(self, agency: str, sha256: str) -> None:
        ref = self._store.find_roster(self._department, agency, sha256)
        if ref is None:
            raise self._missing(f"roster of {agency}", sha256)
        path = _target(roster_path(agency), sha256)
        if self._write(path, self._store.roster_content(self._department, ref.number)) != sha256:
            raise self._missing(f"roster of {agency}", sha256)

    def _write(self, path: str, pieces: Iterable[bytes]) -> str:
        """Write a file and return the SHA-256 of what was written."""
        target, digest = self._folder / path, hashlib.sha256()
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
        return digest.hexdigest()

    def _missing(self, what: str, sha256: str) -> RegistryEvidenceMissing:
        return RegistryEvidenceMissing(
            f"The {what} ({sha256}) that this record of {self._department} quotes is not in this database, or is no "
            "longer what its digest says: use the database that the record is from, and run `verify-service audit` on "
            "it; a backup that agrees has it."
        )


def _target(path: str, sha256: str) -> str:
    folder, _, name = path.rpartition("/")
    return f"targets/{folder}/{sha256}.{name}"


def _version(metadata: bytes) -> int:
    return int(json.loads(metadata)["signed"]["version"])


def _signs_for(targets: bytes, path: str, sha256: str) -> bool:
    target = json.loads(targets)["signed"]["targets"].get(path)
    return target is not None and target["hashes"]["sha256"] == sha256
