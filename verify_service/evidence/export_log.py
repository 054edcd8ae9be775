"""Write the published log as files that any web server can serve (C2SP tlog-tiles)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify_service.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from verify_service.record_log.public_log import PublicLog


def export_log(log: PublicLog, directory: Path) -> int:
    """Write every published tile, bundle, past checkpoint and, last, the newest; return the number of files.

    What is there already stays when it is the same; raise ConfigurationError where a file differs, since tiles
    never change. The log is public, so no access event is written.
    """
    written = 0
    for path, content in log.files():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.startswith("tile/") and target.exists() and target.read_bytes() != content:
            raise ConfigurationError(f"{target} belongs to another log: choose an empty directory.")
        half = target.with_name(target.name + ".part")
        half.write_bytes(content)
        half.replace(target)
        written += 1
    return written
