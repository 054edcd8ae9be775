"""Do anything to a log in any order: its history stays one, and everything it ever promised stays provable."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from tests.contract.test_log_store import make_log, note
from tests.fakes.log_store import MemoryLogs, log_id
from verify_service.errors import IdempotencyKeyReused, LogRefused
from verify_service.record_log.append import RetryKey
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.merkle import check_consistency, consistency_path
from verify_service.record_log.receipt import verify_receipt
from verify_service.record_log.tiles import subtree_from_tiles

KEYS = st.integers(0, 8)
TEXTS = st.sampled_from(("street", "home", "school"))
SUBJECTS = st.sampled_from(("incident:a", "incident:b"))


class LogMachine(RuleBasedStateMachine):
    """Two processes' worth of logs on one store."""

    receipts = Bundle("receipts")

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = MemoryLogs()
        path = Path(self.folder.name) / "records.mark"
        self.logs = [make_log(self.store, path), make_log(self.store, path, new=False)]
        self.answers = {}
        self.promised = []
        self.published = [0]

    def teardown(self):
        self.folder.cleanup()

    @rule(target=receipts, which=st.integers(0, 1), text=TEXTS, subject=SUBJECTS, key=KEYS)
    def append(self, which, text, subject, key):
        request = RetryKey(bytes([key]) * 32, f"{text}{subject}".encode().ljust(32))
        known = self.answers.get(key)
        try:
            appended = self.logs[which].append(note(text, request, subject))
        except IdempotencyKeyReused:
            assert known is not None
            assert known[0] != request.fingerprint
            return None
        if known is not None:
            assert (request.fingerprint, appended.reply, appended.replayed) == (*known, True)
            return None
        self.answers[key] = (request.fingerprint, appended.reply)
        index = appended.placed[0].index
        return index, self.logs[which].receipt(index), self.logs[which].record(index)[0]

    @rule(which=st.integers(0, 1))
    def publish(self, which):
        size = self.logs[which].publish()
        assert size % 256 == 0
        assert size >= self.published[-1] + 256
        self.published.append(size)

    @rule(receipt=receipts, which=st.integers(0, 1))
    def prove_again(self, receipt, which):
        if receipt is not None:
            index, text, record = receipt
            assert self.logs[which].receipt(index) == text
            assert verify_receipt(text, record, self.logs[which].policy)

    @rule()
    def set_back(self):
        """Somebody restores an older database: nothing may be added to it."""
        size = self.store.head(log_id()).size
        if size < 2:
            return
        kept = self.store._logs[log_id()]
        whole = kept.head, list(kept.rows)
        shorter = MemoryLogs()
        twin = make_log(shorter, Path(self.folder.name) / "twin.mark")
        twin.append(note("street"))
        kept.head, kept.rows = shorter.head(log_id()), shorter._logs[log_id()].rows
        try:
            self.logs[0].append(note("home"))
        except LogRefused:
            pass
        else:
            raise AssertionError("a log that was set back was continued")
        finally:
            kept.head, kept.rows = whole
            (Path(self.folder.name) / "twin.mark").unlink()

    @invariant()
    def one_history(self):
        size = self.store.head(log_id()).size
        checkpoints = [Checkpoint.parse(c.note)[0] for c in self.store.checkpoints(log_id(), published=False)]
        newest = checkpoints[-1]
        assert newest.size == size
        subtree = subtree_from_tiles(lambda level, index: self.store.tile(log_id(), level, index))
        for old in checkpoints[-4:]:
            path = consistency_path(old.size, size, subtree) if 0 < old.size < size else []
            check_consistency(old.size, old.root, size, newest.root, path)
        if not self.promised or self.promised[-1] != newest:
            self.promised.append(newest)


TestLog = LogMachine.TestCase
TestLog.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
