"""Find what is gone from a log, records and sealed values, and tell what an order destroyed from what is missing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from verify_service.record_log.record import Record

EXPUNGED = "expunged"
# The names under which a body holds the digest of a sealed value.
SEALED_NAMES = frozenset(
    {"typed", "canonical", "tags", "note", "reason", "statement", "could_not_because", "words", "words_heard"}
)
# Of an access event, whom or what somebody searched for is sealed too.
NAMES_WITHOUT_SUBJECT = SEALED_NAMES | {"identifier"}
DIGEST = re.compile("[0-9a-f]{64}")


def sealed_places(value: Any, place: str = "body", names: frozenset[str] = SEALED_NAMES) -> Iterator[tuple[str, str]]:
    """Yield (place, digest) of each sealed value of a body, whether the value is still there or not.

    A place is the names on the way joined by dots, such as ``body.told_by_agent.identifier.typed``.
    """
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from sealed_places(inner, f"{place}.{name}", names)
    elif place.rpartition(".")[2] in names and isinstance(value, str) and DIGEST.fullmatch(value):
        yield place, value


def destroys_whole(record: Record) -> bool:
    """Tell whether an ``expunged`` event destroyed its subject, and not only values: then no outcome stands."""
    return record.outcome_after is None


class Absences:
    """What one log lacks, and what its orders to expunge name.

    ``named`` are the subjects whose orders name an index, ``whole`` those of them that destroyed their subject.
    """

    def __init__(self) -> None:
        self._records: dict[int, str | None] = {}
        self._values: dict[int, str | None] = {}
        self.whole: dict[int, set[str | None]] = {}
        self.named: dict[int, set[str | None]] = {}

    def lacks_record(self, index: int, subject: str | None) -> None:
        """Note an entry without its record."""
        self._records[index] = subject

    def take(self, index: int, record: Record, sealed: Collection[str]) -> None:
        """Note what a record lacks of its sealed values (``sealed``: the digests that are there) and what it names."""
        names = NAMES_WITHOUT_SUBJECT if record.subject is None else SEALED_NAMES
        if any(digest not in sealed for _, digest in sealed_places(record.body, names=names)):
            self._values[index] = record.subject
        if record.kind == EXPUNGED:
            for gone in record.facts["indexes"]:
                self.named.setdefault(gone, set()).add(record.subject)
                if destroys_whole(record):
                    self.whole.setdefault(gone, set()).add(record.subject)

    def unnamed(self, later: Sequence[Absences]) -> Iterator[tuple[int, str]]:
        """Yield (index, sentence) of all that is gone and that no order names, here or in the ``later`` logs."""
        where = (self, *later)
        for index, subject in self._records.items():
            if not any(self._excused(one.whole.get(index, set()), subject) for one in where):
                yield index, f"the record is missing and no expunge names it ({subject or 'no subject'})"
        for index, subject in self._values.items():
            # No order reaches the values of an event without a subject.
            if subject is None or not any(subject in one.named.get(index, ()) for one in where):
                sentence = "a sealed value of the record is missing and no expunge names it"
                yield index, f"{sentence} ({subject or 'no subject'})"

    def _excused(self, named: set[str | None], subject: str | None) -> bool:
        """Tell whether expunges that name a record's index are of its subject.

        A statement goes with its verification, whose own records of the same log are then gone too: an index alone may
        be another log's.
        """
        if subject is None or subject in named:
            return subject is not None
        return subject.startswith("statement:") and not named.isdisjoint(self._records.values())
