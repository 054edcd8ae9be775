"""Write records, their commitments and their sealed fields, byte for byte as they are hashed and kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import orjson

from verify_service.signing import canonical_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

RECORD_V1 = "record/v1"
STATEMENT_V1 = "statement/v1"
NONCE_BYTES = 32
ENTRY_V1 = b"\x01"
COMMIT_DOMAIN = b"officer-verify/commit/v1\0"
FIELD_DOMAIN = b"officer-verify/field/v1\0"


@dataclass(frozen=True, kw_only=True)
class Record:
    """Record v1: one event's envelope and body, named as in the JSON that is hashed.

    Times are RFC 3339 UTC with milliseconds, digests lower-case hexadecimal, absent values None. ``subject``
    is ``verification:<id>``, ``incident:<id>`` or None; ``seq`` counts the subject's events from 0 and ``prev``
    is the commitment of the one before.
    """

    kind: str
    department: str
    received_at: str
    subject: str | None = None
    seq: int | None = None
    prev: str | None = None
    actor: Mapping[str, Any] | None = None
    client: Mapping[str, Any] | None = None
    relayed_by: str | None = None
    occurred_at: str | None = None
    device_at: str | None = None
    device_offset_ms: int | None = None
    checked_at: str | None = None
    offline: bool | None = None
    rules: Mapping[str, Any] | None = None
    outcome_after: str | None = None
    body: Mapping[str, Any] | None = None
    v: str = RECORD_V1

    def at(self, seq: int, prev: str | None) -> Record:
        """Return the record at its place among its subject's events."""
        return self if self.subject is None else replace(self, seq=seq, prev=prev)

    @property
    def facts(self) -> Mapping[str, Any]:
        """The body; raise ValueError where the kind has none."""
        if self.body is None:
            raise ValueError(f"a record of kind {self.kind} has no body")
        return self.body

    def encode(self) -> bytes:
        """Return the bytes that are hashed and kept (RFC 8785)."""
        return canonical_bytes(_document(self))


@dataclass(frozen=True, kw_only=True)
class Statement:
    """Statement v1: what the person who asked is told; nothing in it leads to the case or the officer.

    ``time`` is cut to the minute; ``replaces`` is the ``seq`` of the statement before, or None.
    """

    department: str
    agency: str
    outcome: str
    time: str
    receipt_number: str
    seq: int = 0
    replaces: int | None = None
    v: str = STATEMENT_V1

    @property
    def subject(self) -> str:
        """The name that its entries are counted under; it is not in the bytes."""
        return f"statement:{self.receipt_number}"

    def at(self, seq: int, prev: str | None) -> Statement:  # noqa: ARG002 - A statement has no prev.
        """Return the statement at its place among those with its receipt number."""
        return replace(self, seq=seq, replaces=seq - 1 if seq else None)

    def encode(self) -> bytes:
        """Return the bytes that are hashed and kept (RFC 8785)."""
        return canonical_bytes(_document(self))


Logged = Record | Statement
FIELDS = {shape.v: frozenset(field.name for field in fields(shape)) for shape in (Record, Statement)}


def cover(department: str, received_at: str) -> Record:
    """Make the record of a cover entry, which only fills the public log to whole bundles."""
    return Record(kind="cover", department=department, received_at=received_at)


def parse_record(content: bytes) -> Logged:
    """Read kept bytes back; raise ValueError where they are neither record v1 nor statement v1."""
    document = orjson.loads(content)
    version = str(document.get("v")) if isinstance(document, dict) else ""
    shape: Callable[..., Logged] | None = {RECORD_V1: Record, STATEMENT_V1: Statement}.get(version)
    if shape is None:
        raise ValueError(f"no known record format: {version!r}")
    if document.keys() != FIELDS[version]:
        raise ValueError(f"a {version} document has every field of its format and no other")
    return shape(**document)


def commitment(nonce: bytes, record: bytes) -> bytes:
    """Return what the log holds instead of a record; without the nonce a guess of the record cannot be tried."""
    return hashlib.sha256(COMMIT_DOMAIN + nonce + record).digest()


def entry_of(nonce: bytes, record: bytes) -> bytes:
    """Return the 33-byte log entry of a record."""
    return ENTRY_V1 + commitment(nonce, record)


@dataclass(frozen=True)
class SealedField:
    """A value that a body holds only as a salted digest, so that it is disclosed or destroyed alone."""

    value: Any
    salt: bytes

    @cached_property
    def digest(self) -> str:
        """The digest that stands in the body: SHA-256 over domain, salt and the value's RFC 8785 JSON."""
        return hashlib.sha256(FIELD_DOMAIN + self.salt + canonical_bytes(self.value)).hexdigest()


def pack_fields(sealed: Iterable[SealedField]) -> bytes:
    """Write sealed fields, by digest, for the vault."""
    return canonical_bytes({field.digest: {"salt": field.salt.hex(), "value": field.value} for field in sealed})


def unpack_fields(content: bytes) -> dict[str, SealedField]:
    """Read what ``pack_fields`` wrote."""
    packed = orjson.loads(content)
    return {digest: SealedField(f["value"], bytes.fromhex(f["salt"])) for digest, f in packed.items()}


def _document(logged: Logged) -> dict[str, Any]:
    return {field.name: getattr(logged, field.name) for field in fields(logged)}
