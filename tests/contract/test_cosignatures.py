"""One contract for what keeps cosignatures, over memory, SQLite and PostgreSQL."""

from __future__ import annotations

import threading

import pytest

from tests.conftest import database_on
from tests.contract.test_log_store import make_log, note
from tests.fakes.keys import sealed_vault
from tests.fakes.log_store import MemoryLogs, log_id
from tests.fakes.witnesses import cosigned, cosigner
from verify_service.record_log.receipt import verify_receipt
from verify_service.record_log.trust import TrustPolicy
from verify_service.storage.case_store import CaseStore
from verify_service.storage.cosignature_store import CosignatureTables
from verify_service.storage.log_store import LogTables

ONE, TWO, THREE = (cosigner(number) for number in (1, 2, 3))


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def stores(request, tmp_path):
    """The logs, and where their cosignatures are kept."""
    if request.param == "memory":
        logs = MemoryLogs()
        return logs, logs
    database = database_on(request, request.param, tmp_path)
    return LogTables(database, CaseStore(sealed_vault())), CosignatureTables(database)


@pytest.fixture
def log(stores, tmp_path):
    made = make_log(stores[0], tmp_path / "records.mark")
    for text in "abc":
        made.append(note(text))
    return made


def keep(stores, size, *cosigners, least=2):
    logs, cosignatures = stores
    signed = logs.checkpoint_covering(log_id(), size, published=False)
    for by in cosigners:
        line = cosigned(signed.note, by).removeprefix(signed.note)
        cosignatures.keep(log_id(), size, by.key.vkey, line, lambda text: text.count("— witness") >= least)


def witnessed(stores, size=1):
    found = stores[0].witnessed_covering(log_id(), size)
    return None if found is None else (found.size, found.witnessed.count("— witness"))


def test_a_checkpoint_is_witnessed_once_enough_have_cosigned_and_stays_so(log, stores):
    assert stores[1].latest(log_id()) == {}
    keep(stores, 2, ONE)
    assert witnessed(stores) is None
    keep(stores, 2, TWO)
    assert witnessed(stores) == (2, 2)
    kept = log.receipt(0, witnessed=True)
    keep(stores, 2, THREE)
    assert log.receipt(0, witnessed=True) == kept
    assert stores[1].latest(log_id()) == {by.key.vkey: 2 for by in (ONE, TWO, THREE)}
    lines = "".join(f"witness {name} {by.key.vkey}\n" for name, by in (("a", ONE), ("b", TWO)))
    policy = TrustPolicy.parse(f"log {log.policy.logs[0].vkey}\n{lines}group g all a b\nquorum g\n")
    assert set(verify_receipt(kept, log.record(0)[0], policy).cosigned) == {"a", "b"}


def test_the_first_line_of_a_witness_stays(log, stores):
    keep(stores, 2, ONE, ONE, ONE, least=2)
    assert witnessed(stores) is None


def test_the_first_witnessed_checkpoint_that_covers_is_found_and_never_an_earlier_one_later(log, stores):
    keep(stores, 3, ONE, TWO)
    assert (witnessed(stores), witnessed(stores, 3), witnessed(stores, 4)) == ((3, 2), (3, 2), None)
    kept = log.receipt(0, witnessed=True)
    # Somebody slow has cosigned an older checkpoint meanwhile: receipts that were given stay as they are.
    keep(stores, 1, ONE, TWO)
    assert log.receipt(0, witnessed=True) == kept


def test_the_two_that_make_the_quorum_may_answer_at_once(log, stores):
    cosigners = [cosigner(number) for number in range(10, 18)]
    threads = [threading.Thread(target=keep, args=(stores, 3, by), kwargs={"least": 8}) for by in cosigners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert witnessed(stores) == (3, 8)


def test_what_is_published_was_never_witnessed_at_the_time_of_a_call(log, stores):
    for number in range(253):
        log.append(note(f"n{number}"))
    keep(stores, 256, ONE, TWO)
    assert log.publish() == 512
    assert stores[0].checkpoint_covering(log_id(), 512, published=True).witnessed is None
