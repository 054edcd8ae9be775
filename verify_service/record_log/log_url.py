"""Read a served log's files over HTTP: the one part of a checker that uses the network, and only when asked to."""

from __future__ import annotations

import urllib3

from verify_service import __version__

SILENCE_SECONDS = 10.0
TRIES = 4
# A bundle of 256 entries of 65,535 bytes each, behind their lengths.
LARGEST_FILE = 256 * (2 + 65_535)
FOUND, MISSING = 200, (404, 410)


class LogUrl:
    """A log below an address; what it says need not be believed, so plain HTTP does."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        # Tiles are asked for by the thousand: a server may be busy for a moment, and is then asked again.
        retries = urllib3.Retry(TRIES, redirect=0, backoff_factor=0.5, status_forcelist=(429, 500, 502, 503, 504))
        self._pool = urllib3.PoolManager(
            timeout=SILENCE_SECONDS, retries=retries, headers={"User-Agent": f"receiptctl/{__version__}"}
        )

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, None where there is none; raise OSError where the server does not say."""
        url = f"{self._url}/{path}"
        try:
            response = self._pool.request("GET", url, preload_content=False)
            try:
                content = response.read(LARGEST_FILE + 1, decode_content=True)
            finally:
                response.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise ConnectionError(f"{url} cannot be read ({error}); run the same command again later.") from error
        if response.status in MISSING:
            return None
        if response.status != FOUND or len(content) > LARGEST_FILE:
            raise ConnectionError(f"{url} answers {response.status}, or more than a log's file has; ask who serves it.")
        return content
