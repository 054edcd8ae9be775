"""Debian's sigsum-witness, which nobody here wrote, cosigns this project's checkpoints and refuses a fork of them."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import time
from base64 import b64decode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.contract.test_log_store import note
from tests.deploy.tools import tool
from tests.fakes.keys import OneKey, sealed_vault, seeded_bytes
from tests.fakes.log_store import MemoryLogs, log_id
from tests.served import free_port
from verify_service.clock import SystemClock, rfc3339
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.cosignature import WitnessKey
from verify_service.record_log.high_water import HighWater
from verify_service.record_log.log import StoredCheckpoint
from verify_service.record_log.merkle import Peaks
from verify_service.record_log.receipt import verify_receipt
from verify_service.record_log.record_log import RecordLog
from verify_service.record_log.trust import TrustPolicy
from verify_service.record_log.witness_call import WitnessHttp
from verify_service.record_log.witnessing import Witnessing, witness_policy
from verify_service.signing import NoteSigner
from verify_service.verification.projection import CaseProjection

pytestmark = pytest.mark.long

KEY = Ed25519PrivateKey.from_private_bytes(bytes([5]) * 32)
# It knows logs by their key alone, under the origin that Sigsum's own logs have.
ORIGIN = f"sigsum.org/v1/tree/{hashlib.sha256(KEY.public_key().public_bytes_raw()).hexdigest()}"
PATIENCE_SECONDS = 20


def made_log(store, path):
    key, clock = NoteSigner(ORIGIN, KEY), SystemClock()
    empty = Checkpoint(ORIGIN, 0, Peaks().root).sign(key)
    store.create(log_id(), ORIGIN, StoredCheckpoint(0, empty, rfc3339(clock.now())))
    mark = HighWater(path)
    mark.create(Peaks())
    return RecordLog(log_id(), store, OneKey(key), sealed_vault(), mark, CaseProjection(), clock, seeded_bytes(2))


@pytest.fixture
def witness(tmp_path):
    """A running sigsum-witness: its address and vkey."""
    keys, port = tool("sigsum-key"), free_port()
    subprocess.run([keys, "generate", "-o", str(tmp_path / "witness.key")], check=True, timeout=60)
    public = KEY.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    (tmp_path / "log.pub").write_text(f"{public} log\n")
    command = [tool("sigsum-witness"), "-k", str(tmp_path / "witness.key"), "--log-key", str(tmp_path / "log.pub")]
    command += ["--state-file", str(tmp_path / "state"), f"127.0.0.1:{port}"]
    # Built for an older Go, it registers its addresses as Go 1.21 read them.
    environment = {**os.environ, "GODEBUG": "httpmuxgo121=0"}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    wait_for(port)
    public = b64decode((tmp_path / "witness.key.pub").read_text().split()[1])[-32:]
    name = f"sigsum.org/v1/witness/{hashlib.sha256(public).hexdigest()}"
    yield f"http://127.0.0.1:{port}", WitnessKey(name, public).vkey
    process.terminate()
    process.wait(PATIENCE_SECONDS)


def wait_for(port):
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() < end, "sigsum-witness does not listen"
            time.sleep(0.05)
        else:
            return


def witnessing(store, witness):
    url, vkey = witness
    policy = witness_policy(f"witness w {vkey} {url}\ngroup unpublished any w\nquorum w\n".encode())
    return Witnessing([log_id()], store, store, policy, WitnessHttp(), SystemClock())


def test_it_cosigns_a_log_as_it_grows_and_the_receipt_holds(witness, tmp_path):
    store = MemoryLogs()
    log, submitting = made_log(store, tmp_path / "records.mark"), witnessing(store, witness)
    for text in ("a", "b", "c"):
        log.append(note(text))
        submitting.submit_new()
    log.publish()
    submitting.submit_new()
    assert store.latest(log_id()) == {witness[1]: 256}
    policy = TrustPolicy.parse(f"log {log.policy.logs[0].vkey}\nwitness w {witness[1]}\nquorum w\n")
    for index in (0, 2, 255):
        receipt = log.receipt(index, witnessed=True)
        accepted = verify_receipt(receipt, log.record(index)[0], policy)
        assert (accepted.checkpoint.size, set(accepted.cosigned)) == (index + 1 if index < 3 else 256, {"w"})


def test_it_refuses_another_history_and_a_log_that_was_set_back(witness, tmp_path, caplog):
    store, other, younger = MemoryLogs(), MemoryLogs(), MemoryLogs()
    log, fork = made_log(store, tmp_path / "records.mark"), made_log(other, tmp_path / "fork.mark")
    for text in ("a", "b", "c"):
        log.append(note(text))
        fork.append(note(f"not {text}"))
    made_log(younger, tmp_path / "younger.mark").append(note("a"))
    witnessing(store, witness).submit_new()
    assert "did not cosign" not in caplog.text
    witnessing(other, witness).submit_new()
    assert "it saw another history of this log" in caplog.text
    witnessing(younger, witness).submit_new()
    assert "it has cosigned 3 entries of this log already" in caplog.text
    assert (other.latest(log_id()), younger.latest(log_id())) == ({}, {})
