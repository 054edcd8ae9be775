"""Know which logs a deployment keeps, their origins, keys and high-water marks, and look after them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service import keyring
from verify_service.clock import rfc3339
from verify_service.errors import ConfigurationError, LogRefused
from verify_service.log_keys import LogKeyFiles
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.high_water import HighWater
from verify_service.record_log.log import ACCESS, RECORDS, LogId, StoredCheckpoint
from verify_service.record_log.merkle import Peaks
from verify_service.record_log.proposal import Scribe
from verify_service.record_log.succession import Succession, last_checkpoint, succeed
from verify_service.record_log.tombstones import TombstoneFile
from verify_service.verification.projection import CaseProjection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from verify_service.clock import Clock
    from verify_service.record_log.high_water import Mark
    from verify_service.record_log.log import LogStore
    from verify_service.record_log.log_signer import LogSigner
    from verify_service.record_log.logs import Logs
    from verify_service.record_log.record_log import RecordLog
    from verify_service.settings import Settings
    from verify_service.vault import Vault
    from verify_service.verification.destruction import Destroyer

LOG_NAMES = (RECORDS, ACCESS)
random_bytes = os.urandom  # noqa: TID251 - Here randomness enters; everything below is given it.


@dataclass(frozen=True)
class Succeeded:
    """A log that was closed, its successor, the checkpoint that was committed to, and the indexes that are lost."""

    old: LogId
    new: LogId
    checkpoint: str
    lost: range


class LogKeeping:
    """The part of a service that looks after its logs."""

    settings: Settings
    clock: Clock

    @property
    def log_store(self) -> LogStore:
        """Where the logs are kept."""
        raise NotImplementedError

    @property
    def vault(self) -> Vault:
        """The vault."""
        raise NotImplementedError

    @property
    def logs(self) -> Logs:
        """Every department's logs."""
        raise NotImplementedError

    @property
    def destroyer(self) -> Destroyer:
        """What destroys by order, and again after a restore."""
        raise NotImplementedError

    def log_ids(self) -> Iterator[LogId]:
        """Yield the logs of the departments served, each before the one that goes on for it."""
        for first in self.first_log_ids():
            yield first
            known = (LogId(first.department, name) for name in self.log_store.names(first.department))
            yield from (log for log in known if log.series == first.series and log != first)

    def first_log_ids(self) -> Iterator[LogId]:
        """Yield the logs that each department begins with."""
        for department in self.settings.departments:
            yield from (LogId(department, name) for name in LOG_NAMES)

    def origin(self, log: LogId) -> str:
        """Return a log's origin line, which is for ever."""
        return f"{self.settings.log_host}/log/{log.department}/{log.name}"

    def log_keys(self, log: LogId) -> LogKeyFiles:
        """Return the keys of a log."""
        return LogKeyFiles(self.settings.keys, log, self.origin(log))

    def high_water(self, log: LogId) -> HighWater:
        """Return a log's high-water mark on this host."""
        return HighWater(self.settings.high_water / f"{log.department}-{log.name}.mark")

    def tombstones(self, department: str) -> TombstoneFile:
        """Return what this host knows of a department's destroyed records."""
        path = self.settings.high_water / f"{department}.tombstones"
        return TombstoneFile(path, lambda line: self.vault.index(department, "tombstone", line))

    def check_logs(self) -> None:
        """Raise ConfigurationError or LogRefused unless every log is there and goes on from its mark."""
        for log in self.log_ids():
            head = self.log_store.head(log)
            if head is None:
                raise ConfigurationError(f"There is no log {log}: run `verify-service db upgrade`.")
            if head.successor is None and self.high_water(log.successor).promised:
                raise LogRefused(
                    f"The database has no log {log.successor}, but entries of it were promised. It was set back: "
                    "restore the newest backup, and do not continue this one."
                )
            if head.origin != self.origin(log):
                raise ConfigurationError(
                    f"The log {log} has the origin {head.origin}, not {self.origin(log)}: an origin is for ever: "
                    "set VERIFY_LOG_HOST back."
                )
            if log not in {known.log for known in self.logs}:
                raise LogRefused(f"The log {log} was begun after this service was started: restart the service.")
            found = self.logs.named(log.department, log.name)
            found.check_high_water()
            if head.successor is None:
                found.check_keys(head)

    def check_before_serving(self) -> None:
        """Raise what ``check_logs`` raises, or LogRefused where what was destroyed by order is back."""
        self.check_logs()
        returned = sum(len(self.destroyer.returned(department)) for department in self.settings.departments)
        if returned:
            raise LogRefused(
                f"The database holds again what was destroyed by order: {returned} verifications or incidents. It was "
                "restored from a backup made before: run `verify-service db restore-check`, which destroys them again."
            )

    def destroy_again(self) -> dict[str, int]:
        """Destroy what came back with a backup; return the number of subjects by department."""
        return {department: self.destroyer.destroy_again(department) for department in self.settings.departments}

    def create_logs(self) -> list[LogId]:
        """Create the logs that are missing and return them; write down the public keys of those that are there."""
        missing = [log for log in self.first_log_ids() if self.log_store.head(log) is None]
        for log in missing:
            # The mark comes first: a log without one would not start, a mark without a log is found here again.
            if not self.high_water(log).path.exists():
                self.high_water(log).create(Peaks())
            note = self.log_keys(log).signer().sign(Checkpoint(self.origin(log), 0, Peaks().root))
            self.log_store.create(log, self.origin(log), StoredCheckpoint(0, note, rfc3339(self.clock.now())))
        # An earlier release kept the private keys alone.
        for log in self.log_ids():
            self.log_keys(log).begin()
        return missing

    def marks(self) -> dict[LogId, Mark | None]:
        """Return this host's high-water marks."""
        return {log: self.high_water(log).mark() for log in self.log_ids()}

    def generate_keys(self) -> list[Path]:
        """Make the key files that are missing and return them."""
        chosen = self.settings
        # A log whose terms are known had a key: another in its place would not be the one that checkers trust.
        new = [log for log in self.first_log_ids() if not keyring.log_terms_file(chosen.keys, log).exists()]
        made = keyring.generate(chosen.keys, chosen.departments, new, random_bytes)
        return made + [path for log in new for path in self.log_keys(log).begin()]

    def rotate_key(self, log: LogId) -> LogSigner:
        """Make a second key of a log, which signs beside the first from here on; return both.

        Raises LogRefused where the log is closed or was set back, ConfigurationError where it has two keys already or
        the present one is not at hand.
        """
        keys, moment = self.log_keys(log), rfc3339(self.clock.now())
        return self._kept(log).change_keys(lambda head: keys.rotate(head, moment, random_bytes))

    def retire_key(self, log: LogId) -> LogSigner:
        """End the term of the older of a log's two keys; return the one that goes on alone.

        Raises as ``rotate_key`` does, and ConfigurationError where there is one key alone.
        """
        keys, moment = self.log_keys(log), rfc3339(self.clock.now())
        return self._kept(log).change_keys(lambda head: keys.retire(head, moment))

    def _kept(self, log: LogId) -> RecordLog:
        for known in self.logs:
            if known.log == log:
                return known
        raise ConfigurationError(f"There is no log {log}: name one of {', '.join(map(str, self.log_ids()))}.")

    def accept_high_water(self) -> list[tuple[LogId, int]]:
        """Mark the logs that this host has no mark of where the database stands, and return them."""
        marked = []
        for log in self.log_ids():
            head, mark = self.log_store.head(log), self.high_water(log)
            if head is None:
                continue
            if not mark.path.exists():
                mark.create(head.peaks)
                marked.append((log, head.size))
            elif head.successor is not None and mark.promised > head.size:
                mark.set_aside(head.peaks)
                marked.append((log, head.size))
        return marked

    def succeed(self, log: LogId, reason: str, *, compromised: bool, known: str | None) -> Succeeded:
        """Close a log and begin its successor, with a key of its own.

        What is committed to is the checkpoint ``known`` outside, where one is given; else the last that the database
        has, of a log that is ``compromised`` the last that others saw. Raises LogRefused where the log is closed.
        """
        head, mark, new = self.log_store.head(log), self.high_water(log), log.successor
        if head is None:
            raise ConfigurationError(f"There is no log {log}: name one of {', '.join(map(str, self.log_ids()))}.")
        policy = self.logs.named(log.department, log.name).policy
        if known is not None:
            policy.accept_signed(known)
        checkpoint = known or last_checkpoint(log, self.log_store, policy, compromised=compromised)
        lost = range(head.size, max(head.size, mark.promised))
        if lost:
            reason = f"{reason.rstrip('.')}. Entries {lost[0]} to {lost[-1]} were promised and are lost."
        keyring.generate(self.settings.keys, (), [new], random_bytes)
        self.log_keys(new).begin()
        if not self.high_water(new).path.exists():
            self.high_water(new).create(Peaks())
        peaks = succeed(
            Succession(log, checkpoint, reason),
            self.log_store,
            self.log_keys(new),
            self.vault,
            self.clock,
            lambda of: Scribe(of, self.vault, CaseProjection(), random_bytes),
        )
        with self.high_water(new).turn() as turn:
            turn.advance(peaks)
        if lost:
            mark.set_aside(head.peaks)
        return Succeeded(log, new, checkpoint, lost)
