"""Refuse keys and thresholds that would let fewer people decide than it seems."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from verify_service.errors import RegistryRefused
from verify_service.registry.delegation import material
from verify_service.registry.publisher.roles import least_threshold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tuf.api.metadata import Key, Role, Root, Targets


def check_holders(root: Root, targets: Targets) -> None:
    """Raise RegistryRefused where a threshold is too low or out of reach, or one key counts twice or in two roles.

    Keys are compared by their material: the same one under another id would count again.
    """
    seen: dict[bytes, list[str]] = defaultdict(list)
    for name, role, keys in _roles(root, targets):
        least = least_threshold(name)
        if role.threshold < least:
            raise RegistryRefused(f"The threshold of {name} is {role.threshold}: it takes at least {least}.")
        if len(keys) < role.threshold:
            raise RegistryRefused(
                f"The role {name} has {len(keys)} keys, too few for its threshold of {role.threshold}: name more keys."
            )
        for key in keys:
            seen[material(key)].append(name)
    for names in seen.values():
        if len(names) > 1:
            several = sorted(set(names))
            where = f"twice in {several[0]}" if len(several) == 1 else f"in {' and in '.join(several)}"
            raise RegistryRefused(f"One key stands {where}: each role and each holder needs a key of its own.")


def _roles(root: Root, targets: Targets) -> Iterator[tuple[str, Role, list[Key]]]:
    for name, role in root.roles.items():
        yield name, role, [root.keys[key_id] for key_id in role.keyids]
    delegations = targets.delegations
    for name, delegated in (delegations.roles or {}).items() if delegations else ():
        yield name, delegated, [delegations.keys[key_id] for key_id in delegated.keyids]  # type: ignore[union-attr]
