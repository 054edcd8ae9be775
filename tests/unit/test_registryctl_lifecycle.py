"""An agency from its enrolment to its removal, by holders who keep their keys apart; a department follows each step."""

import pytest

from tests.fakes.registry import MemoryRegistry
from tests.holders import CODE, ROWS, Holders
from tests.registries import Station
from verify_service.registry.identifier import Identifier

LISTED, SUSPENDED = Identifier("badge", "10001"), Identifier("badge", "10002")


@pytest.fixture
def holders(tmp_path):
    return Holders(tmp_path)


def sign_elsewhere(holders, role, key, tmp_path):
    exported, signature = tmp_path / "to-sign.json", tmp_path / "signature.json"
    holders.do("export", holders.folder, role, exported)
    holders.do("sign-bytes", exported, "--key", key, "--out", signature)
    holders.do("import", holders.folder, role, signature)


def ingest(station):
    """Ingest an hour after the last publication, everything in it accepted."""
    report = station.ingest()
    assert report.refusals == []
    station.clock.advance(hours=1)
    return report.edition


def enrol(holders, station, tmp_path):
    holders.init()
    holders.enrol()
    holders.sign("targets")
    holders.list(*ROWS)
    assert holders.build() == 0
    for key in holders.keys[CODE][:2]:
        sign_elsewhere(holders, CODE, key, tmp_path)
    assert holders.publish() == 0
    station = station()
    assert ingest(station).agencies[CODE].roster.count == len(ROWS)
    assert station.result(SUSPENDED, CODE) == "match_active"
    return station


def suspend(holders, station):
    holders.list(ROWS[0], "badge,10002,suspended,,", *ROWS[2:])
    assert holders.build() == 0
    holders.sign(CODE)
    assert holders.publish() == 0
    assert ingest(station).agencies[CODE].roster.seq == 2
    assert (station.result(LISTED, CODE), station.result(SUSPENDED, CODE)) == ("match_active", "match_inactive")


def rotate_agency(holders, station):
    holders.make_keys(CODE, 3)
    holders.do("agency", "rotate-key", holders.folder, CODE, *holders.publics(CODE))
    holders.sign("targets")
    holders.sign(CODE)
    assert holders.publish() == 0
    assert ingest(station).agencies[CODE].role.version == 3


def rotate_root(holders, station):
    old = {role: list(holders.keys[role]) for role in ("root", "timestamp")}
    for role, count in (("root", 5), ("timestamp", 1)):
        holders.make_keys(role, count)
    words = [*holders.publics("root", "--root-key"), *holders.publics("timestamp", "--timestamp-key")]
    holders.do("root", "rotate", holders.folder, *words)
    holders.sign("root", 3, old["root"])
    holders.sign("root", 3)
    assert holders.publish("--key", old["timestamp"][0]) == 0
    edition = ingest(station)
    assert (edition.root.version, station.result(LISTED, CODE)) == (2, "match_active")


def remove(holders, station):
    holders.do("agency", "remove", holders.folder, CODE)
    holders.sign("targets")
    assert holders.publish() == 0
    assert ingest(station).agencies == {}


def test_an_agency_is_enrolled_listed_suspended_rotated_and_removed(holders, tmp_path):
    memory = MemoryRegistry()
    station = enrol(holders, lambda: Station(holders, memory, memory, tmp_path / "ingest"), tmp_path)
    suspend(holders, station)
    rotate_agency(holders, station)
    rotate_root(holders, station)
    remove(holders, station)
    assert holders.verifies()
