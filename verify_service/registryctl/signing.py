"""``registryctl sign``, ``export``, ``sign-bytes`` and ``import``: holders sign, here or where their key is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from verify_service.clock import rfc3339
from verify_service.registry.publisher.carried import carried, carry
from verify_service.registry.publisher.files import write_whole
from verify_service.registry.publisher.outlook import staged_roles
from verify_service.registry.publisher.signatures import exported, import_signature, sign, sign_bytes
from verify_service.registry.publisher.signers import open_signer
from verify_service.registryctl.secrets import ask_secret
from verify_service.registryctl.telling import FINE, command, judged_from, say, say_signed, staged_lines, staging_of
from verify_service.signing import sha256_hex

if TYPE_CHECKING:
    import argparse

    from verify_service.registryctl.telling import Commands


def add_commands(commands: Commands) -> None:
    """Add the commands."""
    add_sign(commands, "sign", "say what a draft changes, and sign it", "ROLE")
    command(
        commands, "export", "write the exact bytes of a draft to be signed elsewhere", _export, "DIR", "ROLE", "FILE"
    )
    elsewhere = command(
        commands, "sign-bytes", "sign exported bytes on the machine that has the key", _elsewhere, "FILE"
    )
    elsewhere.add_argument("--key", metavar="KEY", required=True)
    elsewhere.add_argument("--out", metavar="SIGNATURE", type=Path, required=True, help="the file to bring back")
    command(commands, "import", "add a signature made elsewhere to a draft", _import, "DIR", "ROLE", "SIGNATURE")


def add_sign(commands: Commands, name: str, purpose: str, whose: str) -> None:
    """Add a command that signs."""
    signed = command(commands, name, purpose, _sign, "DIR", whose)
    signed.add_argument("--key", metavar="KEY", action="append", required=True, help="again for each holder here")


def _sign(asked: argparse.Namespace) -> int:
    staging, role = staging_of(asked), getattr(asked, "role", None) or asked.agency
    (staged,) = staged_roles(staging, [role])
    if not asked.json:
        # Before any key is opened, so that a holder who is asked for a PIN knows what for; and this alone is signed.
        print("\n".join([*judged_from(asked, staging), *staged_lines(staged)]))
    secrets = ask_secret()
    sign(staging, role, staged.draft, [open_signer(name, secrets) for name in asked.key])
    return say_signed(asked, staging, role, f"Signed {role} with {len(asked.key)} of its keys.")


def _export(asked: argparse.Namespace) -> int:
    staging = staging_of(asked)
    (staged,) = staged_roles(staging, [asked.role])
    content = staged.draft.signed_bytes
    write_whole(asked.file, content)
    folder = carry(staging, staged.draft.signed, asked.file)
    digest = sha256_hex(content)
    following = (
        f"registryctl sign-bytes {asked.file} --key KEY --out SIGNATURE, where the key is, with {folder} beside it; "
        "compare the SHA-256"
    )
    say(
        asked,
        {**staged.document(), "file": str(asked.file), "sha256": digest, "next": following},
        "\n".join(
            [
                *judged_from(asked, staging),
                *staged_lines(staged),
                f"Wrote these bytes to {asked.file}, SHA-256 {digest}, and the files that they name to {folder}.",
                f"Next: {following}",
            ]
        ),
    )
    return FINE


def _elsewhere(asked: argparse.Namespace) -> int:
    content = asked.file.read_bytes()
    signed = exported(content)
    digest, expires = sha256_hex(content), rfc3339(signed.expires)
    named = ", ".join(sorted(getattr(signed, "targets", None) or getattr(signed, "roles", {}))) or "no file"
    what = f"version {signed.version} of a {signed.type} role, which holds until {expires} and names {named}"
    contents = list(carried(signed, asked.file))
    if not asked.json:
        lines = [f"This is {what}. SHA-256 {digest}: compare it with what `export` said.", *contents]
        print("\n".join(lines))
    signer = open_signer(asked.key, ask_secret())
    write_whole(asked.out, sign_bytes(content, signer))
    say(
        asked,
        {
            "sha256": digest,
            "version": signed.version,
            "expires": expires,
            "contents": contents,
            "signature": str(asked.out),
        },
        f"Signed with {signer.public_key.keyid}.\nNext: registryctl import DIR ROLE {asked.out}, where it was exported",
    )
    return FINE


def _import(asked: argparse.Namespace) -> int:
    staging = staging_of(asked)
    import_signature(staging, asked.role, asked.signature.read_bytes())
    return say_signed(asked, staging, asked.role, f"Added a signature to the draft of {asked.role}.")
