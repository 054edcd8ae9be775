"""Remember, outside the database, what was destroyed by order, so that a restored backup does not bring it back."""

from __future__ import annotations

import errno
import fcntl
import hmac
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import orjson

from verify_service.errors import LogRefused
from verify_service.signing import canonical_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Buried:
    """An entry whose record was destroyed: its log's origin, its index, and the commitment that stays there."""

    origin: str
    index: int
    commitment: str


@dataclass(frozen=True)
class Tombstone:
    """What was destroyed of one subject, on what ground and by whose leave; nothing of what it held.

    ``statements`` says whether what the person who asked may hold went too.
    """

    subject: str
    ground: str
    reference: str
    approvers: tuple[str, ...]
    statements: bool
    entries: tuple[Buried, ...]


class TombstoneFile:
    """A department's tombstones on this host, a line each, only ever appended to.

    ``authenticate`` makes a line's code with a key of the department: what stands here is destroyed again in a
    database that has it, so nobody without that key may add to it.
    """

    def __init__(self, path: Path, authenticate: Callable[[str], bytes]) -> None:
        self._path = path
        self._authenticate = authenticate

    def add(self, tombstone: Tombstone) -> None:
        """Append a tombstone and wait until the disk has it; raise LogRefused where that fails."""
        document = canonical_bytes(asdict(tombstone)).decode()
        line = f"{self._authenticate(document).hex()} {document}\n".encode()
        try:
            with self._opened(os.O_RDWR | os.O_APPEND | os.O_CREAT, fcntl.LOCK_EX) as descriptor:
                size = os.fstat(descriptor).st_size
                if size and os.pread(descriptor, 1, size - 1) != b"\n":
                    # What a crash left of a line was acknowledged to nobody.
                    os.ftruncate(descriptor, _read(descriptor).rfind(b"\n") + 1)
                _write(descriptor, line)
                os.fsync(descriptor)
            self._settle()
        except OSError as error:
            raise LogRefused(
                f"{self._path} cannot be written ({error.strerror}), so that what was just destroyed would come back "
                "with an old backup. Make room there, then send the approval again."
            ) from error

    def read(self) -> list[Tombstone]:
        """Return every tombstone; raise LogRefused where a line is not what this department wrote."""
        if not self._path.exists():
            return []
        with self._opened(os.O_RDONLY, fcntl.LOCK_SH) as descriptor:
            lines = _read(descriptor).split(b"\n")[:-1]
        return [self._parsed(number, line) for number, line in enumerate(lines, start=1)]

    def _parsed(self, number: int, line: bytes) -> Tombstone:
        code, _, document = line.decode("utf-8", "replace").partition(" ")
        if not hmac.compare_digest(code.encode(), self._authenticate(document).hex().encode()):
            raise LogRefused(
                f"Line {number} of {self._path} was altered or belongs to other keys: restore the file from this "
                "host's backup."
            )
        fields = orjson.loads(document)
        entries = tuple(Buried(**entry) for entry in fields["entries"])
        return Tombstone(**{**fields, "approvers": tuple(fields["approvers"]), "entries": entries})

    @contextmanager
    def _opened(self, flags: int, lock: int) -> Iterator[int]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, flags, 0o600)
        try:
            fcntl.flock(descriptor, lock)
            yield descriptor
        finally:
            os.close(descriptor)

    def _settle(self) -> None:
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _write(descriptor: int, line: bytes) -> None:
    # A disk that is nearly full takes a part of it, and says so by the count alone.
    if os.write(descriptor, line) != len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _read(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)
