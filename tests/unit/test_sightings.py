"""A database that is behind a witness is refused; a witness that does not say stops nothing, and is named loudly."""

from __future__ import annotations

import logging

import pytest

from tests.contract.test_log_store import make_log, note
from tests.fakes.clock import SetClock
from tests.fakes.log_store import MemoryLogs, log_id
from tests.unit.test_witnessing import POLICY, Witnesses, fails
from verify_service.errors import LogRefused
from verify_service.record_log.sightings import Sightings
from verify_service.record_log.witnessing import Witnessing, witness_policy


@pytest.fixture
def store():
    return MemoryLogs()


@pytest.fixture
def log(store, tmp_path):
    return make_log(store, tmp_path / "records.mark")


@pytest.fixture
def witnesses(tmp_path, log):
    return Witnesses(tmp_path, SetClock(), log.policy.logs[0])


def sightings(store, witnesses, *logs):
    return Sightings(logs or (log_id(),), store, store, witness_policy(POLICY.encode()), witnesses)


@pytest.fixture
def older(store, log, witnesses, tmp_path):
    """Let the witnesses see a published log and one more entry, and return an older database of the same log."""
    older = MemoryLogs()
    make_log(older, tmp_path / "older.mark")
    log.publish()
    log.append(note("a"))
    Witnessing([log_id()], store, store, witness_policy(POLICY.encode()), witnesses, SetClock()).submit_new()
    return older


def test_a_database_that_has_what_the_witnesses_saw_is_not_refused_and_asking_moves_no_witness(
    store, log, older, witnesses, caplog
):
    seen = len(witnesses.asked)
    for _ in range(2):
        sightings(store, witnesses).check()
    log.append(note("b"))
    sightings(store, witnesses).check()
    assert caplog.text == ""
    assert set(witnesses.asked[seen:]) == {("ig", 257), ("ig", 258), ("press", 256), ("court", 256)}
    assert [one.seen for one in sightings(older, witnesses).ahead()] == [257, 256, 256]


def test_a_new_log_is_behind_nobody(store, log, witnesses, caplog):
    sightings(store, witnesses).check()
    assert caplog.text == ""


def test_a_database_behind_one_witness_is_refused_with_what_to_do(older, witnesses):
    for name in ("press", "court"):
        witnesses.instead[name] = fails(ConnectionError("down"))
    says = "witness ig saw 257 entries, but the database has 0.*newest backup.*taken out of VERIFY_WITNESSES.*closed"
    with pytest.raises(LogRefused, match=says):
        sightings(older, witnesses).check()


def test_what_this_database_kept_from_witnesses_tells_that_its_end_was_cut_off(store, log, older, witnesses):
    older._logs[log_id()].lines = store._logs[log_id()].lines
    for name in ("ig", "press", "court"):
        witnesses.instead[name] = fails(ConnectionError("down"))
    with pytest.raises(LogRefused, match="own cosignatures saw 257 entries"):
        sightings(older, witnesses).check()


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (fails(ConnectionError("it cannot be reached")), "it cannot be reached"),
        (fails(TimeoutError("within a second")), "within a second"),
        (lambda _: (503, b"busy"), "it answered 503"),
        (lambda _: (409, b"many\n"), "not a plain decimal"),
    ],
)
def test_a_witness_that_does_not_say_stops_nothing_and_is_named_loudly(store, log, witnesses, caplog, answer, says):
    for name in ("ig", "press", "court"):
        witnesses.instead[name] = answer
    with caplog.at_level(logging.ERROR):
        sightings(store, witnesses).check()
    for name in ("ig", "press", "court"):
        assert f"The witness {name} did not say how far it saw LAPD/records" in caplog.text
    assert says in caplog.text


def test_those_who_may_not_see_heads_are_not_asked_about_access(store, log, witnesses):
    access = log_id("access")
    store._logs[access] = store._logs.pop(log_id())
    sightings(store, witnesses, access).check()
    assert {name for name, _ in witnesses.asked} == {"ig"}


def test_a_closed_log_is_behind_nobody(older, witnesses):
    kept = older._logs[log_id()]
    kept.head = type(kept.head)(kept.head.origin, successor="records-2")
    sightings(older, witnesses).check()


def test_a_log_that_goes_on_while_it_is_asked_is_behind_nobody(store, log, witnesses):
    def meanwhile(body):
        log.append(note("of another host"))
        return 409, b"1\n"

    witnesses.instead["ig"] = meanwhile
    sightings(store, witnesses).check()


def test_another_history_of_the_same_size_is_refused(store, log, older, witnesses, tmp_path):
    fork = MemoryLogs()
    forked = make_log(fork, tmp_path / "fork.mark")
    forked.append(note("a"))
    forked.publish()
    forked.append(note("b"))
    with pytest.raises(LogRefused, match="The witness ig saw another history of LAPD/records at 257 entries"):
        sightings(fork, witnesses).check()
