"""Rotate and retire a key of a log that serves, with several workers and a witness, while submissions go on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time

import pytest

from tests.deployment import claim
from tests.served import Served
from tests.witnesses import ServedWitness
from verify_service import receiptctl
from verify_service.evidence.audit import audit
from verify_service.record_log.log import LogId

pytestmark = pytest.mark.long

LOG = LogId("LAPD", "records")
PATIENCE_SECONDS = 20
CLIENTS = 4


class Submissions:
    """Clients that submit without a pause until they are stopped, and what they were told."""

    def __init__(self, served):
        self._served = served
        self._ended = threading.Event()
        self.answers = []
        self._clients = [threading.Thread(target=self._submit, args=(number,)) for number in range(CLIENTS)]
        for client in self._clients:
            client.start()

    def _submit(self, client):
        number = 0
        while not self._ended.is_set():
            number += 1
            key = f"client-{client}-{number}"
            self.answers.append(self._served.ask("POST", "/v1/verifications", claim("DHS-ICE"), key=key))

    def more(self, count=20):
        """Wait until so many more were answered, and return how many there are."""
        wanted, end = len(self.answers) + count, time.monotonic() + PATIENCE_SECONDS
        while len(self.answers) < wanted:
            assert time.monotonic() < end, "submissions stand still"
            time.sleep(0.02)
        return len(self.answers)

    def end(self):
        self._ended.set()
        for client in self._clients:
            client.join(PATIENCE_SECONDS)


def command(served, *arguments):
    """Run a command in a process of its own and return its JSON document."""
    environment = {**os.environ, **served.environment}
    ran = [sys.executable, "-m", "verify_service.cli", *arguments]
    ended = subprocess.run(ran, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def proved(folder, receipt, record):
    (folder / "receipt").write_bytes(receipt)
    (folder / "record").write_bytes(record)
    asked = ["--record", str(folder / "record"), "--policy", str(folder / "policy")]
    return receiptctl.main(["verify", str(folder / "receipt"), *asked]) == 0


@pytest.fixture
def witnessed(tmp_path):
    home, file = tmp_path / "home", tmp_path / "witnesses.txt"
    served = Served(home, f"sqlite:///{home}/verify.db", VERIFY_WORKERS="2", VERIFY_WITNESSES=str(file))
    service = served.service()
    first = service.log_keys(LOG).policy().logs[0].vkey
    service.database.dispose()
    witness = ServedWitness(tmp_path / "ig", "ig.example/w", first).start()
    file.write_text(f"witness ig {witness.vkey} {witness.url}\ngroup unpublished any ig\nquorum ig\n")
    served.start()
    yield served, witness
    served.stop()
    witness.stop()


def is_signed_as_the_terms_say(service):
    """See that each checkpoint has one signature before and after the overlap, and two in it."""
    policy, notes = service.policy(), list(service.log_store.checkpoints(LOG, published=False))
    began, ended = policy.term(policy.logs[1]).after.size, policy.term(policy.logs[0]).until.size
    assert 0 < began < ended < notes[-1].size
    for one in notes:
        policy.accept_signed(one.note)
        assert len(one.note.splitlines()[4:]) == (2 if began < one.size <= ended else 1), one
    assert audit(service.audit_source(), service.vault, service.marks()).faults == []


def witnessed_receipt(served, event):
    end = time.monotonic() + PATIENCE_SECONDS
    while (answer := served.ask("GET", f"{event['receipt']}?witnessed=1"))[0] != 200:
        assert time.monotonic() < end, answer
        time.sleep(0.2)
    return answer[1]


def test_l14_a_rotation_loses_no_submission_and_one_policy_proves_every_receipt(witnessed, tmp_path):
    served, witness = witnessed
    asking = Submissions(served)
    try:
        asking.more()
        begun = command(served, "keys", "rotate", "LAPD/records", "--json")["rotated"][0]
        during = asking.more()
        witness.ctl("add-log", begun["new"], "--name", "ig.example/w")
        command(served, "keys", "retire", "LAPD/records", "--json")
        after = asking.more()
        witness.ctl("retire-key", begun["old"])
        asking.more()
    finally:
        asking.end()
    assert {status for status, _ in asking.answers} == {201}
    service = served.service()
    is_signed_as_the_terms_say(service)
    text = service.policy().text()
    service.database.dispose()

    # Plain receipts by the logs alone; what the witness cosigned by the whole policy, in each of the three times.
    events = [json.loads(body)["events"][0] for _, body in asking.answers]
    (tmp_path / "policy").write_text("\n".join([*text.split("\n")[:4], "quorum none", ""]))
    for event in events:
        record = served.ask("GET", event["record"])[1]
        assert proved(tmp_path, served.ask("GET", event["receipt"])[1], record)
    (tmp_path / "policy").write_text(text)
    for event in (events[0], events[during - 1], events[after - 1], events[-1]):
        record = served.ask("GET", event["record"])[1]
        assert proved(tmp_path, witnessed_receipt(served, event), record)
    origin, key_id, _ = begun["new"].split("+", 2)
    assert witness.status()["logs"][origin]["keys"] == key_id
