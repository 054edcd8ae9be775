"""Refuse versions behind the highest ever seen, even where the folder that TUF trusts was wiped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify_service.errors import RegistryRefused
from verify_service.registry.intake import Mark

if TYPE_CHECKING:
    from verify_service.registry.publication import VerifiedFile

# A root is signed for by the roots before it, whatever keys it has: its version never goes back. Where its keys were
# stolen and another root was pinned, marks begin anew, since they are kept by pinned root.
ROOT = "root"
# Readers of JSON round what is larger, and databases do not take it (RFC 8259 §6).
LARGEST_VERSION = 2**53 - 1


def raised(mark: Mark | None, verified: VerifiedFile) -> Mark:
    """Return the mark that a verified file leaves; raise RegistryRefused where it is behind the mark that stands.

    A role whose keys were rotated begins anew (TUF §5.3.11), so that a thief who signed for version 2^31 with the
    old keys does not lock its owner out.
    """
    version, sha256 = verified.signed.version, verified.signed.sha256
    if version > LARGEST_VERSION:
        raise RegistryRefused(f"The version of {verified.role} is past {LARGEST_VERSION}: its signers have to go back.")
    if mark is not None and (verified.keys == mark.keys or verified.role == ROOT):
        if version < mark.version:
            raise RegistryRefused(
                f"Version {version} of {verified.role} is older than version {mark.version}, which was seen before: "
                "an old state is being played back."
            )
        if version == mark.version and sha256 != mark.sha256:
            raise RegistryRefused(f"There are two different versions {version} of {verified.role}: ask its signers.")
    return Mark(version, sha256, verified.keys)
