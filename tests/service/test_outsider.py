"""What the public log tells somebody who reads all of it, all the time: the day's total, rounded up to whole tiles."""

from __future__ import annotations

import re

import pytest

from tests.conftest import database_on
from tests.contract.test_log_store import make_log, note
from tests.deployment import loaded
from tests.fakes.keys import ORIGIN, sealed_vault
from tests.fakes.log_store import log_id
from tests.fakes.witnesses import cosigned, cosigner
from verify_service.record_log.public_log import PublicLog
from verify_service.record_log.record import parse_record
from verify_service.record_log.tiles import tile_path, tiles_of, unbundle
from verify_service.storage.case_store import CaseStore
from verify_service.storage.cosignature_store import CosignatureTables
from verify_service.storage.log_store import LogTables

LOG = "/log/LAPD/records"
WITNESS = cosigner(1)


@pytest.fixture
def store(request, tmp_path):
    return LogTables(database_on(request, "sqlite", tmp_path), CaseStore(sealed_vault()))


def public(store):
    return dict(PublicLog(log_id(), store).files())


def shape(files):
    """What is left of the public files once hashes, which look random, are taken out: names, lengths and plain text."""
    blank = re.compile(rb"[A-Za-z0-9+/]{40,}=*")
    return {
        name: len(content) if name.startswith("tile/") else blank.sub(b"(hash)", content)
        for name, content in files.items()
    }


def published_after(store, path, *days):
    """Publish a log after each day's number of calls and return what the public then has."""
    log = make_log(store, path)
    views = []
    for calls in days:
        for call in range(calls):
            log.append(note(f"{len(views)} {call}"))
        log.publish()
        views.append(public(store))
    return views


@pytest.mark.parametrize(
    ("days", "sizes"),
    [
        ((0, 0, 0), [256, 512, 768]),
        ((1, 0, 255), [256, 512, 768]),
        ((255, 1, 8), [256, 512, 768]),
        ((256, 0, 0), [512, 768, 1024]),
        ((300, 511, 1), [512, 1024, 1280]),
        ((510, 0, 255), [512, 768, 1024]),
    ],
)
def test_only_whole_tiles_of_a_days_total_can_be_told(store, tmp_path, days, sizes):
    for number, view in enumerate(published_after(store, tmp_path / "records.mark", *days), start=1):
        assert shape(view) == told_by([0, *sizes[:number]])


def told_by(sizes):
    """Return the shape of a public log as it follows from the sizes published alone, whatever the days were."""
    notes = {size: f"{ORIGIN}\n{size}\n(hash)\n\n— {ORIGIN} (hash)\n".encode() for size in sizes}
    tiles = list(tiles_of(sizes[-1]))
    return {
        **{tile_path(level, index, width): 32 * width for level, index, width in tiles},
        **{tile_path("entries", index): 35 * 256 for level, index, _ in tiles if level == 0},
        **{f"checkpoints/{size}": note for size, note in notes.items()},
        "checkpoints/sizes": "".join(f"{size}\n" for size in sizes).encode(),
        "checkpoint": notes[sizes[-1]],
    }


def test_calls_and_covers_cannot_be_told_apart_by_their_entries(store, tmp_path):
    published_after(store, tmp_path / "records.mark", 100)
    log = make_log(store, tmp_path / "records.mark", new=False)
    kinds = [parse_record(log.record(index)[0]).kind for index in range(256)]
    assert (kinds[:100].count("cover"), kinds[100:].count("cover")) == (0, 156)
    entries = unbundle(public(store)["tile/entries/000"])
    assert {(len(entry), entry[0]) for entry in entries} == {(33, 1)}
    assert len(set(entries)) == 256
    # Each of the other bits is set as often as chance would have it: six standard deviations of 256 throws are 48.
    for part in (entries[:100], entries[100:]):
        ones = [sum(entry[1 + bit // 8] >> bit % 8 & 1 for entry in part) for bit in range(256)]
        spread = 6 * (len(part) ** 0.5) / 2
        assert all(abs(count - len(part) / 2) < spread for count in ones)


def test_nothing_that_the_public_can_ask_for_changes_with_a_call(deployment, known):
    log = deployment.service.logs.records("LAPD")
    log.publish()
    names = [name for name, _ in deployment.service.public_log("LAPD").files()]
    beyond = ["tile/0/001.p/1", "tile/entries/001.p/1", "tile/1/000.p/2", "checkpoints/257", "checkpoints/512"]

    def asked():
        return {name: reply_of(deployment.client.get(f"{LOG}/{name}")) for name in [*names, *beyond]}

    before = asked()
    for _ in range(4):
        deployment.clock.advance(minutes=17)
        loaded(deployment.submit("DHS-ICE", known()))
        assert asked() == before
    assert {before[name][0] for name in beyond} == {404}


def reply_of(reply):
    """Everything of a reply; a problem document's own id is all that may differ."""
    return reply.status_code, sorted(reply.headers), reply.headers["Content-Length"], reply.get_data()


def test_the_witnesses_times_in_public_are_of_the_publication_not_of_a_call(store, tmp_path):
    log, cosignatures = make_log(store, tmp_path / "records.mark"), CosignatureTables(store._database)

    def witness(size):
        signed = store.checkpoint_covering(log_id(), size, published=False).note
        line = cosigned(signed, WITNESS).removeprefix(signed)
        cosignatures.keep(log_id(), size, WITNESS.key.vkey, line, lambda _: True)

    for number in range(256):
        log.append(note(f"n{number}"))
        witness(number + 1)
    size = log.publish()
    assert size == 512
    told = b"".join(content for name, content in public(store).items() if name.startswith("checkpoint"))
    assert WITNESS.name.encode() not in told
    witness(size)
    assert public(store)["checkpoint"].count(WITNESS.name.encode()) == 1
