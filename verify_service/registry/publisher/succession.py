"""Check that a draft follows what is published: its version, its roster's place in the chain, and the clock."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from verify_service.clock import rfc3339
from verify_service.errors import RegistryRefused
from verify_service.registry.agency import roster_path
from verify_service.registry.publisher.roles import HASH, TOP_LEVEL
from verify_service.registry.publisher.roster_summary import RosterSummary

if TYPE_CHECKING:
    from tuf.api.metadata import Metadata

    from verify_service.registry.publisher.staging import Staging
    from verify_service.registry.roster import RosterHeader

# The clocks of holders' machines differ a little.
CLOCK_TOLERANCE = timedelta(minutes=5)


def check_version(staging: Staging, role: str) -> None:
    """Raise RegistryRefused unless a draft is the version after the published one."""
    version, published = staging.draft(role).signed.version, staging.files.published(role)
    if version != published + 1:
        raise RegistryRefused(
            f"The draft of {role} is version {version}, but version {published} is published: stage the change anew."
        )


def check_clock(staging: Staging) -> None:
    """Raise RegistryRefused where this machine's clock is behind what the registry's own roles were signed at.

    A publisher whose clock is behind would let a client's freshness end too early, and an ahead-of-time file pass.
    """
    for role in TOP_LEVEL:
        metadata = staging.published(role)
        if metadata is not None:
            _check_time(staging, role, metadata)


def check_draft_clock(staging: Staging, role: str) -> None:
    """Raise RegistryRefused where a draft was made by a clock that is ahead of this machine's."""
    _check_time(staging, role, staging.draft(role))


def _check_time(staging: Staging, role: str, metadata: Metadata[Any]) -> None:
    # When a role was made follows from its expiry, as TUF keeps no other time.
    made = metadata.signed.expires - staging.lifetimes.of(role)
    if made > staging.at + CLOCK_TOLERANCE:
        raise RegistryRefused(
            f"This machine's clock says {rfc3339(staging.at)}, but {role} was made at {rfc3339(made)}: set the clock, "
            "or stage it anew where the other one is wrong."
        )


def check_roster(staging: Staging, agency: str) -> None:
    """Raise RegistryRefused unless an agency's staged roster is its published one or the one that follows."""
    new, old = staging.draft(agency).signed.targets.get(roster_path(agency)), staging.published_roster(agency)
    if new is None:
        if old is not None:
            raise RegistryRefused(
                f"The draft of {agency} drops its roster: publish an empty one, or remove the agency."
            )
        return
    if old is not None and old.hashes == new.hashes:
        return
    header = RosterSummary(staging.target_content(new)).header
    _check_profile(staging, agency, header)
    before = None if old is None else RosterSummary(staging.target_content(old)).header
    follows = (1, None) if old is None or before is None else (before.seq + 1, old.hashes[HASH])
    if (header.seq, header.prev_sha256) != follows:
        raise RegistryRefused(
            f"Roster {header.seq} of {agency} does not follow the published number {follows[0] - 1}: build it anew."
        )
    if before is not None and header.epoch < before.epoch:
        raise RegistryRefused(f"The roster of {agency} goes back to epoch {header.epoch}: blind it with a newer key.")
    if header.issued_at > staging.at + CLOCK_TOLERANCE:
        raise RegistryRefused(f"The roster of {agency} is of {rfc3339(header.issued_at)}, which has not come yet.")


def _check_profile(staging: Staging, agency: str, header: RosterHeader) -> None:
    profile = staging.profile(agency)
    others = header.coverage.keys() - set(profile.kinds)
    if others:
        raise RegistryRefused(
            f"The roster of {agency} lists {', '.join(sorted(others))}, which its profile does not name: build it anew."
        )
    if header.synthetic != profile.synthetic:
        raise RegistryRefused(f"Roster and profile of {agency} disagree on whether it is synthetic: build it anew.")
