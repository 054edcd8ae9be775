"""A witness cosigns only what goes on from what it cosigned before, with the statuses of C2SP tlog-witness."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest
from werkzeug.test import Client

from tests.fakes.clock import SetClock
from tests.fakes.keys import ORIGIN, signer
from tests.fakes.witnesses import cosigner
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.cosignature import cosigned_at
from verify_service.record_log.merkle import EMPTY_ROOT, Peaks, consistency_path, fold_complete, leaf_hash
from verify_service.signing import Note, b64, sha256_hex
from verify_service.witness.app import WitnessApp
from verify_service.witness.ledger import Ledger
from verify_service.witness.witness import Witness

OWN = cosigner(9)


class Tree:
    """A log of leaves ``first``, ``first + 1`` …, and what it submits."""

    def __init__(self, first=0):
        self.leaves = [leaf_hash(str(first + number).encode()) for number in range(64)]

    def _subtree(self, level, index):
        return fold_complete(self.leaves[index << level : (index + 1) << level])

    def checkpoint(self, size, by=None):
        return Checkpoint(ORIGIN, size, Peaks.of(size, self._subtree).root).sign(by or signer())

    def body(self, old, size, path=None, note=None):
        if path is None:
            path = consistency_path(old, size, self._subtree) if 0 < old <= size else []
        lines = "".join(f"{b64(node)}\n" for node in path)
        return f"old {old}\n{lines}\n{note or self.checkpoint(size)}"


TREE, FORK = Tree(), Tree(1000)


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(tmp_path)
    made.create(OWN.name)
    made.add_log(signer().key)
    return made


@pytest.fixture
def witness(ledger, clock):
    return Client(WitnessApp(Witness(ledger, OWN, clock), monitored=True))


def add(witness, body):
    return witness.post("/add-checkpoint", data=body if isinstance(body, bytes) else body.encode())


def test_a_log_that_grows_is_cosigned_as_of_now(witness, clock):
    for old, new in pairwise([0, 1, 7, 7, 8, 64]):
        clock.advance(seconds=90)
        reply = add(witness, TREE.body(old, new))
        assert reply.status_code == 200
        note = Note.parse(TREE.checkpoint(new) + reply.get_data(as_text=True))
        (signature,) = note.check([OWN.key]).values()
        assert cosigned_at(signature) == clock.now()


def test_the_first_checkpoint_may_be_of_any_size_and_the_empty_one_too(witness):
    assert add(witness, TREE.body(0, 0)).status_code == 200
    assert add(witness, TREE.body(0, 33)).status_code == 200


def spoiled_note(note):
    return note[:-8] + ("A" if note[-8] != "A" else "B") + note[-7:]


STANDING = TREE.body(0, 5)
GOOD = consistency_path(5, 9, TREE._subtree)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("old 5\n", 400),
        (TREE.body(5, 9).replace("old 5", "old 05"), 400),
        (TREE.body(5, 9).replace("old 5", "old -5"), 400),
        (TREE.body(5, 9).replace("old 5", "old  5"), 400),
        (TREE.body(5, 9).replace("old 5\n", "old 5\r\n"), 400),
        (TREE.body(5, 9).replace("old", "new"), 400),
        (TREE.body(5, 9, [*GOOD[:-1], b"short"]), 400),
        (TREE.body(5, 9, [bytes(32)] * 64), 400),
        (TREE.body(5, 9).encode() + b"\xff", 400),
        (TREE.body(5, 9, note="no checkpoint"), 400),
        (TREE.body(0, 4).replace("old 0", "old 5"), 400),
        (b"old 5\n" + b"A" * 70_000, 400),
        (TREE.body(5, 9, note=Checkpoint("other.example/log", 9, bytes(32)).sign(signer("other.example/log"))), 404),
        (TREE.body(5, 9, note=spoiled_note(TREE.checkpoint(9))), 403),
        (TREE.body(5, 9, note=TREE.checkpoint(9).rpartition("\n\n")[0] + "\n\n— unknown AAAAAAAA\n"), 403),
        (TREE.body(0, 9), 409),
        (TREE.body(4, 9), 409),
        (TREE.body(6, 9), 409),
        (TREE.body(5, 9, GOOD[:-1]), 422),
        (TREE.body(5, 9, [*GOOD, bytes(32)]), 422),
        (TREE.body(5, 9, [bytes(32)]), 422),
        (FORK.body(5, 9), 422),
        (FORK.body(5, 5), 422),
        (TREE.body(5, 5, [bytes(32)]), 422),
    ],
)
def test_each_refusal_has_its_status_and_changes_nothing(witness, ledger, body, status):
    assert add(witness, STANDING).status_code == 200
    before = ledger.logs()
    reply = add(witness, body)
    assert (reply.status_code, ledger.logs()) == (status, before)
    if status == 409:
        assert (reply.get_data(), reply.content_type) == (b"5\n", "text/x.tlog.size")
    assert "—" not in reply.get_data(as_text=True)
    assert add(witness, TREE.body(5, 9)).status_code == 200


def test_what_must_be_empty_is(witness):
    assert add(witness, TREE.body(0, 7, [bytes(32)])).status_code == 422
    odd = Checkpoint(ORIGIN, 0, bytes(32)).sign(signer())
    assert add(witness, TREE.body(0, 0, note=odd)).status_code == 422
    assert Checkpoint.parse(TREE.checkpoint(0))[0].root == EMPTY_ROOT


def test_a_second_key_of_an_origin_is_accepted_and_a_bad_line_of_a_known_key_spoils(witness, ledger):
    other = type(signer())(ORIGIN, cosigner(3).private)
    assert add(witness, TREE.body(0, 5, note=TREE.checkpoint(5, other))).status_code == 403
    ledger.add_log(other.key)
    assert add(witness, TREE.body(0, 5, note=TREE.checkpoint(5, other))).status_code == 200
    line = TREE.checkpoint(8, other).splitlines(keepends=True)[-1]
    assert add(witness, TREE.body(5, 9, note=TREE.checkpoint(9) + line)).status_code == 403


def test_l13_a_clock_that_went_back_cosigns_nothing(witness, clock):
    assert add(witness, STANDING).status_code == 200
    clock.advance(seconds=-1)
    assert add(witness, TREE.body(5, 9)).status_code == 503
    clock.advance(seconds=1)
    assert add(witness, TREE.body(5, 9)).status_code == 200


class SlowClock(SetClock):
    """Asked for the time between what was read and what is written, it lets the others run."""

    def now(self):
        time.sleep(0.02)
        return super().now()


def test_l15_of_two_histories_at_once_one_is_cosigned(ledger):
    witness = Witness(ledger, OWN, SlowClock())
    assert witness.add_checkpoint(STANDING.encode())
    outcomes, gate = [], threading.Barrier(8)

    def submit(size):
        gate.wait()
        try:
            witness.add_checkpoint(TREE.body(5, size).encode())
        except Exception as refusal:  # noqa: BLE001 - What it was is compared below.
            outcomes.append(type(refusal).__name__)
        else:
            outcomes.append(size)

    threads = [threading.Thread(target=submit, args=(10 + number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [outcome for outcome in outcomes if isinstance(outcome, int)]
    assert len(won) == 1
    assert outcomes.count("SizeConflict") == 7
    assert ledger.logs()[ORIGIN].size == won[0]


def test_whoever_monitors_sees_the_newest_with_both_signatures_and_no_others(witness, ledger, clock):
    address = f"/{sha256_hex(ORIGIN.encode())}/checkpoint"
    assert witness.get(address).status_code == 404
    add(witness, TREE.body(0, 5, note=TREE.checkpoint(5) + "— stranger AAAAAAAAAAAA\n"))
    shown = witness.get(address).get_data(as_text=True)
    note = Note.parse(shown)
    assert list(note.check([signer().key, OWN.key])) == [signer().key, OWN.key]
    assert "stranger" not in shown
    assert witness.get(f"/{'0' * 64}/checkpoint").status_code == 404
    closed = Client(WitnessApp(Witness(ledger, OWN, clock), monitored=False))
    assert closed.get(address).status_code == 404


def test_other_addresses_and_methods_are_refused(witness):
    assert witness.get("/add-checkpoint").status_code == 405
    assert witness.post("/").status_code == 404
