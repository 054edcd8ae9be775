"""Check that the trust authority and each agency sign for their own files and for nothing else."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from verify_service.errors import RegistryRefused
from verify_service.registry.agency import agency_of_profile, is_agency_code, roster_path

if TYPE_CHECKING:
    from tuf.api.metadata import DelegatedRole, Key, Root, Targets


def check_authority(targets: Targets) -> None:
    """Raise RegistryRefused unless every file is a profile and every delegation one agency's one roster path.

    TUF itself asks the delegations that match a path in their order, so a pattern such as ``rosters/*/*`` of one
    agency would answer for another, and a roster among the authority's own files would stand before the agency's.
    """
    for path in targets.targets:
        if agency_of_profile(path) is None:
            raise RegistryRefused(f"The trust authority signs for {path!r}, which is no agency's profile.")
    if targets.delegations is None:
        return
    if targets.delegations.roles is None:
        raise RegistryRefused("The trust authority delegates to hash bins instead of to agencies by name.")
    for name, role in targets.delegations.roles.items():
        if not is_agency_code(name) or not _is_literal(name, role):
            raise RegistryRefused(
                f"The trust authority delegates to {name!r} something else than the one path of its roster, for good."
            )


def _is_literal(name: str, role: DelegatedRole) -> bool:
    return role.terminating and role.path_hash_prefixes is None and role.paths == [roster_path(name)]


def check_role(agency: str, role: Targets) -> None:
    """Raise RegistryRefused where an agency's role signs for more than its roster, or delegates further."""
    if role.delegations is not None:
        raise RegistryRefused(f"The role of {agency} delegates to others, which is not allowed.")
    if role.targets.keys() - {roster_path(agency)}:
        raise RegistryRefused(f"The role of {agency} signs for other files than its roster.")


def key_fingerprint(delegator: Root | Targets, role: str) -> str:
    """Return a digest of the public keys that may sign a role, which changes when its keys are rotated.

    Raises RegistryRefused where one key has two names: TUF's client counts names, so that whoever holds this key would
    reach a threshold of two alone.
    """
    keys = [delegator.get_key(key_id) for key_id in delegator.get_delegated_role(role).keyids]
    if len({material(key) for key in keys}) < len(keys):
        raise RegistryRefused(f"Of the keys of {role}, one has two names: name each key once.")
    lines = sorted(f"{key.scheme} {material(key).hex()}" for key in keys)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def material(key: Key) -> bytes:
    """Return what makes a key the same key, whatever its id and however it is written: capitals, blanks, line ends.

    Ed25519 is written as hexadecimal, any other key as PEM (TUF §4.2). What cannot be read can sign nothing either.
    """
    text = str(key.keyval["public"])
    try:
        if key.keytype == "ed25519":
            return bytes.fromhex(text)
        return load_pem_public_key(text.encode()).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return text.encode()
