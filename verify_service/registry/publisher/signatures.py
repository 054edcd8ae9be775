"""Add signatures to drafts, here or from another machine, and count which are still wanted."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from securesystemslib.exceptions import UnverifiedSignatureError
from securesystemslib.signer import Key, Signature, Signer
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata
from tuf.api.serialization.json import CanonicalJSONSerializer

from verify_service.errors import RegistryRefused
from verify_service.registry.publisher.roles import add_signature
from verify_service.signing import canonical_bytes, sha256_hex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tuf.api.metadata import Root, Targets

    from verify_service.registry.publisher.staging import Staging

SIGNATURE_VERSION = "signature/v1"


@dataclass(frozen=True)
class Count:
    """How many of a role's keys have signed, of how many that have to; twice where its keys change."""

    signed: int
    threshold: int

    @property
    def missing(self) -> int:
        """How many signatures are still wanted."""
        return max(0, self.threshold - self.signed)


def counts(staging: Staging, role: str, draft: Metadata[Any]) -> list[Count]:
    """Count a draft's good signatures by the keys of each who delegates to it, the old root first."""
    results = [
        delegator.get_verification_result(role, draft.signed_bytes, draft.signatures)
        for delegator in staging.delegators(role)
    ]
    return [Count(len(result.signed), result.threshold) for result in results]


def sign(staging: Staging, role: str, draft: Metadata[Any], signers: Sequence[Signer]) -> None:
    """Sign the draft that a holder was shown with keys of its role.

    Raises RegistryRefused, adding none, where a key is not of the role, or where another draft is staged by now.
    """
    for signer in signers:
        _require_key_of(staging, role, signer.public_key.keyid)
    shown = Metadata(draft.signed)
    for signer in signers:
        add_signature(shown, signer)
    staging.add_signatures(role, shown)


def sign_bytes(content: bytes, signer: Signer) -> bytes:
    """Sign exported bytes and return a signature file; raise RegistryRefused where they are no role's."""
    metadata: Metadata[Any] = Metadata(exported(content))
    add_signature(metadata, signer)
    (signature,) = metadata.signatures.values()
    return canonical_bytes(
        {
            "v": SIGNATURE_VERSION,
            "keyid": signature.keyid,
            "sig": signature.signature,
            "sha256": sha256_hex(content),
        }
    )


def exported(content: bytes) -> Root | Targets:
    """Read what ``export`` wrote; raise RegistryRefused unless these are the exact bytes that a role signs."""
    try:
        signed = Metadata.from_dict({"signed": json.loads(content), "signatures": []}).signed
        exact = CanonicalJSONSerializer().serialize(signed) == content
    except (RepositoryError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RegistryRefused("These are no bytes of a role to be signed: export them anew.") from error
    if not exact or signed.type not in {"root", "targets"}:
        raise RegistryRefused("These are no exact bytes of root, targets or an agency: export them anew.")
    return signed


def import_signature(staging: Staging, role: str, content: bytes) -> None:
    """Add a signature made elsewhere; raise RegistryRefused unless a key of the role made it over this draft."""
    try:
        document: dict[str, Any] = json.loads(content)
        version, key_id, text, digest = (document[name] for name in ("v", "keyid", "sig", "sha256"))
        signature = Signature(key_id, text)
    except (ValueError, KeyError, TypeError) as error:
        raise RegistryRefused(f"This is no {SIGNATURE_VERSION}: take the file that `sign-bytes` wrote.") from error
    if version != SIGNATURE_VERSION:
        raise RegistryRefused(f"This is no {SIGNATURE_VERSION}: take the file that `sign-bytes` wrote.")
    draft = staging.draft(role)
    if digest != sha256_hex(draft.signed_bytes):
        raise RegistryRefused(f"This signature is over other bytes than the draft of {role}: export and sign it anew.")
    try:
        _require_key_of(staging, role, key_id).verify_signature(signature, draft.signed_bytes)
    except UnverifiedSignatureError as error:
        raise RegistryRefused(f"This signature does not fit its key and the draft of {role}: sign it anew.") from error
    draft.signatures = {key_id: signature}
    staging.add_signatures(role, draft)


def _require_key_of(staging: Staging, role: str, key_id: str) -> Key:
    for delegator in staging.delegators(role):
        if key_id in delegator.get_delegated_role(role).keyids:
            return delegator.get_key(key_id)
    raise RegistryRefused(f"The key {key_id} is none of the keys of {role}: name one of them.")
