"""Who is locked out is so for every process, and that they were stays on record, whatever keeps it."""

from __future__ import annotations

import pytest

from tests.conftest import database_on
from tests.fakes.denials import MemoryDenials
from verify_service.access.deny import Act, Denial
from verify_service.storage.deny_store import DenyTables

THEN = Act("60001", "2026-11-24T05:00:00.000Z", "the phone was stolen")
LATER = Act("60002", "2026-11-24T06:00:00.000Z", "it was found")


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def denials(request, tmp_path):
    return MemoryDenials() if request.param == "memory" else DenyTables(database_on(request, request.param, tmp_path))


def test_what_is_denied_stands_until_it_is_lifted_and_is_kept(denials):
    assert denials.add("LAPD", "key", "thumb", THEN)
    assert not denials.add("LAPD", "key", "thumb", LATER)
    assert denials.add("LAPD", "client", "thumb", THEN)
    assert set(denials.standing("LAPD")) == {("key", "thumb"), ("client", "thumb")}
    assert denials.lift("LAPD", "key", "thumb", LATER)
    assert not denials.lift("LAPD", "key", "thumb", LATER)
    assert set(denials.standing("LAPD")) == {("client", "thumb")}
    assert denials.add("LAPD", "key", "thumb", LATER)
    assert list(denials.denials("LAPD")) == [
        Denial("key", "thumb", THEN, LATER),
        Denial("client", "thumb", THEN),
        Denial("key", "thumb", LATER),
    ]


def test_a_department_denies_for_itself_alone(denials):
    denials.add("LAPD", "subject", "u1", THEN)
    assert set(denials.standing("SFPD")) == set()
    assert not denials.lift("SFPD", "subject", "u1", LATER)
    assert list(denials.denials("SFPD")) == []
