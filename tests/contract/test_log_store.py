"""One contract for every log store, used through the log that the service uses."""

from __future__ import annotations

import threading

import pytest

from tests.conftest import database_on
from tests.fakes.clock import SetClock
from tests.fakes.keys import OneKey, sealed_vault, seeded_bytes, signer
from tests.fakes.log_store import MemoryLogs, log_id
from verify_service.clock import rfc3339
from verify_service.errors import IdempotencyKeyReused, InvalidRequest, LogRefused, NotAuthenticated, NotFound
from verify_service.record_log.append import Append, Composition, Draft, RetryKey, SpentProof
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.group_commit import Ticket
from verify_service.record_log.high_water import HighWater
from verify_service.record_log.log import Head, StoredCheckpoint
from verify_service.record_log.merkle import Peaks, leaf_hash
from verify_service.record_log.receipt import verify_receipt
from verify_service.record_log.record import Record, SealedField, parse_record
from verify_service.record_log.record_log import RecordLog
from verify_service.storage.case_store import CaseStore
from verify_service.storage.log_store import LogTables
from verify_service.verification.event import body
from verify_service.verification.projection import CaseProjection

CLOCK = SetClock()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request, tmp_path):
    if request.param == "memory":
        return MemoryLogs()
    return LogTables(database_on(request, request.param, tmp_path), CaseStore(sealed_vault()))


@pytest.fixture
def log(store, tmp_path):
    return make_log(store, tmp_path / "records.mark")


def make_log(store, path, *, new=True, key=None):
    key, high_water = key or signer(), HighWater(path)
    if new:
        note = Checkpoint(key.name, 0, Peaks().root).sign(key)
        store.create(log_id(), key.name, StoredCheckpoint(0, note, rfc3339(CLOCK.now())))
        high_water.create(Peaks())
    return RecordLog(log_id(), store, OneKey(key), sealed_vault(), high_water, CaseProjection(), CLOCK, seeded_bytes(2))


def note(text, key=None, subject="incident:v"):
    """An event on an incident: the first opens it, the others state a fact."""

    def compose(subjects):
        first = subjects[subject].state is None
        record = Record(
            kind="incident_opened" if first else "scene_facts",
            department="LAPD",
            received_at=rfc3339(CLOCK.now()),
            subject=subject,
            actor={"serial": "38211", "role": "officer"},
            body=body(observed={"number": None} if first else {"place_type": text}),
        )
        draft = Draft(record, (SealedField(text, bytes(32)),))
        return Composition((draft,), lambda placed, _: f"{text} at {placed[0].index}".encode())

    return Append(frozenset({subject}), compose, key)


def test_what_is_appended_can_be_read_and_proved(log):
    for number in range(5):
        appended = log.append(note(f"n{number}"))
        assert appended.reply == f"n{number} at {number}".encode()
    for number in range(5):
        content, fields = log.record(number)
        record = parse_record(content)
        assert record.seq == number
        assert [field.value for field in fields.values()] == [f"n{number}"]
        assert verify_receipt(log.receipt(number), content, log.policy).checkpoint.size == number + 1


def test_each_record_names_the_commitment_of_the_one_before(log, store):
    for number in range(3):
        log.append(note(f"n{number}"))
    entries = store.entries(log_id(), 0, 3)
    previous = [parse_record(log.record(number)[0]).prev for number in range(3)]
    assert previous == [None, entries[0][1:].hex(), entries[1][1:].hex()]


def test_a_receipt_is_the_same_bytes_every_time(log):
    log.append(note("first"))
    before = log.receipt(0)
    for number in range(3):
        log.append(note(f"later {number}"))
    assert log.receipt(0) == before


def test_l04_a_retry_gets_its_first_answer_and_adds_nothing(log, store):
    key = RetryKey(b"r" * 32, b"f" * 32)
    first = log.append(note("once", key))
    again = log.append(note("once", key))
    assert (again.reply, again.replayed) == (first.reply, True)
    assert store.head(log_id()).size == 1
    with pytest.raises(IdempotencyKeyReused):
        log.append(note("other", RetryKey(b"r" * 32, b"x" * 32)))


def test_a_proof_serves_for_one_request_even_where_that_is_refused_or_a_retry(log, store):
    def refuse(subjects):
        raise InvalidRequest.at("/x", "No.")

    def key(number, spends):
        return RetryKey(bytes([number]) * 32, b"f" * 32, SpentProof(spends * 32, 100))

    log.append(note("first", key(1, b"a")))
    log.append(note("first", key(1, b"b")))
    with pytest.raises(InvalidRequest):
        log.append(Append(frozenset(), refuse, key(2, b"c")))
    for spent in (b"a", b"b", b"c"):
        with pytest.raises(NotAuthenticated, match="served for another request already"):
            log.append(note("again", key(3, spent)))
        with pytest.raises(NotAuthenticated):
            log.append(note("first", key(1, spent)))
    assert store.head(log_id()).size == 1


def test_of_two_requests_with_one_proof_in_a_batch_one_is_answered(log, store):
    keys = [RetryKey(bytes([n]) * 32, b"f" * 32, SpentProof(bytes([n // 2]) * 32, 100)) for n in range(8)]
    tickets = [Ticket((note(f"n{n}", key), None)) for n, key in enumerate(keys)]
    with log._high_water.turn() as turn:
        log._commit(turn, tickets)
    refused = [ticket for ticket in tickets if isinstance(ticket._error, NotAuthenticated)]
    assert len(refused) == 4
    assert store.head(log_id()).size == 4


def test_a_refused_request_leaves_nothing(log, store):
    def refuse(subjects):
        raise InvalidRequest.at("/x", "No.")

    with pytest.raises(InvalidRequest):
        log.append(Append(frozenset(), refuse))
    assert store.head(log_id()).size == 0
    assert store.entries(log_id(), 0, 9) == []


def test_the_state_of_a_subject_is_what_its_records_add_up_to(log, store):
    for place in ("street", "home"):
        log.append(note(place))
    with store.hold_tail(log_id()) as tail:
        stood = tail.subjects(["incident:v", "incident:unknown"])
    assert stood["incident:v"].state.scene == {"place_type": "home"}
    assert stood["incident:v"].seq == 2
    assert (stood["incident:unknown"].seq, stood["incident:unknown"].state) == (0, None)


def test_an_event_is_found_by_its_subject_and_seq(log, store):
    log.append(note("a"))
    log.append(note("b", subject="incident:w"))
    log.append(note("c"))
    assert store.locate("LAPD", "incident:v", 1) == (log_id(), 2)
    assert store.locate("LAPD", "incident:v", 2) is None
    assert store.locate("SFPD", "incident:v", 1) is None
    with pytest.raises(NotFound):
        log.record(3)


def test_a_closed_log_takes_nothing_and_its_successor_knows_how_many_came_before(log, store):
    log.append(note("a"))
    old, new = log_id(), log_id("records-2")
    first = StoredCheckpoint(0, "note", "2026-11-24T05:00:00.000Z")
    with pytest.raises(ZeroDivisionError), store.succeed(old, "logs.example/log/LAPD/records-2", first):
        raise ZeroDivisionError
    assert store.head(new) is None
    assert store.head(old).successor is None
    with store.succeed(old, "logs.example/log/LAPD/records-2", first) as tail:
        assert tail.head == Head("logs.example/log/LAPD/records-2", before=1)
    assert store.head(old).successor == "records-2"
    assert [name for name in store.names("LAPD") if name.startswith("records")] == ["records", "records-2"]
    with pytest.raises(LogRefused):
        log.append(note("b"))
    with pytest.raises(LogRefused), store.succeed(old, "logs.example/log/LAPD/records-2", first):
        pass
    assert store.head(old).size == 1


def test_the_head_names_the_keys_that_sign_from_where_they_were_named_on(log, store):
    log.append(note("a"))
    assert store.head(log_id()).key_ids == ()
    with pytest.raises(ZeroDivisionError), store.hold_tail(log_id()) as tail:
        tail.sign_with(["00000000"])
        raise ZeroDivisionError
    assert store.head(log_id()).key_ids == ()
    own = signer().key_id.hex()
    with store.hold_tail(log_id()) as tail:
        tail.sign_with([own])
    log.append(note("b"))
    assert (store.head(log_id()).size, store.head(log_id()).key_ids) == (2, (own,))
    with store.hold_tail(log_id()) as tail:
        tail.sign_with([own, "00000000"])
    for ask in (lambda: log.append(note("c")), log.publish):
        with pytest.raises(LogRefused, match=f"to be signed with {own} and 00000000, but this host has {own}"):
            ask()
    assert store.head(log_id()).size == 2


def test_tiles_grow_past_a_whole_one(log, store):
    def many(subjects):
        drafts = tuple(Draft(Record(kind="k", department="LAPD", received_at="t", body={"n": n})) for n in range(100))
        return Composition(drafts, lambda placed, _: b"")

    for _ in range(6):
        log.append(Append(frozenset(), many))
    entries = store.entries(log_id(), 0, 600)
    hashes = b"".join(leaf_hash(entry) for entry in entries)
    assert [store.tile(log_id(), 0, n) for n in range(4)] == [hashes[:8192], hashes[8192:16384], hashes[16384:], b""]
    assert len(store.tile(log_id(), 1, 0)) == 64
    for index in (0, 255, 256, 511, 512, 599):
        assert verify_receipt(log.receipt(index), log.record(index)[0], log.policy)


def test_publication_fills_whole_bundles_and_signs_exactly_that(log, store):
    log.append(note("a"))
    assert log.publish() == 256
    assert [c.size for c in store.checkpoints(log_id(), published=True)] == [0, 256]
    assert parse_record(log.record(255)[0]).kind == "cover"
    published = log.receipt(0, published=True)
    assert verify_receipt(published, log.record(0)[0], log.policy).checkpoint.size == 256
    log.append(note("b"))
    with pytest.raises(NotFound, match="not in a published"):
        log.receipt(256, published=True)
    # Nothing new: still a whole bundle past the last one, so that a quiet day looks like any other.
    assert log.publish() == 512
    assert log.publish(lambda published: published < 512) is None


def test_l12_two_processes_worth_of_logs_make_one_history(log, store, tmp_path):
    logs = [log, make_log(store, tmp_path / "records.mark", new=False)]
    threads = [
        threading.Thread(target=lambda n=n: [logs[n % 2].append(note(f"{n}.{i}")) for i in range(10)]) for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert store.head(log_id()).size == 60
    seqs = [parse_record(log.record(index)[0]).seq for index in range(60)]
    assert seqs == list(range(60))
    for checkpoint in store.checkpoints(log_id(), published=False):
        parsed, signed = Checkpoint.parse(checkpoint.note)
        assert signed.check([signer().key])
        peaks = Peaks()
        for entry in store.entries(log_id(), 0, parsed.size):
            peaks = peaks.append(leaf_hash(entry))
        assert peaks.root == parsed.root
