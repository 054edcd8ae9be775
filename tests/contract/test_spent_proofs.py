"""What one worker or host saw used is used for every other, on each engine."""

from __future__ import annotations

import threading

from verify_service.record_log.append import SpentProof
from verify_service.storage.proof_store import ProofTables


def proof(letter, expires=100):
    return SpentProof(letter * 32, expires)


def test_a_proof_is_spent_once_in_its_department(database):
    here, there = ProofTables(database), ProofTables(database)
    assert here.spend("LAPD", [proof(b"a"), proof(b"b"), proof(b"a")]) == {b"a" * 32, b"b" * 32}
    assert there.spend("LAPD", [proof(b"a"), proof(b"c")]) == {b"c" * 32}
    assert there.spend("SFPD", [proof(b"a")]) == {b"a" * 32}


def test_what_ended_is_forgotten_and_nothing_else(database):
    tables = ProofTables(database)
    tables.spend("LAPD", [proof(b"a", 99), proof(b"b", 100)])
    tables.spend("SFPD", [proof(b"a", 99)])
    tables.forget("LAPD", 100)
    assert tables.spend("LAPD", [proof(b"a"), proof(b"b")]) == {b"a" * 32}
    assert tables.spend("SFPD", [proof(b"a")]) == set()


def test_of_many_at_once_one_gets_through(database):
    tables, won = ProofTables(database), []

    def ask():
        won.extend(tables.spend("LAPD", [proof(b"x"), proof(b"a")]))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(won) == [b"a" * 32, b"x" * 32]
