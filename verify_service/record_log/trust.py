"""Read the trust policy: which logs a checker accepts, and which witnesses must have seen them (C2SP tlog-policy)."""

from __future__ import annotations

from dataclasses import dataclass, field

from verify_service.errors import PolicyMalformed
from verify_service.signing import NoteKey


@dataclass(frozen=True)
class TrustPolicy:
    """The logs accepted by origin. A quorum other than ``none`` is refused until witnesses are checked here."""

    logs: tuple[NoteKey, ...] = field(default=())

    def keys_of(self, origin: str) -> list[NoteKey]:
        """Return the keys that may sign for an origin, none where the log is not named."""
        return [key for key in self.logs if key.name == origin]

    @classmethod
    def parse(cls, text: str) -> TrustPolicy:
        """Read a policy file; raise PolicyMalformed with the line's number and what is wrong with it."""
        logs: list[NoteKey] = []
        quorum = None
        for number, line in enumerate(text.split("\n"), start=1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            match words:
                case ["log", vkey] | ["log", vkey, _]:
                    logs.append(NoteKey.parse(vkey))
                case ["quorum", name] if quorum is None:
                    quorum = name
                case _:
                    raise PolicyMalformed(
                        f"Line {number} of the policy, {line.strip()!r}, is not one this checker knows."
                    )
        if quorum is None:
            raise PolicyMalformed("The policy has no quorum line; `quorum none` asks for no witness.")
        if quorum != "none":
            raise PolicyMalformed(f"The quorum {quorum!r} names no witness or group defined above it.")
        if len({key.public for key in logs}) != len(logs):
            raise PolicyMalformed("The policy names one public key in two log lines.")
        return cls(tuple(logs))

    def text(self) -> str:
        """Write the policy as a file."""
        return "".join(f"log {key.vkey}\n" for key in self.logs) + "quorum none\n"
