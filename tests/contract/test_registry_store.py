"""One contract for every registry store, used through the ingest that the service uses."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from itertools import islice

import pytest
from sqlalchemy import select, text

from tests.fakes.keys import sealed_vault
from tests.registries import DEPARTMENT, Station
from verify_service.errors import RegistryRefused
from verify_service.registry.blinding import BlindingKey
from verify_service.registry.edition import RosterRef
from verify_service.registry.identifier import Identifier
from verify_service.registry.keyring import Keyring
from verify_service.registry.roster_lines import RosterReader
from verify_service.signing import sha256_hex
from verify_service.storage.registry_store import RegistryStore
from verify_service.storage.registry_tables import roster

SMALL_BLOCK = 2000


def read(sample, agency, block_bytes=SMALL_BLOCK):
    content = sample.roster(agency)
    return RosterReader(BytesIO(content), block_bytes), sha256_hex(content)


def pinned(station):
    return sha256_hex(station.sample.root)


def test_before_the_first_ingest_there_is_no_edition(station):
    assert station.store.current(DEPARTMENT) is None
    assert station.store.marks(DEPARTMENT, pinned(station)) == {}
    assert station.store.file(DEPARTMENT, "0" * 64) is None


def test_the_edition_is_what_was_published(station):
    report = station.ingest()
    edition = station.store.current(DEPARTMENT)
    assert (edition.number, report.changed, report.refusals) == (1, True, [])
    assert {code: state.profile for code, state in edition.agencies.items()} == {
        profile.agency: profile for profile in station.sample.profiles()
    }
    assert list(edition.agencies) == sorted(edition.agencies)
    ice = edition.agencies["DHS-ICE"]
    content = station.sample.roster("DHS-ICE")
    assert ice.roster == RosterRef.of(ice.roster.number, sha256_hex(content), RosterReader(BytesIO(content)).header)
    assert edition.agencies["DOI-NPS"].roster is None
    assert edition.agencies["DOI-NPS"].role.version == 1
    assert edition.refreshed_at == station.clock.now()
    assert edition == report.edition


def test_every_byte_that_a_check_quotes_is_kept(station):
    station.ingest()
    edition = station.store.current(DEPARTMENT)
    for file in (edition.root, edition.timestamp, edition.snapshot, edition.targets):
        assert sha256_hex(station.store.file(DEPARTMENT, file.sha256)) == file.sha256
    for code, state in edition.agencies.items():
        assert sha256_hex(station.store.file(DEPARTMENT, state.role.sha256)) == state.role.sha256
        assert station.store.file(DEPARTMENT, state.profile_sha256) == state.profile.content()
        if state.roster is not None:
            kept = b"".join(station.store.roster_content(DEPARTMENT, state.roster.number))
            assert kept == station.sample.roster(code)


def test_entries_are_found_by_roster_and_tag_together(station):
    station.ingest()
    edition = station.store.current(DEPARTMENT)
    number, other = (edition.agencies[code].roster.number for code in ("DHS-ICE", "DHS-CBP"))
    listed = station.sample.key("DHS-ICE").tag(station.sample.known("DHS-ICE"))
    absent = station.sample.key("DHS-ICE").tag(station.sample.known("DHS-ICE", status="absent"))
    found = station.store.look_up(DEPARTMENT, lambda _: [(number, listed), (number, absent), (other, listed)])[1]
    assert list(found) == [(number, listed)]
    assert (found[number, listed].kind, found[number, listed].status) == ("badge", "active")
    assert found[number, listed].not_before < station.clock.now() < found[number, listed].expires
    assert station.store.look_up(DEPARTMENT, lambda _: [])[1] == {}


def test_one_department_knows_nothing_of_another(station):
    station.ingest()
    number = station.store.current(DEPARTMENT).agencies["DHS-ICE"].roster.number
    tag = station.sample.key("DHS-ICE").tag(station.sample.known("DHS-ICE"))
    assert station.store.current("LASD") is None
    assert station.store.look_up("LASD", lambda _: [(number, tag)])[1] == {}
    assert station.store.marks("LASD", pinned(station)) == {}
    assert station.store.find_roster("LASD", "DHS-ICE", sha256_hex(station.sample.roster("DHS-ICE"))) is None
    edition = station.store.current(DEPARTMENT)
    assert station.store.file("LASD", edition.root.sha256) is None


def test_two_departments_each_have_their_own_edition(station, stores, tmp_path):
    station.ingest()
    other = Station(station.sample, *stores, tmp_path / "other", department="LASD")
    gone = station.sample.known("DHS-ICE")
    station.sample.publish_roster("DHS-ICE", station.sample.next_roster("DHS-ICE", without=[gone]))
    assert other.ingest().edition.number == 1
    assert other.result(gone, "DHS-ICE") == "no_match"
    assert station.result(station.sample.known("DHS-ICE"), "DHS-ICE") == "match_active"


def test_an_edition_knows_that_a_newer_roster_was_not_taken_until_it_is(station):
    def behind():
        edition = station.store.current(DEPARTMENT)
        return [code for code, agency in edition.agencies.items() if agency.newer_not_taken]

    station.ingest()
    assert behind() == []
    good = station.sample.next_roster("DHS-ICE", station.sample.known("DHS-ICE", status="absent"))
    station.sample.publish_roster("DHS-ICE", good + b"x")
    station.sample.publish_roster("DHS-CBP", station.sample.small_roster("DHS-CBP"))
    assert station.ingest().edition.number == 1
    assert behind() == ["DHS-CBP", "DHS-ICE"]
    (check,) = station.check(Identifier("badge", "98765"), "DHS-ICE")
    assert (check.result, check.coverage) == ("no_match", "partial")
    station.sample.publish_roster("DHS-ICE", good)
    station.ingest()
    assert behind() == ["DHS-CBP"]
    (check,) = station.check(Identifier("badge", "98765"), "DHS-ICE")
    assert (check.result, check.coverage) == ("no_match", "complete")


def test_a_newer_timestamp_renews_freshness_and_leaves_the_number(station):
    first = station.ingest().edition
    station.clock.advance(hours=1)
    station.sample.publisher.timestamp()
    report = station.ingest()
    second = station.store.current(DEPARTMENT)
    assert (report.changed, second.number) == (False, first.number)
    assert second.timestamp.version == first.timestamp.version + 1
    assert second.timestamp.expires == first.timestamp.expires + timedelta(hours=1)
    assert second.refreshed_at == station.clock.now()
    assert station.store.file(DEPARTMENT, first.timestamp.sha256) is not None


def test_a_new_roster_makes_a_new_edition_and_the_old_bytes_stay(station):
    first = station.ingest().edition.agencies["DHS-ICE"].roster
    old = station.sample.roster("DHS-ICE")
    station.sample.publish_roster("DHS-ICE", station.sample.next_roster("DHS-ICE"))
    report = station.ingest()
    assert (report.edition.number, report.changed, report.loaded) == (2, True, [("DHS-ICE", first.count)])
    assert b"".join(station.store.roster_content(DEPARTMENT, first.number)) == old
    assert station.store.find_roster(DEPARTMENT, "DHS-ICE", first.sha256) == first


def test_marks_hold_the_version_of_every_role(station):
    station.ingest()
    marks = station.store.marks(DEPARTMENT, pinned(station))
    assert marks.keys() == {"root", "timestamp", "snapshot", "targets"} | set(
        station.store.current(DEPARTMENT).agencies
    )
    station.clock.advance(minutes=1)
    station.sample.publisher.timestamp()
    station.ingest()
    assert station.store.marks(DEPARTMENT, pinned(station))["timestamp"].version == marks["timestamp"].version + 1


def test_a_roster_that_fails_on_the_way_leaves_nothing(station):
    reader, sha256 = read(station.sample, "DHS-ICE")
    tags = []

    def broken():
        for rows in islice(reader.blocks(), 3):
            tags.append(rows[0][0])
            yield rows
        raise RegistryRefused("the fourth block is at fault")

    with pytest.raises(RegistryRefused, match="fourth"):
        station.store.load_roster(DEPARTMENT, reader.header, sha256, broken())
    assert station.store.find_roster(DEPARTMENT, "DHS-ICE", sha256) is None
    assert station.store.look_up(DEPARTMENT, lambda _: [(1, tag) for tag in tags])[1] == {}
    reader, _ = read(station.sample, "DHS-ICE")
    ref = station.store.load_roster(DEPARTMENT, reader.header, sha256, reader.blocks())
    assert station.store.look_up(DEPARTMENT, lambda _: [(ref.number, tag) for tag in tags])[1].keys() == {
        (ref.number, tag) for tag in tags
    }


def test_a_program_killed_between_blocks_leaves_the_old_edition_and_the_next_cycle_sweeps(station):
    station.ingest()
    station.sample.publish_roster("DHS-CBP", station.sample.next_roster("DHS-CBP"))
    reader, sha256 = read(station.sample, "DHS-ICE")
    header = RosterReader(BytesIO(station.sample.next_roster("DHS-ICE"))).header

    def killed():
        yield from islice(reader.blocks(), 3)
        # Not an Exception: nothing of ours catches it, as nothing of ours runs after kill -9.
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        station.store.load_roster(DEPARTMENT, header, sha256[::-1], killed())
    assert station.store.current(DEPARTMENT).number == 1
    assert station.result(station.sample.known("DHS-ICE"), "DHS-ICE") == "match_active"
    assert station.store.find_roster(DEPARTMENT, "DHS-ICE", sha256[::-1]) is None
    station.ingest()
    assert station.store.current(DEPARTMENT).number == 2
    if isinstance(station.store, RegistryStore):
        with station.store._database.read() as connection:
            assert not connection.scalars(select(roster.c.number).where(roster.c.loaded.is_(False))).all()
            rows = connection.scalar(text("SELECT count(*) FROM roster_entry"))
            listed = connection.scalar(
                text("SELECT count(*) FROM roster_entry e JOIN roster r ON r.number = e.roster AND r.loaded")
            )
            assert rows == listed


def test_a_blinding_key_is_kept_once_and_never_replaced(stores):
    _, keys = stores
    ring = Keyring(keys, sealed_vault(DEPARTMENT))
    first, retired = BlindingKey("DHS-ICE", 2, b"2" * 32), BlindingKey("DHS-ICE", 1, b"1" * 32)
    assert ring.take_in(DEPARTMENT, [first, retired]) == 2
    assert ring.take_in(DEPARTMENT, [first]) == 0
    with pytest.raises(RegistryRefused, match="Another blinding key"):
        ring.take_in(DEPARTMENT, [BlindingKey("DHS-ICE", 2, b"3" * 32)])
    again = Keyring(keys, sealed_vault(DEPARTMENT))
    assert again.key(DEPARTMENT, "DHS-ICE", 2) == first
    assert again.held(DEPARTMENT, "DHS-ICE", 1) == retired
    assert again.key(DEPARTMENT, "DHS-CBP", 2) is None
    assert again.key("LASD", "DHS-ICE", 2) is None
    with pytest.raises(RegistryRefused, match="restore"):
        again.held(DEPARTMENT, "DHS-CBP", 1)
    with pytest.raises(RegistryRefused):
        keys.keep_blinding_keys(DEPARTMENT, keys.blinding_keys(DEPARTMENT))


def test_a_keyring_finds_a_key_that_another_process_took_in(stores):
    _, keys = stores
    ring, other = (Keyring(keys, sealed_vault(DEPARTMENT)) for _ in range(2))
    assert ring.key(DEPARTMENT, "DHS-ICE", 1) is None
    other.take_in(DEPARTMENT, [BlindingKey("DHS-ICE", 1, b"1" * 32)])
    assert ring.key(DEPARTMENT, "DHS-ICE", 1).key == b"1" * 32
