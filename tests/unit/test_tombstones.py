"""What was destroyed is remembered line by line, and nobody without the department's key can add to it."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat

import pytest

from verify_service.errors import LogRefused
from verify_service.record_log.tombstones import Buried, Tombstone, TombstoneFile


def authenticate(line, key=b"department"):
    return hmac.new(key, line.encode(), hashlib.sha256).digest()


def tombstone(number):
    entry = Buried("logs.example/log/LAPD/records", number, f"{number:064x}")
    return Tombstone(f"verification:{number}", "Court order", "BH-1", ("27415", "27416"), False, (entry,))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "high-water/LAPD.tombstones"


@pytest.fixture
def file(path):
    return TombstoneFile(path, authenticate)


def test_what_was_added_is_read_in_order_and_is_its_owners_alone(file, path):
    assert file.read() == []
    for number in range(3):
        file.add(tombstone(number))
    assert TombstoneFile(path, authenticate).read() == [tombstone(number) for number in range(3)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("left", [1, 20, 80])
def test_a_torn_line_was_acknowledged_to_nobody_and_makes_way_for_the_next(file, path, left):
    file.add(tombstone(0))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:left])
    assert file.read() == [tombstone(0)]
    file.add(tombstone(1))
    assert file.read() == [tombstone(0), tombstone(1)]


def test_no_line_of_somebody_without_the_key_destroys_anything(file, path):
    file.add(tombstone(0))
    TombstoneFile(path, lambda line: authenticate(line, b"thief")).add(tombstone(1))
    with pytest.raises(LogRefused, match="Line 2 of .* was altered"):
        file.read()


def test_a_changed_line_is_refused(file, path):
    file.add(tombstone(0))
    path.write_text(path.read_text().replace("verification:0", "verification:1"))
    with pytest.raises(LogRefused, match="Line 1 of .* was altered"):
        file.read()


def test_the_disk_has_it_before_it_is_said(file, monkeypatch):
    synced = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(os.fstat(descriptor).st_size), real(descriptor)))
    file.add(tombstone(0))
    assert synced[0] == file._path.stat().st_size


def test_a_line_that_is_written_in_part_is_not_said_to_be_kept(file, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, line: real(descriptor, line[:20]))
    with pytest.raises(LogRefused, match="No space left"):
        file.add(tombstone(1))
    monkeypatch.undo()
    assert file.read() == []
    file.add(tombstone(1))
    assert file.read() == [tombstone(1)]


def test_a_disk_that_fails_is_said_with_what_to_do(file, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LogRefused, match="Make room there, then send the approval again"):
        file.add(tombstone(0))
