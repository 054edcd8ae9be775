"""Fetch a published registry from a folder or over HTTP, with caps on size, silence and total time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import urllib3
from tuf.api.exceptions import DownloadError, DownloadHTTPError, SlowRetrievalError
from tuf.ngclient.fetcher import FetcherInterface

from verify_service.errors import ConfigurationError, RegistryRefused
from verify_service.registry.cycle import Fetched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LARGEST_ROOT = 512_000
PIECE_BYTES = 256 * 1024
HTTP_OK, HTTP_NOT_FOUND = 200, 404


@dataclass(frozen=True)
class Patience:
    """How many seconds to wait: for a sign of life, for one file, and for everything together.

    The second stops a server that sends a byte now and then; the third keeps ninety such files from adding up.
    """

    silence: float = 10.0
    file: float = 120.0
    whole: float = 900.0


@dataclass(frozen=True)
class Source:
    """Where a registry is published: folders ``metadata`` and ``targets`` under ``base``."""

    location: str
    base: str
    fetcher: CountingFetcher


def open_source(location: str, patience: Patience | None = None) -> Source:
    """Open a folder, or an address that begins with ``http://`` or ``https://``; for one use.

    Plain HTTP is no danger to what is accepted, since TUF checks every byte; it shows who fetches what.
    Raises ConfigurationError for any other kind of location.
    """
    scheme = urlsplit(location).scheme
    if scheme in {"http", "https"}:
        return Source(location, f"{location.rstrip('/')}/", CountingFetcher(HttpFetcher(patience or Patience())))
    if not Path(location).is_dir():
        raise ConfigurationError(
            f"There is no registry folder at {location}, and it is no http:// or https:// address."
        )
    return Source(location, "", CountingFetcher(FolderFetcher(Path(location))))


def first_root(source: Source) -> bytes:
    """Fetch the registry's first root, which proves nothing until its digest was compared with a trusted one.

    Raises RegistryRefused where it is not there.
    """
    try:
        return source.fetcher.download_bytes(f"{source.base}metadata/1.root.json", LARGEST_ROOT)
    except DownloadError as error:
        raise RegistryRefused(f"There is no first root at {source.location}. ({error})") from error


class CountingFetcher(FetcherInterface):
    """Fetch by another fetcher, and count the files that were there and their bytes."""

    def __init__(self, fetcher: FetcherInterface) -> None:
        self._fetcher = fetcher
        self.fetched = Fetched()

    def _fetch(self, url: str) -> Iterator[bytes]:
        pieces = self._fetcher.fetch(url)
        self.fetched = Fetched(self.fetched.files + 1, self.fetched.bytes)
        return self._counted(pieces)

    def _counted(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.fetched = Fetched(self.fetched.files, self.fetched.bytes + len(piece))
            yield piece


class FolderFetcher(FetcherInterface):
    """Read files under one folder as if they were fetched."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def has(self, url: str) -> bool:
        """Tell whether there is such a file."""
        return (self._folder / url).is_file()

    def _fetch(self, url: str) -> Iterator[bytes]:
        path = (self._folder / url).resolve()
        if not path.is_relative_to(self._folder):
            raise DownloadError(f"{url} leads out of the registry's folder.")
        if not path.is_file():
            raise DownloadHTTPError(f"{url} is not there.", HTTP_NOT_FOUND)
        return _pieces(path)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


class HttpFetcher(FetcherInterface):
    """Fetch over HTTP without redirects, retries or compression, within a ``Patience`` that begins at once."""

    def __init__(self, patience: Patience, seconds: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._seconds = seconds
        self._end = seconds() + patience.whole
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(total=None, connect=patience.silence, read=patience.silence), retries=False
        )

    def _fetch(self, url: str) -> Iterator[bytes]:
        end = min(self._end, self._seconds() + self._patience.file)
        if self._seconds() >= end:
            raise SlowRetrievalError("The time for this fetch is used up.")
        response = self._pool.request(
            "GET",
            url,
            preload_content=False,
            decode_content=False,
            headers={"Accept-Encoding": "identity"},
        )
        if response.status != HTTP_OK:
            response.close()
            raise DownloadHTTPError(f"{url} was answered with HTTP {response.status}.", response.status)
        return self._body(response, url, end)

    def _body(self, response: urllib3.BaseHTTPResponse, url: str, end: float) -> Iterator[bytes]:
        try:
            # One read of the socket at a time: waiting for a full piece would let a slow server outwait the end.
            while piece := response.read1(PIECE_BYTES):
                if self._seconds() >= end:
                    raise SlowRetrievalError(f"{url} did not arrive in time.")
                yield piece
        except urllib3.exceptions.HTTPError as error:
            raise DownloadError(f"{url} broke off: {error}.") from error
        finally:
            # A body that was not read to its end leaves the connection unusable.
            response.close()
