"""Write and seal a request's records before the tail is held, on the subjects as they seem to stand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from verify_service.record_log.log import Subject
from verify_service.record_log.record import NONCE_BYTES, entry_of, pack_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from verify_service.record_log.append import Append, Composition, Draft, Link
    from verify_service.record_log.log import LogId, Projection
    from verify_service.record_log.record import Logged
    from verify_service.vault import Sealed, Vault


@dataclass(frozen=True)
class Written:
    """A record that is complete and sealed, but for its index in the log, which nothing in it depends on."""

    logged: Logged
    entry: bytes
    sealed: Sealed


@dataclass(frozen=True)
class Proposal:
    """What a request would append.

    It holds while every subject it was composed on still stands where ``assumed`` says (name → ref and ``seq``).
    ``changed`` are the subjects after it, ``names`` the further names it gives them.
    """

    assumed: Mapping[str, tuple[str, int]]
    composition: Composition
    written: Sequence[Written]
    changed: Mapping[str, Subject]
    names: Mapping[str, str]

    def holds(self, subjects: Mapping[str, Subject]) -> bool:
        """Tell whether the subjects still stand as assumed."""
        return all((subjects[name].ref, subjects[name].seq) == place for name, place in self.assumed.items())


class Scribe:
    """Writes the records of one log."""

    def __init__(self, log: LogId, vault: Vault, projection: Projection, random_bytes: Callable[[int], bytes]) -> None:
        self._log = log
        self._vault = vault
        self._projection = projection
        self._random_bytes = random_bytes

    def propose(self, append: Append, subjects: Mapping[str, Subject]) -> Proposal:
        """Compose a request on its subjects, by the names it needs them under; raise what its composer raises."""
        composition = append.compose(subjects)
        changed = {subject.ref: subject for subject in subjects.values()}
        names: dict[str, str] = {}
        touched: set[str] = set()
        written = []
        for draft in composition.drafts:
            record, after = self.write(draft, changed)
            written.append(record)
            if after is not None:
                changed[after.ref] = after
                touched.add(after.ref)
                if draft.alias is not None:
                    names[draft.alias] = after.ref
        for link in composition.links:
            touched |= _link(link, changed, names)
        return Proposal(
            assumed={name: (subject.ref, subject.seq) for name, subject in subjects.items()},
            composition=composition,
            written=written,
            changed={ref: changed[ref] for ref in touched},
            names=names,
        )

    def write(self, draft: Draft, subjects: Mapping[str, Subject]) -> tuple[Written, Subject | None]:
        """Give a record its place among its subject's events, commit to it and seal it."""
        ref = draft.logged.subject
        subject = None if ref is None else subjects.get(ref, Subject(ref))
        logged = draft.logged if subject is None else draft.logged.at(subject.seq, subject.prev)
        content, nonce = logged.encode(), self._random_bytes(NONCE_BYTES)
        entry = entry_of(nonce, content)
        parts = (nonce + content, pack_fields(draft.fields))
        written = Written(logged, entry, self._vault.seal(self._log.department, record_place(self._log, entry), parts))
        if subject is None:
            return written, None
        state = self._projection.fold(subject.state, logged) if draft.state is None else draft.state
        return written, Subject(subject.ref, subject.seq + 1, entry[1:].hex(), state)


def record_place(log: LogId, entry: bytes) -> str:
    """Name a record's row to the vault: by its entry, so that it is sealed before its index is known."""
    return f"record/{log.name}/{entry.hex()}"


def _link(link: Link, subjects: dict[str, Subject], names: dict[str, str]) -> set[str]:
    if link.ref is None:
        return set()
    subjects[link.ref] = replace(subjects.get(link.ref, Subject(link.ref)), state=link)
    if link.alias is not None:
        names[link.alias] = link.ref
    return {link.ref}
