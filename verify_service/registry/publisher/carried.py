"""Carry to the machine of a key the files that a draft signs for, and say there what is in them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from tuf.api.exceptions import LengthOrHashMismatchError
from tuf.api.metadata import Targets

from verify_service.errors import RegistryRefused
from verify_service.registry.agency import agency_of_profile
from verify_service.registry.profile import profile_of
from verify_service.registry.publisher.files import write_whole
from verify_service.registry.publisher.roles import HASH
from verify_service.registry.publisher.roster_summary import RosterSummary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tuf.api.metadata import Root, TargetFile

    from verify_service.registry.publisher.staging import Staging


def carry(staging: Staging, signed: Root | Targets, exported: Path) -> Path:
    """Write beside exported bytes the files that they name, each under its SHA-256, and return the folder."""
    folder = _folder(exported)
    for target in signed.targets.values() if isinstance(signed, Targets) else ():
        write_whole(folder / target.hashes[HASH], staging.target_content(target))
    return folder


def carried(signed: Root | Targets, exported: Path) -> Iterator[str]:
    """Say what the files that are signed for hold, read from beside the exported bytes, a line each.

    Raises RegistryRefused where one is not there or is another: nobody is to sign for what cannot be looked at.
    """
    for path, target in signed.targets.items() if isinstance(signed, Targets) else ():
        content, agency = _content(target, _folder(exported)), agency_of_profile(path)
        if agency is None:
            yield RosterSummary(content).words(None)[0]
        else:
            profile = profile_of(agency, content)
            number = profile.callback.number if profile.callback else "none"
            yield f"{agency}: {profile.name}, level {profile.level}, CALLBACK NUMBER {number}"


def _folder(exported: Path) -> Path:
    return exported.with_name(f"{exported.name}.files")


def _content(target: TargetFile, folder: Path) -> bytes:
    path = folder / target.hashes.get(HASH, "")
    if path.is_file():
        content = path.read_bytes()
        with suppress(LengthOrHashMismatchError):
            target.verify_length_and_hashes(content)
            return content
    raise RegistryRefused(
        f"The file {target.path} that is signed for is not in {folder}, or was altered: export anew, and bring this "
        "folder along."
    )
