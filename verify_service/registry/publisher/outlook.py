"""Say what is staged, what it still needs, and what will expire next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuf.api.metadata import Root, Snapshot, Targets, Timestamp

from verify_service.clock import rfc3339
from verify_service.registry.publisher.difference import difference
from verify_service.registry.publisher.signatures import counts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from tuf.api.metadata import Metadata

    from verify_service.registry.publisher.signatures import Count
    from verify_service.registry.publisher.staging import Staging

# Whoever renews later than this leaves no time to find the holders.
SOON = 1 / 3


@dataclass(frozen=True)
class StagedRole:
    """A draft, what it changes, and how far its signing has come; ``draft`` is what was described, to be signed."""

    role: str
    draft: Metadata[Any]
    changes: Sequence[str]
    counts: Sequence[Count]

    @property
    def missing(self) -> int:
        """How many signatures are wanted yet, by whichever keys ask for most."""
        return max(count.missing for count in self.counts)

    def signatures(self) -> str:
        """Say how many there are of how many."""
        signed = " and ".join(f"{count.signed} of {count.threshold}" for count in self.counts)
        return f"{signed} (by the keys before, by the keys after)" if len(self.counts) > 1 else signed

    def document(self) -> dict[str, Any]:
        """Return the draft as a JSON document."""
        wanted = [{"signed": count.signed, "threshold": count.threshold} for count in self.counts]
        return {
            "role": self.role,
            "version": self.draft.signed.version,
            "changes": list(self.changes),
            "signatures": wanted,
            "missing": self.missing,
        }


@dataclass(frozen=True)
class Expiry:
    """When a published role expires, and whether it has to be renewed now."""

    role: str
    expires: datetime
    due: bool

    def words(self) -> str:
        """Say it in a sentence."""
        return f"{self.role} expires at {rfc3339(self.expires)}{': renew it now' if self.due else ''}."


def staged_roles(staging: Staging, roles: Iterable[str] | None = None) -> list[StagedRole]:
    """Describe drafts, all of them or those named."""
    drafts = [(role, staging.draft(role)) for role in (staging.roles() if roles is None else roles)]
    return [
        StagedRole(role, draft, difference(staging, role, draft.signed), counts(staging, role, draft))
        for role, draft in drafts
    ]


def expiries(staging: Staging) -> list[Expiry]:
    """Return when each published role expires, the soonest first."""
    found = []
    for role in (Root.type, Snapshot.type, Timestamp.type, Targets.type, *_agencies(staging)):
        metadata = staging.published(role)
        if metadata is not None:
            expires = metadata.signed.expires
            found.append(Expiry(role, expires, expires - staging.at < staging.lifetimes.of(role) * SOON))
    return sorted(found, key=lambda expiry: expiry.expires)


def _agencies(staging: Staging) -> list[str]:
    targets = staging.published(Targets.type)
    delegations = None if targets is None else targets.signed.delegations
    return list(delegations.roles or {}) if delegations else []
