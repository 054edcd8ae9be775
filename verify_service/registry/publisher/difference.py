"""Say in words how a draft differs from what is published, so that a holder knows what is being signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tuf.api.metadata import Root, Targets

from verify_service.clock import rfc3339
from verify_service.registry.agency import agency_of_profile, profile_path, roster_path
from verify_service.registry.publisher.roles import HASH
from verify_service.registry.publisher.roster_summary import RosterSummary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tuf.api.metadata import DelegatedRole, Role

    from verify_service.registry.profile import Profile
    from verify_service.registry.publisher.staging import Staging


def difference(staging: Staging, role: str, draft: Root | Targets) -> list[str]:
    """Return what a draft changes, a line each, ending with how long it will hold."""
    published = staging.published(role)
    before = None if published is None else published.signed
    if isinstance(draft, Root):
        lines = list(_roles(draft.roles, {} if before is None else before.roles))
    elif role == Targets.type:
        lines = list(_authority(staging, draft, before))
    else:
        lines = list(_agency(staging, role, draft))
    unchanged = "the same as is published" if before else "nothing yet"
    return [*(lines or [unchanged]), f"holds until {rfc3339(draft.expires)}"]


def _roles(after: Mapping[str, Role], before: Mapping[str, Role]) -> Iterator[str]:
    for name, role in after.items():
        old = before.get(name)
        yield from _keys(name, role, old)


def _keys(name: str, role: Role, old: Role | None) -> Iterator[str]:
    added = [key_id for key_id in role.keyids if old is None or key_id not in old.keyids]
    removed = [] if old is None else [key_id for key_id in old.keyids if key_id not in role.keyids]
    yield from (f"{name}: new key {key_id}" for key_id in added)
    yield from (f"{name}: key {key_id} no longer signs" for key_id in removed)
    if old is None or old.threshold != role.threshold or added or removed:
        was = "" if old is None or old.threshold == role.threshold else f", before {old.threshold}"
        yield f"{name}: {role.threshold} of {len(role.keyids)} keys have to sign{was}"


def _authority(staging: Staging, draft: Targets, before: Targets | None) -> Iterator[str]:
    codes = {agency_of_profile(path): path for signed in (before, draft) if signed for path in signed.targets}
    for agency in sorted(filter(None, codes)):
        path = profile_path(agency)
        old = staging.profile_in(before, agency) if before and path in before.targets else None
        new = staging.profile_in(draft, agency) if path in draft.targets else None
        yield from _profile(agency, old, new)
        yield from _delegation(agency, _delegated(before, agency), _delegated(draft, agency))


def _profile(agency: str, old: Profile | None, new: Profile | None) -> Iterator[str]:
    if new is None:
        yield f"{agency}: removed from the registry"
        return
    if old is None:
        yield f"{agency}: new agency"
    was, now = ({} if old is None else _shown(old)), _shown(new)
    for field, value in now.items():
        if old is None:
            yield f"{agency}: {field} {value}"
        elif was[field] != value:
            yield f"{agency}: {field} {was[field]} -> {value}"


def _shown(profile: Profile) -> dict[str, Any]:
    """Return what a holder has to see of a profile; the number an officer will be shown stands by itself."""
    callback = profile.callback
    return {
        "name": profile.name,
        "level": profile.level,
        "kinds": ", ".join(profile.kinds) or "none",
        "formats": ", ".join(f"{kind} {pattern}" for kind, pattern in sorted(profile.formats.items())) or "none",
        "synthetic": "yes" if profile.synthetic else "no",
        "CALLBACK NUMBER": callback.number if callback else "none",
        "callback source": callback.source if callback else "none",
        "callback tested on": callback.tested_on if callback else "none",
    }


def _delegated(targets: Targets | None, agency: str) -> DelegatedRole | None:
    if targets is None or targets.delegations is None or targets.delegations.roles is None:
        return None
    return targets.delegations.roles.get(agency)


def _delegation(agency: str, old: DelegatedRole | None, new: DelegatedRole | None) -> Iterator[str]:
    if new is not None:
        yield from _keys(agency, new, old)
    elif old is not None:
        yield f"{agency}: no key signs for it any more"


def _agency(staging: Staging, agency: str, draft: Targets) -> Iterator[str]:
    new, old = draft.targets.get(roster_path(agency)), staging.published_roster(agency)
    if new is None:
        yield "no roster yet" if old is None else "NO ROSTER ANY MORE"
    elif old is not None and new.hashes == old.hashes:
        # Who signs vouches for all of it, also where others had signed it: a thief of their keys perhaps.
        yield f"the same roster as is published, SHA-256 {new.hashes[HASH]}; its time alone is renewed"
        yield RosterSummary(staging.target_content(new)).words(None)[0]
    else:
        before = None if old is None else RosterSummary(staging.target_content(old))
        yield from RosterSummary(staging.target_content(new)).words(before)
