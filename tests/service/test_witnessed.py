"""A deployment with real witnesses beside it: receipts are upgraded, and nobody waits for a witness."""

from __future__ import annotations

import json
import socket
import time

import pytest

from tests.deployment import claim
from tests.fakes.witnesses import cosigner
from tests.served import Served
from tests.witnesses import ServedWitness
from verify_service import receiptctl
from verify_service.record_log.witnessing import witness_policy

pytestmark = pytest.mark.long

PATIENCE_SECONDS = 10


class Witnessed:
    """A served deployment whose heads go to one witness at once, and whose published ones to another too."""

    def __init__(self, folder):
        home, file = folder / "home", folder / "witnesses.txt"
        self.served = Served(home, f"sqlite:///{home}/verify.db", VERIFY_WORKERS="2", VERIFY_WITNESSES=str(file))
        service = self.served.service()
        keys = [service.log_keys(log).policy().logs[0].vkey for log in service.log_ids()]
        self.ig = ServedWitness(folder / "ig", "ig.example/w", *keys).start()
        self.press = ServedWitness(folder / "press", "press.example/w", keys[0]).start()
        file.write_text(
            f"witness ig {self.ig.vkey} {self.ig.url}\nwitness press {self.press.vkey} {self.press.url}\n"
            "group unpublished any ig\nquorum unpublished\n"
        )
        service.database.dispose()
        self.served.start()

    def submit(self, key):
        status, body = self.served.ask("POST", "/v1/verifications", claim("DHS-ICE"), key=key)
        assert status == 201
        return json.loads(body)["events"][0]

    def receipt(self, event):
        """Return the witnessed receipt once it can be had."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            status, body = self.served.ask("GET", f"{event['receipt']}?witnessed=1")
            if status == 200:
                return body
            assert (status, b"cosigned by enough witnesses yet" in body) == (404, True)
            time.sleep(0.1)
        raise AssertionError("nothing was witnessed")

    def stop(self):
        self.served.stop()
        self.ig.stop()
        self.press.stop()


@pytest.fixture
def witnessed(tmp_path):
    made = Witnessed(tmp_path)
    yield made
    made.stop()


def test_receipts_are_witnessed_within_seconds_and_prove_it_offline(witnessed, tmp_path, capsys):
    event = witnessed.submit("first")
    receipt = witnessed.receipt(event)
    for number in range(3):
        witnessed.submit(f"more-{number}")
    assert witnessed.receipt(event) == receipt
    service = witnessed.served.service()
    (tmp_path / "policy").write_text(service.policy().text())
    (tmp_path / "record").write_bytes(witnessed.served.ask("GET", event["record"])[1])
    (tmp_path / "witnessed").write_bytes(receipt)
    (tmp_path / "plain").write_bytes(witnessed.served.ask("GET", event["receipt"])[1])
    command = ["--record", str(tmp_path / "record"), "--policy", str(tmp_path / "policy")]
    assert receiptctl.main(["verify", str(tmp_path / "witnessed"), *command]) == 0
    assert "Witnesses had seen it: ig (20" in capsys.readouterr().out
    assert receiptctl.main(["verify", str(tmp_path / "plain"), *command]) == 14
    assert [kept["size"] for kept in witnessed.press.status()["logs"].values()] == [0]
    assert service.logs.records("LAPD").publish() == 256
    end = time.monotonic() + PATIENCE_SECONDS
    while next(iter(witnessed.press.status()["logs"].values()))["size"] != 256:
        assert time.monotonic() < end, "the published head did not reach the witness it is for"
    checkpoint = witnessed.served.ask("GET", "/log/LAPD/records/checkpoint")[1].decode()
    assert "— ig.example/w " in checkpoint
    both = f"{event['receipt']}?witnessed=1&published=1"
    assert witnessed.served.ask("GET", both)[0] == 422
    # What was read is in the access log, whose heads only the one gets.
    sizes = {origin.rpartition("/")[2]: kept["size"] for origin, kept in witnessed.ig.status()["logs"].items()}
    assert sizes["access"] > 0
    service.database.dispose()


def test_l15_a_witness_that_hangs_delays_no_answer(tmp_path):
    home, file = tmp_path / "home", tmp_path / "witnesses.txt"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        file.write_text(f"witness w {cosigner(1).key.vkey} {address}\ngroup unpublished any w\nquorum w\n")
        assert witness_policy(file.read_bytes()).witnesses
        served = Served(home, f"sqlite:///{home}/verify.db", VERIFY_WORKERS="1", VERIFY_WITNESSES=str(file)).start()
        try:
            took = []
            for number in range(30):
                began = time.monotonic()
                assert served.ask("POST", "/v1/verifications", claim("DHS-ICE"), key=f"k{number}")[0] == 201
                took.append(time.monotonic() - began)
                time.sleep(0.1)
            # Each call of the witness waits a whole second; a single one in the way of an answer would show.
            assert max(took) < 0.8
        finally:
            served.stop()


def test_a_file_of_witnesses_that_cannot_be_meant_stops_the_start(tmp_path):
    home = tmp_path / "home"
    served = Served(home, f"sqlite:///{home}/verify.db", VERIFY_WITNESSES=str(tmp_path / "file"))
    (tmp_path / "file").write_text("quorum none\n")
    with pytest.raises(AssertionError, match="write another quorum than none"):
        served.start()
