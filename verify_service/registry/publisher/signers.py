"""Find the keys that sign: a file, a hardware token, or a key service, as securesystemslib names them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.exceptions import Error as SigningError
from securesystemslib.exceptions import UnsupportedLibraryError
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import SIGNER_FOR_URI_SCHEME, CryptoSigner, HSMSigner, Key, Signer

from verify_service.errors import ConfigurationError, RegistryRefused
from verify_service.signing import canonical_bytes, sha256_hex

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from verify_service.registry.publisher.staging import Staging

    Secrets = Callable[[str], str]
    SignersOf = Callable[[str], list[Signer]]

PUBLIC_KEY_VERSION = "public-key/v1"


def open_signer(name: str, secrets: Secrets) -> Signer:
    """Return the signer of a private key, whose PIN or the like is asked of ``secrets``.

    ``name`` is a PEM file or ``file2:PATH``; ``hsm:ID?label=TOKEN`` for PKCS #11, whose library PYKCS11LIB names; or a
    public key file with the ``uri`` of a key service. Raises ConfigurationError where there is no such key.
    """
    try:
        return _opened(name, secrets)
    except UnsupportedLibraryError as error:
        raise ConfigurationError(
            f"The key {name} needs a library that is not installed ({error}): pip install verify-service[hsm], or "
            "securesystemslib with the extra of the key service."
        ) from error
    except (SigningError, UnsupportedAlgorithm, ValueError, TypeError, KeyError, RuntimeError) as error:
        # What goes wrong with a token is a RuntimeError of its library.
        raise ConfigurationError(f"The key {name} cannot be used: {error}.") from error


def _opened(name: str, secrets: Secrets) -> Signer:
    scheme = name.partition(":")[0]
    if scheme == HSMSigner.SCHEME:
        return _on_token(name, secrets)
    if scheme in SIGNER_FOR_URI_SCHEME and scheme != CryptoSigner.SCHEME:
        raise ConfigurationError(f"Name the public key file of {name}, with this as its `uri`.")
    path = Path(name.removeprefix(f"{CryptoSigner.SCHEME}:"))
    content = path.read_bytes()
    if content.lstrip().startswith(b"{"):
        key, uri = _parse(content, path)
        if uri is None:
            raise ConfigurationError(f"{path} is a public key: name its private key, or give it a `uri`.")
        return Signer.from_priv_key_uri(uri, key, secrets)
    return CryptoSigner(load_pem_private_key(content, None))


def _on_token(name: str, secrets: Secrets) -> Signer:
    parts = urlsplit(name)
    label = parse_qs(parts.query).get("label", [None])[0]

    def secrets_of_token(secret: str) -> str:
        return secrets(f"{secret} of the token {label or name}")

    uri, key = HSMSigner.import_(int(parts.path) if parts.path else None, label, secrets_of_token)
    return HSMSigner.from_priv_key_uri(uri, key, secrets_of_token)


def online_signers(staging: Staging, signers: Sequence[Signer]) -> SignersOf:
    """Return what chooses a role's signers among some, by the keys that the root names, before a change and after it.

    It raises RegistryRefused where none of them is a key of the role.
    """

    def of(role: str) -> list[Signer]:
        named = {key_id for root in staging.delegators(role) for key_id in root.get_delegated_role(role).keyids}
        chosen = [signer for signer in signers if signer.public_key.keyid in named]
        if not chosen:
            raise RegistryRefused(f"None of the keys given is one of {role}: name it with --key.")
        return chosen

    return of


def public_key_file(key: Key, uri: str | None = None) -> bytes:
    """Write a public key with the id that it has in the registry; ``uri`` says where its private key is."""
    document: dict[str, Any] = {"v": PUBLIC_KEY_VERSION, "keyid": key.keyid, **key.to_dict()}
    return canonical_bytes(document if uri is None else {**document, "uri": uri}) + b"\n"


def read_public_key(path: Path) -> Key:
    """Read a public key file; raise ConfigurationError where it is none, RegistryRefused where its id is another's."""
    return _parse(path.read_bytes(), path)[0]


def _parse(content: bytes, path: Path) -> tuple[Key, str | None]:
    try:
        document = json.loads(content)
        version, key_id, uri = document.pop("v"), document.pop("keyid"), document.pop("uri", None)
        key = Key.from_dict(key_id, document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{path} is no {PUBLIC_KEY_VERSION}: take the file that `key new` wrote.") from error
    if version != PUBLIC_KEY_VERSION:
        raise ConfigurationError(f"{path} is no {PUBLIC_KEY_VERSION}: take the file that `key new` wrote.")
    if key_id != _key_id(key):
        raise RegistryRefused(
            f"The id in {path} is not that of its key: have the holder hand the file over anew, and read its id out."
        )
    return key, uri


def _key_id(key: Key) -> str:
    """Return the id that a key is given where it is made: the digest of what it is (TUF §4.2)."""
    named = {"keytype": key.keytype, "scheme": key.scheme, "keyval": key.keyval}
    return sha256_hex(str(encode_canonical(named)).encode())
