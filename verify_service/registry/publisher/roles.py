"""Say how long each role's signature stands and how many keys it takes, and sign for a role."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from tuf.api.exceptions import UnsignedMetadataError
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from verify_service.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from securesystemslib.signer import Signer

HASH = "sha256"
ONLINE = (Snapshot.type, Timestamp.type)
TOP_LEVEL = (Root.type, Targets.type, *ONLINE)
# One holder alone, or one stolen key, must not be able to change whom anybody trusts.
LEAST_THRESHOLD = 2

S = TypeVar("S", Root, Snapshot, Targets, Timestamp)


@dataclass(frozen=True)
class Lifetimes:
    """How long each role's signature stands before it has to be renewed."""

    root: timedelta = timedelta(days=365)
    targets: timedelta = timedelta(days=90)
    agency: timedelta = timedelta(hours=72)
    snapshot: timedelta = timedelta(days=7)
    timestamp: timedelta = timedelta(hours=24)

    def of(self, role: str) -> timedelta:
        """Return a role's lifetime; every name that is not TUF's own is an agency's."""
        lifetime: timedelta = getattr(self, role if role in TOP_LEVEL else "agency")
        return lifetime


def least_threshold(role: str) -> int:
    """Return how many holders a role has to ask at least; those whose keys are online answer to the others."""
    return 1 if role in ONLINE else LEAST_THRESHOLD


def expiry(at: datetime, lifetime: timedelta) -> datetime:
    """Return when a signature of this moment ends, in the whole seconds that TUF writes."""
    return at.astimezone(UTC).replace(microsecond=0) + lifetime


def signed_by(signed: S, signers: Iterable[Signer]) -> bytes:
    """Write metadata with the signature of each signer."""
    metadata = Metadata(signed)
    for signer in signers:
        add_signature(metadata, signer)
    return metadata.to_bytes()


def add_signature(metadata: Metadata[Any], signer: Signer) -> None:
    """Sign metadata once more; raise ConfigurationError where a token or key service does not."""
    try:
        metadata.sign(signer, append=True)
    except UnsignedMetadataError as error:
        cause = error.__cause__ or error
        raise ConfigurationError(
            f"The key {signer.public_key.keyid} did not sign ({type(cause).__name__}: {cause}): check its PIN and that "
            "it is within reach."
        ) from error
