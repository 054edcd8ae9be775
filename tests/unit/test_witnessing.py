"""Checkpoints go to the witnesses they are for, and a witness that is down, wrong or lying changes nothing."""

from __future__ import annotations

import logging
import socket
import threading
import time
from datetime import timedelta

import pytest
from werkzeug.test import Client

from tests.contract.test_log_store import make_log, note
from tests.fakes.clock import SetClock
from tests.fakes.keys import signer
from tests.fakes.log_store import MemoryLogs, log_id
from tests.fakes.witnesses import cosigned, cosigner
from verify_service.errors import ConfigurationError, NotFound, QuorumMissing, SignatureInvalid
from verify_service.record_log.receipt import verify_receipt
from verify_service.record_log.trust import TrustPolicy
from verify_service.record_log.witness_call import WitnessHttp
from verify_service.record_log.witnessing import Witnessing, witness_policy
from verify_service.witness.app import WitnessApp
from verify_service.witness.ledger import Ledger
from verify_service.witness.witness import Witness

NAMES = ("ig", "press", "court")
KEYS = {name: cosigner(number, f"{name}.example/w") for number, name in enumerate(NAMES, start=1)}
POLICY = "".join(f"witness {name} {by.key.vkey} https://{name}.example\n" for name, by in KEYS.items())
POLICY += "group unpublished any ig\ngroup others any press court\ngroup both all unpublished others\nquorum both\n"


class Witnesses:
    """Real witnesses behind the port, each of which can be told to answer something else."""

    def __init__(self, folder, clock, key):
        self.asked = []
        self.instead = {}
        self.apps = {}
        for name, by in KEYS.items():
            (folder / name).mkdir()
            ledger = Ledger(folder / name)
            ledger.create(by.name)
            ledger.add_log(key)
            self.apps[name] = Client(WitnessApp(Witness(ledger, by, clock), monitored=False))

    def add_checkpoint(self, url, body):
        name = url.removeprefix("https://").removesuffix(".example")
        size = int(body.decode().partition("\n\n")[2].split("\n")[1])
        self.asked.append((name, size))
        if name in self.instead:
            return self.instead[name](body)
        reply = self.apps[name].post("/add-checkpoint", data=body)
        return reply.status_code, reply.get_data()


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def store():
    return MemoryLogs()


@pytest.fixture
def log(store, tmp_path):
    return make_log(store, tmp_path / "records.mark")


@pytest.fixture
def witnesses(tmp_path, clock, log):
    return Witnesses(tmp_path, clock, log.policy.logs[0])


@pytest.fixture
def witnessing(store, witnesses, clock):
    return Witnessing([log_id()], store, store, witness_policy(POLICY.encode()), witnesses, clock)


def test_an_empty_log_is_not_submitted(witnessing, witnesses):
    witnessing.submit_new()
    assert witnesses.asked == []


def test_a_head_goes_at_once_to_whom_it_is_for_and_the_daily_one_to_all(log, witnessing, witnesses):
    log.append(note("a"))
    witnessing.submit_new()
    witnessing.submit_new()
    assert witnesses.asked == [("ig", 1)]
    with pytest.raises(NotFound, match="cosigned by enough witnesses yet"):
        log.receipt(0, witnessed=True)
    assert log.publish() == 256
    witnessing.submit_new()
    assert [asked for asked in witnesses.asked if asked[1] == 256] == [("ig", 256), ("press", 256), ("court", 256)]
    receipt = log.receipt(0, witnessed=True)
    policy = TrustPolicy.parse(f"log {log.policy.logs[0].vkey}\n{POLICY}")
    assert set(verify_receipt(receipt, log.record(0)[0], policy).cosigned) == {"ig", "press"}
    log.append(note("b"))
    witnessing.submit_new()
    assert witnesses.asked[-1] == ("ig", 257)
    assert log.receipt(0, witnessed=True) == receipt


def test_nobody_but_those_named_for_it_sees_heads_of_the_access_log(store, witnesses, clock, tmp_path):
    access = log_id("access")
    source = MemoryLogs()
    made = make_log(source, tmp_path / "other.mark")
    made.append(note("a"))
    made.publish()
    source._logs[access] = source._logs.pop(log_id())
    Witnessing([access], source, source, witness_policy(POLICY.encode()), witnesses, clock).submit_new()
    assert {name for name, _ in witnesses.asked} == {"ig"}


def test_a_witness_that_saw_more_is_told_from_where_it_goes_on(log, store, witnesses, clock):
    log.append(note("a"))
    policy = witness_policy(POLICY.encode())
    Witnessing([log_id()], store, store, policy, witnesses, clock).submit_new()
    log.append(note("b"))
    # A new process whose database lost what was cosigned learns it from the witness.
    store._logs[log_id()].lines.clear()
    Witnessing([log_id()], store, store, policy, witnesses, clock).submit_new()
    assert list(store.latest(log_id()).values()) == [2]


def later(hours):
    return SetClock().now() + timedelta(hours=hours)


def signed_by(name, by=None, at=0):
    def answer(body):
        checkpoint = body.decode().partition("\n\n")[2]
        line = cosigned(checkpoint, by or KEYS[name], moment=later(at)).removeprefix(checkpoint)
        return 200, line.encode()

    return answer


def fails(error):
    def answer(_):
        raise error

    return answer


def another_size(body):
    other = body.decode().partition("\n\n")[2].replace("\n1\n", "\n7\n")
    return 200, cosigned(other, KEYS["ig"]).removeprefix(other).encode()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (fails(ConnectionError("it cannot be reached")), "it cannot be reached"),
        (fails(TimeoutError("its reply did not end within a second")), "within a second"),
        (lambda _: (503, b"busy"), "it answered 503"),
        (lambda _: (404, b"who?"), "it answered 404"),
        (lambda _: (422, b""), "saw another history"),
        (lambda _: (409, b"99\n"), "the database was set back"),
        (lambda _: (409, b"many\n"), "not a plain decimal"),
        (lambda _: (200, b""), "has no cosignature"),
        (lambda _: (200, b"\xff\xfe"), "not text"),
        (lambda _: (200, "— ig.example/w AAAA\n".encode()), "too short"),
        (another_size, "does not fit"),
        (signed_by("ig", by=cosigner(7, "ig.example/w")), "no cosignature of its key"),
        (signed_by("ig", by=cosigner(7, "stranger.example")), "no cosignature of its key"),
        (signed_by("ig", at=-1), "one of the two clocks is wrong"),
        (signed_by("ig", at=1), "one of the two clocks is wrong"),
    ],
)
def test_l15_what_a_witness_answers_otherwise_is_not_kept_and_named(
    log, store, witnessing, witnesses, caplog, clock, answer, says
):
    log.append(note("a"))
    witnesses.instead["ig"] = answer
    with caplog.at_level(logging.WARNING):
        witnessing.submit_new()
    assert says in caplog.text
    assert store.latest(log_id()) == {}
    # It is left alone for a while, and longer each time; then it is asked again.
    asked = len(witnesses.asked)
    witnessing.submit_new()
    assert len(witnesses.asked) == asked
    del witnesses.instead["ig"]
    clock.advance(seconds=6)
    witnessing.submit_new()
    assert list(store.latest(log_id()).values()) == [1]


def test_l15_an_old_cosignature_replayed_for_a_later_checkpoint_is_not_kept_nor_believed(
    log, store, witnessing, witnesses, caplog
):
    log.append(note("a"))
    replies = []

    def noted(body):
        replies.append(witnesses.apps["ig"].post("/add-checkpoint", data=body).get_data())
        return 200, replies[0]

    witnesses.instead["ig"] = noted
    witnessing.submit_new()
    log.append(note("b"))
    with caplog.at_level(logging.WARNING):
        witnessing.submit_new()
    assert (len(replies), replies[0] == replies[1]) == (2, False)
    assert "did not cosign LAPD/records at 2: The signature of ig.example/w does not fit the text." in caplog.text
    assert list(store.latest(log_id()).values()) == [1]
    # Whoever sends it along with a receipt is not believed either.
    policy = TrustPolicy.parse(f"log {log.policy.logs[0].vkey}\n{POLICY}")
    for index, own in ((0, True), (1, False)):
        receipt, record = log.receipt(index) + replies[0].decode(), log.record(index)[0]
        with pytest.raises(QuorumMissing if own else SignatureInvalid):
            verify_receipt(receipt, record, policy)


def test_l15_the_pause_grows_to_ten_minutes_and_ends_with_an_answer(log, witnessing, witnesses, clock):
    log.append(note("a"))
    witnesses.instead["ig"] = fails(ConnectionError("down"))
    for _ in range(3600):
        witnessing.submit_new()
        clock.advance(seconds=1)
    assert 8 <= len(witnesses.asked) <= 14


def test_a_log_that_a_witness_does_not_watch_keeps_no_other_from_it(store, log, witnesses, clock, tmp_path):
    access = log_id("access")
    other = MemoryLogs()
    make_log(other, tmp_path / "other.mark", key=signer("logs.example/log/LAPD/access")).append(note("a"))
    store._logs[access] = other._logs[log_id()]
    log.append(note("b"))
    Witnessing([access, log_id()], store, store, witness_policy(POLICY.encode()), witnesses, clock).submit_new()
    assert (store.latest(access), list(store.latest(log_id()).values())) == ({}, [1])


def test_l15_one_witness_that_fails_keeps_no_other_from_cosigning(log, store, witnessing, witnesses):
    log.publish()
    witnesses.instead["ig"] = fails(ConnectionError("down"))
    witnesses.instead["press"] = lambda _: (500, b"")
    witnessing.submit_new()
    assert list(store.latest(log_id())) == [KEYS["court"].key.vkey]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nonsense\n", "cannot be used"),
        (POLICY.replace("quorum both", "quorum none"), "another quorum than none"),
        (POLICY.replace("https://press", "http://press"), "press in VERIFY_WITNESSES has no https address"),
        (POLICY.replace(" https://press.example", ""), "press in VERIFY_WITNESSES has no https address"),
        ("log a+0+A\n" + POLICY, "cannot be used"),
    ],
)
def test_a_file_of_witnesses_that_cannot_be_meant_is_refused(text, says):
    with pytest.raises(ConfigurationError, match=says):
        witness_policy(text.encode())


def test_a_file_that_names_a_log_is_refused(log):
    with pytest.raises(ConfigurationError, match="leave out `log` lines"):
        witness_policy(f"log {log.policy.logs[0].vkey}\n{POLICY}".encode())


@pytest.fixture
def trickling():
    """Start a server that sends some bytes, then one more every tenth of a second, and return its address."""
    ended, threads = threading.Event(), []

    def start(first):
        listening = socket.create_server(("127.0.0.1", 0))
        threads.append(threading.Thread(target=_trickle, args=(listening, first, ended)))
        threads[-1].start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    yield start
    ended.set()
    for thread in threads:
        thread.join()


def _trickle(listening, first, ended):
    with listening, listening.accept()[0] as connection:
        connection.recv(65536)
        connection.sendall(first)
        while not ended.wait(0.1):
            try:
                connection.sendall(b"x" if first else b"")
            except OSError:
                return


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: "])
def test_l15_a_witness_that_is_silent_or_trickles_is_left_after_a_second(trickling, first):
    url = trickling(first)
    began = time.monotonic()
    with pytest.raises(OSError, match="within a second"):
        WitnessHttp().add_checkpoint(url, b"old 0\n")
    assert time.monotonic() - began < 1.6
