"""Keep the keys of one log in the folder of keys: their terms, and how one follows another.

Beside the private keys lies a file with their public halves and terms, which is itself a policy file. So the database
alone can never name a key, and a log whose private key was lost can still be checked, and closed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from verify_service import keyring
from verify_service.errors import ConfigurationError, PolicyMalformed
from verify_service.record_log.log_signer import LogSigner
from verify_service.record_log.term import Bound
from verify_service.record_log.trust import TrustPolicy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from verify_service.record_log.log import Head, LogId
    from verify_service.signing import NoteKey, NoteSigner


class LogKeyFiles:
    """The files of one log's keys; implements ``record_log.log_signer.LogKeys``.

    What was read is kept until the file of terms is another, so that a running service takes a new key in by itself.
    """

    def __init__(self, directory: Path, log: LogId, origin: str) -> None:
        self._directory = directory
        self._log = log
        self._origin = origin
        self._terms = keyring.log_terms_file(directory, log)
        self._kept: tuple[tuple[int, ...] | None, TrustPolicy] | None = None
        self._signer: LogSigner | None = None

    @property
    def origin(self) -> str:
        """The log's origin line."""
        return self._origin

    def policy(self) -> TrustPolicy:
        """Return every key with its term; before the file of terms was made, the first key."""
        stamp, kept = self._now(), self._kept
        if kept is None or kept[0] != stamp:
            kept = self._kept = (stamp, self._read())
        return kept[1]

    def signer(self) -> LogSigner:
        """Return the keys that sign; raise ConfigurationError where one is missing or another's."""
        policy, signer = self.policy(), self._signer
        if signer is None or signer.policy is not policy:
            standing = [key for key in policy.logs if policy.term(key).until is None]
            signer = self._signer = LogSigner(tuple(self._private(policy, key) for key in standing), policy)
        return signer

    def path(self, key: NoteKey) -> Path:
        """Return where a key's private half is kept."""
        first = key == self.policy().logs[0]
        return keyring.log_key_file(self._directory, self._log, "" if first else key.key_id.hex())

    def begin(self) -> list[Path]:
        """Make the file of terms where it is missing, and return what was made."""
        if self._terms.exists():
            return []
        self._write(self.policy())
        return [self._terms]

    def rotate(self, head: Head, moment: str, random_bytes: Callable[[int], bytes]) -> LogSigner:
        """Add a key that signs beside the present one whatever comes after this head; return both.

        A rotation that was stopped before the head named its key is taken up again. Raises ConfigurationError where
        two keys sign already, or the present one is not at hand.
        """
        # Before there is another key: without the file of terms nobody would know which was the first.
        self.begin()
        policy = self.policy()
        present = self._present(head)
        if len(present) > 1:
            old, new = (key.key_id.hex() for key in present)
            raise ConfigurationError(
                f"The log {self._log} has two keys already, {old} and {new}: run `verify-service keys retire "
                f"{self._log}` once every checker and witness has the newer one."
            )
        self._private(policy, present[0])
        begun = policy.logs[policy.logs.index(present[0]) + 1 :]
        added = begun[0] if begun else self._make(random_bytes)
        keys = policy.logs if begun else (*policy.logs, added)
        self._bound(replace(policy, logs=keys), added, after=Bound(head.size, moment))
        return self.signer()

    def retire(self, head: Head, moment: str) -> LogSigner:
        """End the term of the older of two keys at this head; return the one that goes on alone.

        Raises ConfigurationError where one key alone signs, or the newer is not at hand.
        """
        policy = self.policy()
        present = self._present(head)
        if len(present) == 1:
            raise ConfigurationError(
                f"The log {self._log} has one key alone, {present[0].key_id.hex()}, and cannot go on without: run "
                f"`verify-service keys rotate {self._log}` first."
            )
        old, new = present
        self._private(policy, new)
        self._bound(policy, old, until=Bound(head.size, moment))
        return self.signer()

    def _present(self, head: Head) -> list[NoteKey]:
        """Return the keys that the log is to be signed with, as its head names them."""
        known = {key.key_id.hex(): key for key in self.policy().logs}
        try:
            return [known[key_id] for key_id in head.key_ids] or [self.policy().logs[0]]
        except KeyError as error:
            raise ConfigurationError(
                f"{self._terms} does not have the key {error.args[0]} of the log {self._log}: copy the folder of keys "
                "from the host where it was rotated last."
            ) from error

    def _private(self, policy: TrustPolicy, key: NoteKey) -> NoteSigner:
        first = key == policy.logs[0]
        path = keyring.log_key_file(self._directory, self._log, "" if first else key.key_id.hex())
        if self._terms.exists() and not path.exists():
            raise ConfigurationError(
                f"The signing key {path} of the log {self._log} is missing: restore it from your backup. Where no copy "
                "is left, close the log and go on in its successor: `verify-service db succeed --department "
                f"{self._log.department} --log {self._log.series} --reason …`."
            )
        signer = keyring.log_signer(path, self._origin)
        if signer.key != key:
            raise ConfigurationError(
                f"{path} is not the key {key.key_id.hex()} of the log {self._log} that {self._terms} names: restore "
                "both from one backup."
            )
        return signer

    def _make(self, random_bytes: Callable[[int], bytes]) -> NoteKey:
        return keyring.make_log_key(self._directory, self._log, self._origin, random_bytes)

    def _bound(self, policy: TrustPolicy, key: NoteKey, **bound: Bound) -> None:
        terms = {**policy.terms, key: replace(policy.term(key), **bound)}
        self._write(replace(policy, terms=terms))

    def _write(self, policy: TrustPolicy) -> None:
        keyring.write_key_file(self._terms, policy.text().encode())
        self._kept = None

    def _read(self) -> TrustPolicy:
        if not self._terms.exists():
            self._check_never_rotated()
            path = keyring.log_key_file(self._directory, self._log)
            return TrustPolicy((keyring.log_signer(path, self._origin).key,))
        try:
            policy = TrustPolicy.parse(keyring.read_key_file(self._terms).decode())
        except (PolicyMalformed, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{self._terms} cannot be read, restore it from your backup: {error}") from error
        if not policy.logs or {key.name for key in policy.logs} != {self._origin}:
            raise ConfigurationError(
                f"{self._terms} does not name the keys of {self._origin} alone: restore it from your backup, or set "
                "VERIFY_LOG_HOST back."
            )
        return policy

    def _check_never_rotated(self) -> None:
        later = keyring.later_log_keys(self._directory, self._log)
        if later:
            raise ConfigurationError(
                f"{self._terms} is missing, but {later[0]} shows that the log's key was rotated: restore it from your "
                "backup."
            )

    def _now(self) -> tuple[int, ...] | None:
        try:
            found = self._terms.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size
