"""Append to a log in a process of its own, and see afterwards that what it acknowledged is one whole history.

``python -m tests.fault.appending URL MARK NAME COUNT`` appends to the incident NAME under keys that are the same in
every run, and prints each acknowledgement, or the code of what was refused.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from tests.contract.test_log_store import make_log, note
from tests.fakes.keys import sealed_vault, signer
from tests.fakes.log_store import log_id
from verify_service.errors import ServiceError
from verify_service.record_log.append import RetryKey
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.merkle import Peaks, leaf_hash
from verify_service.record_log.receipt import verify_receipt
from verify_service.storage.case_store import CaseStore
from verify_service.storage.database import Database
from verify_service.storage.log_store import LogTables


def log_on(database, mark, *, new=False):
    """Return a log and its store on an open database."""
    store = LogTables(database, CaseStore(sealed_vault()))
    return make_log(store, mark, new=new), store


def address(database):
    return database.engine.url.render_as_string(hide_password=False)


def appending(url, mark, name, count, *under, **options):
    """Start the command, under others such as strace."""
    command = [*under, sys.executable, "-m", "tests.fault.appending", url, str(mark), name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def ended(process, within=120):
    """Return (exit code, acknowledgements by number, codes of refusals, what it complained of)."""
    said, complaints = process.communicate(timeout=within)
    # Its last line may be cut short where it was killed.
    words = [line.split() for line in said.splitlines(keepends=True) if line.endswith("\n")]
    acknowledged = {number: reply for kind, number, *reply in words if kind == "acknowledged"}
    return process.returncode, acknowledged, {rest for kind, _, rest, *_ in words if kind == "refused"}, complaints


def check_history(database, mark, size):
    """Every leaf, record, receipt and signed checkpoint is of one history of this size, which goes on from the mark."""
    log, store = log_on(database, mark)
    log.check_high_water()
    entries = store.entries(log_id(), 0, size + 1)
    roots, peaks = [Peaks().root], Peaks()
    for entry in entries:
        peaks = peaks.append(leaf_hash(entry))
        roots.append(peaks.root)
    assert (len(entries), store.head(log_id()).peaks) == (size, peaks)
    for checkpoint in store.checkpoints(log_id(), published=False):
        parsed, signed = Checkpoint.parse(checkpoint.note)
        assert signed.check([signer().key])
        assert (parsed.size, parsed.root) == (checkpoint.size, roots[checkpoint.size])
    for index in range(size):
        assert verify_receipt(log.receipt(index), log.record(index)[0], log.policy)


def main(url, mark, name, count):
    log, _ = log_on(Database(url), Path(mark))
    for number in range(int(count)):
        key = hashlib.sha256(f"{name} {number}".encode()).digest()
        try:
            appended = log.append(note(f"{name}-{number}", RetryKey(key, key), f"incident:{name}"))
        except ServiceError as error:
            print("refused", number, error.code, flush=True)  # noqa: T201 - This is a command.
        else:
            print("acknowledged", number, appended.reply.decode(), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(*sys.argv[1:])
