"""Build an agency's next roster from its own list, and stage the role that signs for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tuf.api.metadata import Targets

from verify_service.errors import ConfigurationError, RegistryRefused
from verify_service.registry.agency import roster_path
from verify_service.registry.identifier import KINDS
from verify_service.registry.profile import OP_CODES
from verify_service.registry.publisher.roles import HASH
from verify_service.registry.publisher.roster_summary import RosterSummary
from verify_service.registry.roster import COMPLETE, LARGEST_ROSTER, PARTIAL, RosterHeader, blinded_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from verify_service.registry.blinding import BlindingKey
    from verify_service.registry.publisher.source_entries import BadRow, SourceEntries
    from verify_service.registry.publisher.staging import Staging


@dataclass(frozen=True)
class Built:
    """A staged roster: its place in the chain, its size, and the kinds that bad lines made partial."""

    header: RosterHeader
    made_partial: Sequence[str]


def choose_key(keys: Iterable[BlindingKey], agency: str, epoch: int | None) -> BlindingKey:
    """Return an agency's blinding key of an epoch, or else its newest; raise ConfigurationError where there is none."""
    own = [key for key in keys if key.agency == agency and epoch in {None, key.epoch}]
    if not own:
        which = "" if epoch is None else f" for epoch {epoch}"
        raise ConfigurationError(f"The blinding key file has no key of {agency}{which}: make one with `blinding-key`.")
    return max(own, key=lambda key: key.epoch)


def build_roster(
    staging: Staging,
    agency: str,
    source: SourceEntries,
    key: BlindingKey,
    coverage: Mapping[str, str],
    random_bytes: Callable[[int], bytes],
) -> Built:
    """Stage a roster of the good lines; raise RegistryRefused, staging nothing, where it could not be published.

    ``coverage`` overrides what the published roster says per kind. A kind that had bad lines becomes partial: with
    its list incomplete, who is missing must not be told from who is unknown.
    """
    profile = staging.profile(agency)
    if profile.level < OP_CODES:
        raise RegistryRefused(f"{agency} is of level {profile.level}, which has no roster: raise its profile first.")
    staging.delegators(agency)
    old = staging.published_roster(agency)
    before = None if old is None else RosterSummary(staging.target_content(old)).header
    covered = _coverage(source, {**(before.coverage if before else {}), **coverage}, profile.kinds)
    partial = _left_out(source.bad, covered)
    header = RosterHeader(
        agency=agency,
        seq=1 if before is None else before.seq + 1,
        epoch=key.epoch,
        key_id=key.key_id,
        count=len(source.entries),
        prev_sha256=None if old is None else old.hashes[HASH],
        coverage={**covered, **dict.fromkeys(partial, PARTIAL)},
        issued_at=staging.at,
        synthetic=profile.synthetic,
    )
    if before is not None and header.epoch < before.epoch:
        raise RegistryRefused(f"The published roster is of epoch {before.epoch}: blind with its key or a newer one.")
    content = b"".join([header.line(), *blinded_lines(key, source.entries, random_bytes)])
    if len(content) > LARGEST_ROSTER:
        raise RegistryRefused(f"The roster would be larger than {LARGEST_ROSTER} bytes: list fewer entries.")
    path = roster_path(agency)
    staging.stage(agency, Targets(targets={path: staging.put_target(path, content)}))
    return Built(header, partial)


def _coverage(source: SourceEntries, said: Mapping[str, str], kinds: Sequence[str]) -> dict[str, str]:
    """Return the coverage of each kind that is listed or named."""
    listed = {entry.identifier.kind for entry in source.entries}
    unsaid = sorted(listed - said.keys())
    if unsaid:
        raise RegistryRefused(
            f"Nothing says whether {', '.join(unsaid)} is listed completely: give --coverage {unsaid[0]}={COMPLETE} "
            f"or {unsaid[0]}={PARTIAL}."
        )
    others = sorted(said.keys() - set(kinds))
    if others or not said:
        raise RegistryRefused(
            f"Coverage is said of {', '.join(others) or 'no kind'}; the profile names {', '.join(kinds) or 'none'}."
        )
    return dict(said)


def _left_out(bad: Iterable[BadRow], covered: Mapping[str, str]) -> list[str]:
    """Return the complete kinds that a bad line may have been of."""
    kinds = {row.kind for row in bad}
    doubtful = set(KINDS) if None in kinds else kinds
    return sorted(kind for kind, part in covered.items() if kind in doubtful and part == COMPLETE)
