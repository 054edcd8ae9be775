"""Judge checkpoints by a trust policy: the logs and the witnesses that a checker trusts (C2SP tlog-policy).

Two lines of ours bound the term of a log's key: `after VKEY SIZE TIME` and `until VKEY SIZE TIME`. A reader that knows
the plain format alone refuses a file that has them, rather than trust a retired key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from verify_service.errors import (
    LogNotTrusted,
    PolicyMalformed,
    QuorumMissing,
    ReceiptMalformed,
    SignatureInvalid,
)
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.cosignature import WitnessKey, cosigned_at
from verify_service.record_log.term import ALWAYS, Bound, Term
from verify_service.signing import NoteKey

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from verify_service.signing import Note

NO_QUORUM = "none"
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Witness:
    """A witness by its name in the policy; ``url`` is its submission prefix, where it is known."""

    name: str
    key: WitnessKey
    url: str | None = None


@dataclass(frozen=True)
class Group:
    """Witnesses or other groups, and how many of them must have cosigned."""

    needed: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Accepted:
    """A checkpoint that a policy accepts, and when each of its witnesses cosigned, by the witness's name."""

    checkpoint: Checkpoint
    cosigned: Mapping[str, datetime]


@dataclass(frozen=True)
class TrustPolicy:
    """The logs accepted by origin, and the witness or group that must have cosigned.

    ``terms`` bounds what a log's key signs; a key that it leaves out signs always.
    """

    logs: tuple[NoteKey, ...] = ()
    terms: Mapping[NoteKey, Term] = field(default_factory=dict)
    witnesses: Mapping[str, Witness] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    quorum: str = NO_QUORUM

    def keys_of(self, origin: str) -> list[NoteKey]:
        """Return the keys that sign for an origin or did, none where the log is not named."""
        return [key for key in self.logs if key.name == origin]

    def term(self, key: NoteKey) -> Term:
        """Return which checkpoints a key signs."""
        return self.terms.get(key, ALWAYS)

    def signing(self, origin: str, size: int) -> list[NoteKey]:
        """Return the keys that an origin's checkpoint of a size is signed with."""
        return [key for key in self.keys_of(origin) if self.term(key).covers(size)]

    def accept(self, text: str) -> Accepted:
        """Return a signed checkpoint with its witnesses.

        Raises ReceiptMalformed, LogNotTrusted, SignatureInvalid, or QuorumMissing where too few witnesses cosigned.
        """
        accepted = self.accept_signed(text)
        if not self.witnessed(accepted.cosigned):
            seen = ", ".join(sorted(accepted.cosigned)) or "none of them"
            raise QuorumMissing(
                f"The policy asks the quorum {self.quorum}, and of its witnesses {seen} cosigned the checkpoint of "
                f"{accepted.checkpoint.size} entries: ask for a receipt that is witnessed."
            )
        return accepted

    def accept_signed(self, text: str) -> Accepted:
        """Return a signed checkpoint as ``accept`` does, however few witnesses have cosigned it.

        One key in its term is enough; a bad signature of any key that the log ever had spoils the checkpoint.
        """
        checkpoint, note = Checkpoint.parse(text)
        keys = self.keys_of(checkpoint.origin)
        if not keys:
            raise LogNotTrusted(f"The policy does not name the log {checkpoint.origin}.")
        signed = note.check(keys)
        if not signed:
            raise SignatureInvalid(f"No key that the policy gives for {checkpoint.origin} signed this checkpoint.")
        if not any(self.term(key).covers(checkpoint.size) for key in signed):
            whys = [f"its key {key.key_id.hex()} {self.term(key).refusal(checkpoint.size)}" for key in signed]
            raise SignatureInvalid(
                f"No key of {checkpoint.origin} vouches for this checkpoint of {checkpoint.size} entries: "
                f"{'; '.join(whys)}. Ask the department for it with the signature of a key that the policy gives for "
                "that size."
            )
        return Accepted(checkpoint, self.cosigned(note))

    def cosigned(self, note: Note) -> dict[str, datetime]:
        """Return the witnesses that cosigned, by name; raise SignatureInvalid where one's cosignature is bad."""
        names = {witness.key: witness.name for witness in self.witnesses.values()}
        return {names[key]: cosigned_at(signature) for key, signature in note.check(names).items()}

    def witnessed(self, cosigned: Collection[str]) -> bool:
        """Say whether these witnesses are the quorum."""
        return self.quorum == NO_QUORUM or self._witnessed(self.quorum, cosigned)

    def _witnessed(self, name: str, cosigned: Collection[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in cosigned
        return sum(self._witnessed(member, cosigned) for member in group.members) >= group.needed

    @classmethod
    def parse(cls, text: str) -> TrustPolicy:
        """Read a policy file; raise PolicyMalformed with the line's number and what is wrong with it."""
        reading = _Reading()
        for number, line in enumerate(text.split("\n"), start=1):
            try:
                reading.take(line)
            except (PolicyMalformed, ReceiptMalformed) as fault:
                raise PolicyMalformed(f"Line {number} of the policy, {line!r}: {fault.detail}") from fault
        if reading.quorum is None:
            raise PolicyMalformed("The policy has no quorum line; `quorum none` asks for no witness.")
        return cls(tuple(reading.logs), reading.terms, reading.witnesses, reading.groups, reading.quorum)

    def text(self) -> str:
        """Write the policy as a file for checkers, who need no witness's address."""
        lines = [line for key in self.logs for line in (f"log {key.vkey}", *self._bounds(key))]
        lines += [f"witness {witness.name} {witness.key.vkey}" for witness in self.witnesses.values()]
        lines += [f"group {name} {group.needed} {' '.join(group.members)}" for name, group in self.groups.items()]
        return "\n".join([*lines, f"quorum {self.quorum}", ""])

    def _bounds(self, key: NoteKey) -> list[str]:
        term = self.term(key)
        bounds = {"after": term.after, "until": term.until}
        return [f"{word} {key.vkey} {bound}" for word, bound in bounds.items() if bound is not None]


class _Reading:
    """What the lines of a policy file have said so far."""

    def __init__(self) -> None:
        self.logs: list[NoteKey] = []
        self.terms: dict[NoteKey, Term] = {}
        self.witnesses: dict[str, Witness] = {}
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None
        self._grouped: set[str] = set()

    def take(self, line: str) -> None:
        if CONTROL.search(line):
            raise PolicyMalformed("a control character stands in it.")
        stripped = line.strip(" \t")
        if stripped and not stripped.startswith("#"):
            self._take(re.split("[ \t]+", stripped))

    def _take(self, words: list[str]) -> None:
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                key = NoteKey.parse(vkey)
                if key.public in {known.public for known in self.logs}:
                    raise PolicyMalformed("another log line has the same public key.")
                self.logs.append(key)
            case ["after" | "until" as word, vkey, size, moment]:
                self._bound(word, NoteKey.parse(vkey), Bound.parse(size, moment))
            case ["witness", name, vkey, *url] if len(url) <= 1:
                witness = Witness(self._new(name), WitnessKey.parse(vkey), url[0] if url else None)
                if witness.key.public in {known.key.public for known in self.witnesses.values()}:
                    raise PolicyMalformed("another witness line has the same public key.")
                self.witnesses[name] = witness
            case ["group", name, needed, *members] if members:
                self.groups[self._new(name)] = Group(_threshold(needed, len(members)), self._free(members))
            case ["quorum", name] if self.quorum is None:
                if name != NO_QUORUM and not self._defined(name):
                    raise PolicyMalformed(f"{name!r} names no witness or group defined above it.")
                self.quorum = name
            case _:
                raise PolicyMalformed("this checker knows no such line here.")

    def _bound(self, word: str, key: NoteKey, bound: Bound) -> None:
        """Bound the term of a log's key, once on each side."""
        term = self.terms.get(key, ALWAYS)
        if key not in self.logs:
            raise PolicyMalformed("no log line above it has this key.")
        if getattr(term, word) is not None:
            raise PolicyMalformed(f"this key has such a line already: leave one `{word}`.")
        term = replace(term, **{word: bound})
        if term.after is not None and term.until is not None and term.until.size < term.after.size:
            raise PolicyMalformed("this key ends before it begins.")
        self.terms[key] = term

    def _defined(self, name: str) -> bool:
        return name in self.witnesses or name in self.groups

    def _new(self, name: str) -> str:
        if name == NO_QUORUM or self._defined(name):
            raise PolicyMalformed(f"{name!r} is taken: give another name.")
        return name

    def _free(self, members: list[str]) -> tuple[str, ...]:
        """Check members of a group: each is defined, and none is counted twice."""
        for member in members:
            if not self._defined(member):
                raise PolicyMalformed(f"{member!r} names no witness or group defined above it.")
            if member in self._grouped:
                raise PolicyMalformed(f"{member!r} is a member already: each counts once.")
            self._grouped.add(member)
        return tuple(members)


def _threshold(needed: str, members: int) -> int:
    least = {"any": 1, "all": members}.get(needed)
    if least is None:
        least = int(needed) if re.fullmatch("[1-9][0-9]{0,3}", needed) else 0
    if not 1 <= least <= members:
        raise PolicyMalformed(f"{needed!r} of {members} members cannot be asked: write any, all or a number.")
    return least
