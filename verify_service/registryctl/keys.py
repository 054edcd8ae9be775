"""``registryctl key`` and ``blinding-key``: make keys where they will be kept, and say what may leave that place."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from verify_service.errors import ConfigurationError, RegistryRefused
from verify_service.registry.agency import is_agency_code
from verify_service.registry.blinding import KEY_BYTES, BlindingKey, blinding_key_file, parse_blinding_key_file
from verify_service.registry.publisher.files import write_whole
from verify_service.registry.publisher.signers import open_signer, public_key_file
from verify_service.registry.signing_keys import new_signer, replace_private, write_private
from verify_service.registryctl.secrets import ask_secret
from verify_service.registryctl.telling import FINE, command, group, say

if TYPE_CHECKING:
    import argparse

    from verify_service.registryctl.telling import Commands


def add_commands(commands: Commands) -> None:
    """Add the commands."""
    signing = group(commands, "key", "make a holder's signing key")
    command(signing, "new", "make an Ed25519 key in FILE, for its owner alone, and FILE.pub to hand over", _new, "FILE")
    command(signing, "public", "write the public key file of a key, on a token for instance", _public, "KEY", "FILE")
    blinding = group(commands, "blinding-key", "make the keys that an agency's rosters are blinded with")
    command(blinding, "new", "make an agency's first blinding key", _blinding_new, "FILE", "AGENCY")
    command(blinding, "rotate", "add a key for the next epoch; the old one stays", _blinding_rotate, "FILE", "AGENCY")


def _new(asked: argparse.Namespace) -> int:
    # A command stands alone: nothing wires it, so it takes the machine's randomness itself.
    signer = new_signer(os.urandom)  # noqa: TID251
    public = asked.file.with_name(f"{asked.file.name}.pub")
    if public.exists():
        raise ConfigurationError(f"{public} is there already: name another file.")
    write_private(asked.file, signer.private_bytes)
    write_whole(public, public_key_file(signer.public_key))
    key_id = signer.public_key.keyid
    say(
        asked,
        {"keyid": key_id, "private": str(asked.file), "public": str(public)},
        f"Made the key {key_id} in {asked.file}: keep it where it is, and back it up where nobody else is.\n"
        f"Next: hand {public} to the trust authority, and read its id out to them.",
    )
    return FINE


def _public(asked: argparse.Namespace) -> int:
    signer = open_signer(asked.key, ask_secret())
    key = signer.public_key
    write_whole(asked.file, public_key_file(key))
    say(
        asked,
        {"keyid": key.keyid, "public": str(asked.file)},
        f"Wrote the public key {key.keyid} to {asked.file}.\n"
        "Next: hand it to the trust authority, and read its id out to them.",
    )
    return FINE


def _blinding_new(asked: argparse.Namespace) -> int:
    keys = list(parse_blinding_key_file(asked.file.read_bytes())) if asked.file.exists() else []
    if any(key.agency == asked.agency for key in keys):
        raise RegistryRefused(f"{asked.file} has a key of {asked.agency} already: use `blinding-key rotate`.")
    return _add(asked, keys, 1)


def _blinding_rotate(asked: argparse.Namespace) -> int:
    keys = list(parse_blinding_key_file(asked.file.read_bytes()))
    epochs = [key.epoch for key in keys if key.agency == asked.agency]
    if not epochs:
        raise RegistryRefused(f"{asked.file} has no key of {asked.agency}: use `blinding-key new`.")
    return _add(asked, keys, max(epochs) + 1)


def _add(asked: argparse.Namespace, keys: list[BlindingKey], epoch: int) -> int:
    if not is_agency_code(asked.agency):
        raise ConfigurationError(f"{asked.agency} is not a code such as DHS-ICE.")
    key = BlindingKey(asked.agency, epoch, os.urandom(KEY_BYTES))  # noqa: TID251 - As above.
    replace_private(asked.file, blinding_key_file([*keys, key]))
    say(
        asked,
        {"agency": asked.agency, "epoch": epoch, "key_id": key.key_id, "file": str(asked.file)},
        f"Made the blinding key {key.key_id} of {asked.agency} for epoch {epoch} in {asked.file}.\n"
        "Next: hand the file to each department in a way that nobody else can read; it takes the key in before the "
        "first roster that is blinded with it.",
    )
    return FINE
