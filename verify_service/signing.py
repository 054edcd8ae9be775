"""Write canonical bytes, hash them, and sign and check C2SP signed notes."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from verify_service.errors import PolicyMalformed, ReceiptMalformed, SignatureInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

_CANONICAL = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
ED25519 = 0x01
SIGNATURE_MARK = "— "
KEY_ID_BYTES = 4


def canonical_bytes(document: Any) -> bytes:
    """Write a JSON document in the one form that is hashed (RFC 8785).

    The document has ASCII names and no floats: for these orjson writes the same bytes as an RFC 8785 library in a
    hundredth of the time, which a property test compares. Raises ValueError for lone surrogates and integers past
    2^53.
    """
    try:
        return orjson.dumps(document, option=_CANONICAL)
    except TypeError as error:
        raise ValueError(str(error)) from error


def sha256_hex(content: bytes) -> str:
    """Return the lower-case hexadecimal SHA-256 of some bytes."""
    return hashlib.sha256(content).hexdigest()


def b64(content: bytes) -> str:
    """Write standard padded base64 (RFC 4648 §4)."""
    return base64.b64encode(content).decode("ascii")


def unb64(text: str) -> bytes:
    """Read standard padded base64; raise ValueError for anything that would not be written the same way."""
    content = base64.b64decode(text, validate=True)
    if b64(content) != text:
        raise ValueError(f"{text!r} is not canonical base64")
    return content


@dataclass(frozen=True)
class NoteKey:
    """A named Ed25519 public key that checks signed notes (C2SP signed-note v1.0.0)."""

    TYPE: ClassVar[int] = ED25519

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that a signature line starts with."""
        content = self.name.encode() + b"\n" + bytes([self.TYPE]) + self.public
        return hashlib.sha256(content).digest()[:KEY_ID_BYTES]

    @property
    def vkey(self) -> str:
        """The key as text: name, key id and material joined by plus signs."""
        return f"{self.name}+{self.key_id.hex()}+{b64(bytes([self.TYPE]) + self.public)}"

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read a vkey; raise PolicyMalformed where it is of another type or its key id is not its own."""
        name, _, rest = vkey.partition("+")
        hexadecimal, _, material = rest.partition("+")
        try:
            key = unb64(material)
        except ValueError as error:
            raise PolicyMalformed(f"The key of {name!r} is not base64.") from error
        if len(key) != 1 + 32 or key[0] != cls.TYPE:
            raise PolicyMalformed(f"The key of {name!r} is not an Ed25519 key of type 0x{cls.TYPE:02x}.")
        parsed = cls(name, key[1:])
        if parsed.key_id.hex() != hexadecimal:
            raise PolicyMalformed(f"The key of {name!r} says id {hexadecimal}, but its own is {parsed.key_id.hex()}.")
        return parsed

    def check(self, text: str, signature: bytes) -> None:
        """Raise SignatureInvalid unless ``signature`` is this key's over the note text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature as error:
            raise SignatureInvalid(f"The signature of {self.name} does not fit the text.") from error


Key = TypeVar("Key", bound=NoteKey)


@dataclass(frozen=True)
class NoteSigner:
    """A named Ed25519 private key that signs notes."""

    name: str
    private: Ed25519PrivateKey

    @cached_property
    def key(self) -> NoteKey:
        """The public half, for checkers."""
        return NoteKey(self.name, self.private.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """Return the whole note: the text, an empty line and this key's signature line.

        ``text`` ends in a newline, as C2SP signed-note asks.
        """
        return f"{text}\n{self.line(text)}"

    def line(self, text: str) -> str:
        """Return this key's signature line over a note's text."""
        return signature_line(self.key, self.private.sign(text.encode()))

    @property
    def key_id(self) -> bytes:
        """The four bytes that a signature line starts with."""
        return self.key.key_id


def signature_line(key: NoteKey, signature: bytes) -> str:
    """Return a key's line of a note's signature block."""
    return f"{SIGNATURE_MARK}{key.name} {b64(key.key_id + signature)}\n"


@dataclass(frozen=True)
class Note:
    """A parsed, not yet checked, signed note: its text and (name, key id, signature) of each line."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]

    @classmethod
    def parse(cls, note: str) -> Note:
        """Split a note at its last empty line; raise ReceiptMalformed where it is not well formed."""
        if any(ord(character) < 0x20 and character != "\n" for character in note):  # noqa: PLR2004
            raise ReceiptMalformed("The signed note has a control character.")
        text, mark, tail = note.rpartition("\n\n")
        if not mark or not tail.endswith("\n"):
            raise ReceiptMalformed("The signed note has no signature block.")
        return cls(text + "\n", tuple(_signature_line(line) for line in tail[:-1].split("\n")))

    def check(self, keys: Iterable[Key]) -> dict[Key, bytes]:
        """Return the known keys that signed, each with its signature; a known key's bad signature spoils the note.

        Lines of unknown keys are passed over, as C2SP signed-note §Signatures asks. Raises SignatureInvalid.
        """
        known = {(key.name, key.key_id): key for key in keys}
        signed = {}
        for name, key_id, signature in self.signatures:
            key = known.get((name, key_id))
            if key is not None:
                key.check(self.text, signature)
                signed[key] = signature
        return signed


def _signature_line(line: str) -> tuple[str, bytes, bytes]:
    name, space, encoded = line.removeprefix(SIGNATURE_MARK).partition(" ")
    if not line.startswith(SIGNATURE_MARK) or not space or not name or "+" in name:
        raise ReceiptMalformed(f"{line!r} is not a signature line.")
    try:
        signature = unb64(encoded)
    except ValueError as error:
        raise ReceiptMalformed(f"The signature of {name} is not base64.") from error
    if len(signature) <= KEY_ID_BYTES:
        raise ReceiptMalformed(f"The signature of {name} is too short.")
    return name, signature[:KEY_ID_BYTES], signature[KEY_ID_BYTES:]
