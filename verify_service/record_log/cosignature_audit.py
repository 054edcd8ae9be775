"""Check what is kept of witnesses: each cosignature over the checkpoint it names, and not from before its records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.clock import parse_rfc3339
from verify_service.errors import EvidenceFault
from verify_service.record_log.cosignature import WitnessKey, cosigned_at
from verify_service.record_log.witnessing import CLOCKS_DIFFER
from verify_service.signing import Note

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verify_service.record_log.log import StoredCheckpoint


@dataclass(frozen=True)
class KeptCosignature:
    """A witness's signature line over the checkpoint of a size."""

    size: int
    vkey: str
    line: str

    @property
    def witness(self) -> str:
        """The witness's name, as its key gives it."""
        return self.vkey.partition("+")[0]


class CosignatureAudit:
    """One log's cosignatures, by size, beside its checkpoints in the same order."""

    def __init__(self, kept: Iterator[KeptCosignature]) -> None:
        self._kept = kept
        self._next = next(kept, None)

    def check(self, checkpoint: StoredCheckpoint, newest: str) -> Iterator[tuple[int, str]]:
        """Yield (size, sentence) of each fault up to a checkpoint; ``newest`` is when its newest record was received.

        That is empty where none of its records can be opened.
        """
        yield from self._strays(checkpoint.size)
        lines = []
        while self._next is not None and self._next.size == checkpoint.size:
            fault = _fault(self._next, checkpoint, newest)
            if fault:
                yield checkpoint.size, f"the cosignature of {self._next.witness} {fault}"
            lines.append(self._next.line)
            self._next = next(self._kept, None)
        witnessed = (checkpoint.witnessed or checkpoint.note).removeprefix(checkpoint.note)
        if any(line not in lines for line in witnessed.splitlines(keepends=True)):
            yield checkpoint.size, "what is kept as witnessed has a cosignature that no witness is known to have made"

    def finish(self) -> Iterator[tuple[int, str]]:
        """Yield (size, sentence) of each cosignature past the last checkpoint."""
        return self._strays(None)

    def _strays(self, size: int | None) -> Iterator[tuple[int, str]]:
        while self._next is not None and (size is None or self._next.size < size):
            yield self._next.size, f"the cosignature of {self._next.witness} is of a checkpoint that is not here"
            self._next = next(self._kept, None)


def _fault(kept: KeptCosignature, checkpoint: StoredCheckpoint, newest: str) -> str | None:
    try:
        key = WitnessKey.parse(kept.vkey)
        signature = Note.parse(checkpoint.note + kept.line).check([key]).get(key)
    except EvidenceFault as error:
        return f"does not verify: {error}"
    if signature is None:
        return "does not verify: its line is of another key"
    # A witness's clock may be as much behind as was let pass when it cosigned.
    if newest and cosigned_at(signature) + CLOCKS_DIFFER < parse_rfc3339(newest):
        return f"is from before the checkpoint's records, of which the newest is of {newest}"
    return None
