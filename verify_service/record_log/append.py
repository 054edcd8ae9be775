"""Describe what a request appends to a log: its drafts, its links, its retry key and the reply that it gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from verify_service.record_log.log import Subject
    from verify_service.record_log.record import Logged, SealedField


@dataclass(frozen=True)
class Draft:
    """A record before it has its place, with the values behind its digests.

    ``state`` is the subject's after it, where the composer knows it already: what the projection would make of it.
    ``alias`` is a second name under which later requests of the same batch may need the subject.
    """

    logged: Logged
    fields: tuple[SealedField, ...] = ()
    state: Any = None
    alias: str | None = None


@dataclass(frozen=True)
class Placed:
    """A record at its place in the log."""

    index: int
    logged: Logged


class Link(Protocol):
    """A row of primary data that belongs in the same transaction as records, such as a requester's code.

    Where ``ref`` names a subject, the link is that subject's state from now on, and ``alias`` its second name.
    """

    @property
    def ref(self) -> str | None:
        """The subject it is the state of, None where it is nobody's."""

    @property
    def alias(self) -> str | None:
        """A second name of that subject."""


@dataclass(frozen=True)
class Composition:
    """What one request appends; ``reply`` makes the caller's answer once the places are known.

    ``reply_of`` is the subject whose contents are in the reply, and with which it is destroyed.
    """

    drafts: tuple[Draft, ...]
    reply: Callable[[Sequence[Placed], Mapping[str, Subject]], bytes]
    links: tuple[Link, ...] = ()
    reply_of: str | None = None


@dataclass(frozen=True)
class SpentProof:
    """The digest of a proof that serves for one request alone, and the second since 1970 when it ends by itself."""

    mark: bytes
    expires: int


@dataclass(frozen=True)
class RetryKey:
    """Makes a retry safe: the blind index of (caller, route, key) and the keyed fingerprint of the body.

    ``spends`` is the proof that the request came with, which is spent in the transaction that answers it.
    """

    request: bytes
    fingerprint: bytes
    spends: SpentProof | None = None


@dataclass(frozen=True)
class Append:
    """A request to the log: the subjects it needs, and a composer that is called while the tail is held.

    ``compose(subjects)`` gets every needed subject as of this moment, earlier appends of the batch included,
    and raises a ServiceError to refuse; nothing of the request is written then.
    """

    needs: frozenset[str]
    compose: Callable[[Mapping[str, Subject]], Composition]
    key: RetryKey | None = None


@dataclass(frozen=True)
class Appended:
    """The durable result: where the records stand, and the reply, which a retry gets byte for byte."""

    reply: bytes
    placed: tuple[Placed, ...] = ()
    replayed: bool = False
