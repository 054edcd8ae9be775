"""Make an empty database for a measurement, on either engine."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.postgresql import PostgreSQL

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def database(engine: str) -> Iterator[tuple[Path, str]]:
    """Yield an empty folder and the URL of an empty database, in that folder where it is SQLite's."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if engine != "postgresql":
            yield folder, f"sqlite:///{folder / 'verify.db'}"
            return
        server = PostgreSQL()
        try:
            yield folder, server.create()
        finally:
            server.stop()
