"""Stage what the trust authority decides: the root, which agencies there are, their keys and their profiles."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tuf.api.metadata import Delegations, Key, Role, Root, Targets

from verify_service.errors import RegistryRefused
from verify_service.registry.agency import profile_path, roster_path
from verify_service.registry.profile import OP_CODES, Profile
from verify_service.registry.publish import delegation
from verify_service.registry.publisher.holders import check_holders
from verify_service.registry.publisher.roles import ONLINE, TOP_LEVEL
from verify_service.signing import canonical_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from verify_service.registry.publisher.staging import Staging


@dataclass(frozen=True)
class Holders:
    """The keys of a role from now on, and how many of them have to sign."""

    keys: Sequence[Key]
    threshold: int


def init_root(staging: Staging, holders: Mapping[str, Holders]) -> list[str]:
    """Stage the first root and an authority that has no agencies yet; return the roles staged."""
    if staging.standing(Root.type) is not None:
        way = "change it with `root rotate`" if staging.published(Root.type) else "`discard` it to begin anew"
        raise RegistryRefused(f"There is a registry in {staging.folder} already: {way}.")
    targets = Targets(delegations=Delegations(keys={}, roles={}))
    root = Root(consistent_snapshot=True)
    _appoint(root, holders)
    check_holders(root, targets)
    staging.stage(Root.type, root)
    staging.stage(Targets.type, targets)
    return [Root.type, Targets.type]


def rotate_root(staging: Staging, holders: Mapping[str, Holders]) -> list[str]:
    """Stage the next root with new keys of some roles; what these roles sign has to be signed anew with it."""
    targets, root = staging.authority(), staging.standing(Root.type)
    _appoint(root, holders)
    check_holders(root, targets)
    staging.stage(Root.type, root)
    if Targets.type not in holders:
        return [Root.type]
    staging.stage(Targets.type, targets)
    return [Root.type, Targets.type]


def add_agency(staging: Staging, document: bytes, holders: Holders) -> list[str]:
    """Stage a new agency: its profile and, where it has keys, its role, yet without a roster."""
    profile, targets = read_profile(document), staging.authority()
    if profile_path(profile.agency) in targets.targets:
        raise RegistryRefused(f"The registry has {profile.agency} already: use `profile set` or `agency rotate-key`.")
    _put_profile(staging, targets, profile)
    if holders.keys:
        _delegate(targets, profile.agency, holders)
    return _stage(staging, targets, [profile.agency] if holders.keys else [])


def rotate_agency_key(staging: Staging, agency: str, holders: Holders) -> list[str]:
    """Stage new keys of an agency, and its role as it is, for these keys to sign."""
    targets = staging.authority()
    staging.profile(agency)
    _delegate(targets, agency, holders)
    return _stage(staging, targets, [agency])


def remove_agency(staging: Staging, agency: str) -> list[str]:
    """Stage that an agency is no longer in the registry; its entry in the snapshot stays."""
    targets = staging.authority()
    staging.profile(agency)
    del targets.targets[profile_path(agency)]
    _undelegate(targets, agency)
    staged = _stage(staging, targets, [])
    staging.drop(agency)
    return staged


def set_profile(staging: Staging, document: bytes) -> list[str]:
    """Stage another profile of an agency that is there."""
    profile, targets = read_profile(document), staging.authority()
    if staging.profile(profile.agency) == profile:
        raise RegistryRefused(f"This is the profile that {profile.agency} has already: nothing is to be staged.")
    _put_profile(staging, targets, profile)
    return _stage(staging, targets, [])


def renew(staging: Staging, role: str) -> list[str]:
    """Stage a role as it is, for its time to be renewed."""
    if role in ONLINE:
        raise RegistryRefused(f"The {role} is renewed with every publication, and by `timestamp`.")
    staging.delegators(role)
    if role in staging.roles():
        raise RegistryRefused(f"There is a draft of {role} already: sign and publish it.")
    signed = staging.standing(role)
    if signed is None:
        raise RegistryRefused(f"Nothing of {role} is published that could be renewed.")
    staging.stage(role, signed)
    return [role]


def read_profile(document: bytes) -> Profile:
    """Read a profile as a person writes it, JSON in any order; raise RegistryRefused where it is not sound."""
    try:
        return Profile.parse(canonical_bytes(json.loads(document)))
    except (ValueError, RecursionError) as error:
        raise RegistryRefused("The profile is not JSON.") from error


def _appoint(root: Root, holders: Mapping[str, Holders]) -> None:
    for name in TOP_LEVEL:
        if name in holders:
            chosen = holders[name]
            root.roles[name] = Role([], chosen.threshold)
            _add_keys(root, name, chosen.keys)
    used = {key_id for role in root.roles.values() for key_id in role.keyids}
    root.keys = {key_id: key for key_id, key in root.keys.items() if key_id in used}


def _delegate(targets: Targets, agency: str, holders: Holders) -> None:
    _undelegate(targets, agency)
    _roles(targets)[agency] = delegation(agency, holders.threshold)
    _add_keys(targets, agency, holders.keys)


def _undelegate(targets: Targets, agency: str) -> None:
    role = _roles(targets).pop(agency, None)
    keys = targets.delegations.keys if targets.delegations else {}
    for key_id in role.keyids if role else ():
        if not any(key_id in other.keyids for other in _roles(targets).values()):
            keys.pop(key_id, None)


def _roles(targets: Targets) -> dict[str, Any]:
    if targets.delegations is None or targets.delegations.roles is None:
        raise RegistryRefused("The trust authority does not delegate to agencies by name: restore its targets.")
    return targets.delegations.roles


def _add_keys(delegator: Root | Targets, role: str, keys: Sequence[Key]) -> None:
    for key in keys:
        if key.keyid in delegator.get_delegated_role(role).keyids:
            raise RegistryRefused(f"One key is named twice for {role}: each holder needs a key of its own.")
        delegator.add_key(key, role)


def _put_profile(staging: Staging, targets: Targets, profile: Profile) -> None:
    path = profile_path(profile.agency)
    targets.targets[path] = staging.put_target(path, profile.content())


def _stage(staging: Staging, targets: Targets, agencies: list[str]) -> list[str]:
    """Stage the authority's targets, and the roles of agencies as they are."""
    check_holders(staging.standing(Root.type), targets)
    for path in targets.targets:
        agency = path.split("/")[1]
        level = staging.profile_in(targets, agency).level
        if level >= OP_CODES and agency not in _roles(targets):
            raise RegistryRefused(
                f"{agency} is of level {level}, which takes a roster: name its keys first, by `agency rotate-key` or "
                "with `agency add`."
            )
    staging.stage(Targets.type, targets)
    for agency in agencies:
        role = staging.standing(agency)
        staged = (
            {} if role is None else {path: role.targets[path] for path in role.targets if path == roster_path(agency)}
        )
        staging.stage(agency, Targets(targets=staged))
    return [Targets.type, *agencies]
