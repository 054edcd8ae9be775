"""Attacks 6, 7, 17, 21, 22 and 24 on the registry: files that are endless, slow, swapped, broken or half in place."""

import re
import signal
import threading
import time
from dataclasses import replace

import pytest

from tests.fault.doomed_ingest import run_doomed
from tests.registries import DEPARTMENT, Station
from tests.site import drip, endless
from verify_service.errors import RegistryRefused
from verify_service.registry.identifier import Identifier
from verify_service.registry.source import Patience
from verify_service.signing import sha256_hex
from verify_service.storage.blinding_key_store import BlindingKeyStore
from verify_service.storage.registry_store import RegistryStore


def published(besieged, change=lambda content: content):
    """Publish a next roster of DHS-ICE as the agency would sign it, and return where it is served."""
    sample = besieged.sample
    content = change(sample.next_roster("DHS-ICE", besieged.agent, sample.known("DHS-ICE", status="absent")))
    sample.publish_roster("DHS-ICE", content)
    return f"targets/rosters/DHS-ICE/{sha256_hex(content)}.roster.jsonl"


def test_r06_an_endless_timestamp_is_given_up(besieged, site):
    site.answers["metadata/timestamp.json"] = endless
    besieged.refuses_all("is larger than was signed for")


def test_r06_an_endless_role_is_given_up_for_that_agency(besieged, site, sample):
    published(besieged)
    site.answers[f"metadata/{sample.newest('DHS-ICE').name}"] = endless
    besieged.refuses_ice("is larger than was signed for")


def test_r06_an_endless_roster_is_given_up_for_that_agency(besieged, site):
    site.answers[published(besieged)] = endless
    besieged.refuses_ice("is larger than was signed for")


def test_r07_a_swapped_roster_is_refused(besieged, site, sample):
    place = published(besieged)
    signed = (site.folder / place).read_bytes()
    impostor = sample.key("DHS-ICE").tag(Identifier("badge", "00000")).hex().encode()
    site.says(place, re.sub(rb'"tag":"\w+"', b'"tag":"%s"' % impostor, signed, count=1))
    besieged.refuses_ice("is not the file that was signed for")


def test_r07_a_swapped_profile_is_refused(besieged, site, sample):
    published(besieged)
    profile = next(profile for profile in sample.profiles() if profile.agency == "DHS-ICE")
    renamed = type(profile)(**{**vars(profile), "name": "DHS"})
    sample.add_target("targets", "profiles/DHS-ICE/profile.json", renamed.content())
    called = renamed.content().replace(b"+1", b"+2")
    site.says(f"targets/profiles/DHS-ICE/{sha256_hex(renamed.content())}.profile.json", called)
    (refusal,) = besieged.ingest().refusals
    assert "is not the file that was signed for" in refusal.reason
    assert besieged.standing().agencies["DHS-ICE"].profile == profile


def test_r07_a_tampered_cache_is_fetched_anew(besieged):
    before = besieged.standing()
    for role in ("timestamp", "snapshot", "targets", "DHS-ICE"):
        path = besieged.trusted / f"{role}.json"
        path.write_bytes(path.read_bytes().replace(b'"version":1', b'"version":9'))
    (besieged.trusted / "root_history/1.root.json").write_bytes(b"{}")
    report = besieged.ingest()
    assert report.refusals == []
    assert report.edition == before


@pytest.mark.parametrize(
    "content", [b"{", b"[" * 9000, b"null", b"\xff", b'{"signed":{"_type":"timestamp"}}', b"9" * 9000]
)
def test_r17_a_malformed_timestamp_is_refused(besieged, site, content):
    site.says("metadata/timestamp.json", content)
    besieged.refuses_all("is refused by TUF")


@pytest.mark.parametrize("content", [b"{", b"[" * 9000, b'{"signed":{"_type":"targets"},"signatures":[]}'])
def test_r17_a_malformed_role_is_refused_for_that_agency(besieged, sample, content):
    (sample.folder / "metadata/2.DHS-ICE.json").write_bytes(content)
    besieged.refuses_ice("is refused by TUF")


def twice(content):
    header, first, *others = content.splitlines(keepends=True)
    return b"".join([counted(header, 1), first, first, *others])


def counted(content, more):
    return re.sub(rb'"count":(\d+)', lambda found: b'"count":%d' % (int(found[1]) + more), content)


def headed(old, new):
    """Return what changes a roster's header."""
    return lambda content: re.sub(old, new, content, count=1)


def turned(content):
    header, *lines = content.splitlines(keepends=True)
    return b"".join([header, *reversed(lines)])


MALFORMED = {
    "a tag twice": (twice, "no tag comes twice"),
    "a count that is too high": (lambda content: counted(content, 1), "entries, but it has"),
    "a count that is too low": (lambda content: counted(content, -1), "entries, but it has"),
    "a key twice in a line": (headed(rb'"v":1', b'"v":1,"v":1'), "not in canonical form"),
    "a key twice in the header": (headed(rb'"seq":2', b'"seq":2,"seq":2'), "not in canonical form"),
    "a zero byte": (headed(rb'"active"', b'"acti\0e"'), "is not JSON"),
    "a byte order mark": (lambda content: b"\xef\xbb\xbf" + content, "header is not in canonical form"),
    "carriage returns": (lambda content: content.replace(b"\n", b"\r\n"), "header is not in canonical form"),
    "a carriage return": (headed(rb'"v":1\}\n', b'"v":1}\r\n'), "ends with a carriage return"),
    "a byte that is not UTF-8": (headed(rb'"active"', b'"acti\xffe"'), "is not UTF-8"),
    "a line of more than 1024 bytes": (headed(rb'"active"', b'"%s"' % (b"a" * 1024)), "longer than 1024 bytes"),
    "a line without an end": (lambda content: content + b"{" * 2000, "a line of more than 1024 bytes"),
    "an end before its beginning": (
        headed(rb'"exp":[^,]+,"nbf":[^,]+', b'"exp":"2020-01-01T00:00:00.000Z","nbf":"2021-01-01T00:00:00.000Z"'),
        "ends before it begins",
    ),
    "a status that nobody knows": (headed(rb'"active"', b'"retired"'), "has none of active"),
    "an epoch whose key is not held": (headed(rb'"epoch":1', b'"epoch":2'), "take in the agency's key file"),
    "another key than the one held": (headed(rb'"key_id":"\w+"', b'"key_id":"%s"' % (b"0" * 16)), "is not held"),
    "lines out of order": (turned, "lines are sorted by tag"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_r21_a_malformed_roster_is_refused_whole_and_the_last_good_one_stays(besieged, name):
    change, words = MALFORMED[name]
    published(besieged, change)
    besieged.refuses_ice(words)


def test_r21_an_older_roster_is_not_played_back_whether_it_was_held_or_not(besieged, sample):
    first = sample.roster("DHS-ICE")
    never_held = sample.next_roster("DHS-ICE", besieged.agent, seq=2, prev_sha256="a" * 64)
    sample.publish_roster("DHS-ICE", sample.next_roster("DHS-ICE", besieged.agent, seq=3))
    besieged.ingest()
    for seq, played_back in ((1, first), (2, never_held)):
        sample.publish_roster("DHS-ICE", played_back)
        besieged.refuses_ice(f"has number {seq}, but number 3 is held")


def test_r21_a_roster_follows_the_one_before_it_unless_one_was_missed(besieged, sample):
    sample.publish_roster("DHS-ICE", sample.next_roster("DHS-ICE", besieged.agent, prev_sha256="a" * 64))
    besieged.refuses_ice("does not follow the one that is held")
    sample.publish_roster("DHS-ICE", sample.next_roster("DHS-ICE", besieged.agent, seq=7, prev_sha256="a" * 64))
    assert besieged.ingest().edition.agencies["DHS-ICE"].roster.seq == 7


def test_r22_one_number_in_two_agencies_is_each_ones_own(besieged, sample):
    shared = sample.shared()
    sample.publish_roster("DHS-CBP", sample.next_roster("DHS-CBP", shared, status="lost"))
    besieged.ingest()
    results = {check.agency: check.result for check in besieged.check(shared)}
    assert (results["DHS-ICE"], results["DHS-CBP"]) == ("match_active", "match_inactive")
    # Not even one key for both would make them one.
    key = sample.key("DHS-ICE")
    assert replace(key, agency="DHS-CBP").tag(shared) != key.tag(shared)


def test_r24_a_slow_drip_is_given_up_for_that_agency(besieged, site):
    site.answers[published(besieged)] = drip
    started = time.monotonic()
    besieged.refuses_ice("did not arrive in time", patience=Patience(silence=5, file=1, whole=60))
    assert time.monotonic() - started < 10


def test_r24_many_slow_files_do_not_add_up(besieged, site, sample):
    for agency in sample.publisher.agencies():
        sample.publisher.renew(agency)
    sample.release()
    for agency in sample.publisher.agencies():
        site.answers[f"metadata/{sample.newest(agency).name}"] = drip
    started = time.monotonic()
    report = besieged.ingest(patience=Patience(silence=5, file=0.5, whole=1))
    assert len(report.refusals) == len(sample.publisher.agencies())
    assert time.monotonic() - started < 10
    assert besieged.result(besieged.agent, "DHS-ICE") == "match_active"


def test_r24_of_two_ingesters_at_once_one_is_refused(besieged, site):
    asked, answered = threading.Event(), threading.Event()
    timestamp = (site.folder / "metadata/timestamp.json").read_bytes()

    def hesitate(request):
        asked.set()
        assert answered.wait(10)
        site.says("metadata/timestamp.json", timestamp)
        site.answers["metadata/timestamp.json"](request)

    site.answers["metadata/timestamp.json"] = hesitate
    reports = []
    first = threading.Thread(target=lambda: reports.append(besieged.ingest()))
    first.start()
    try:
        assert asked.wait(10)
        with pytest.raises(RegistryRefused, match="Another ingest is at work"):
            besieged.ingest()
    finally:
        answered.set()
        first.join()
    (report,) = reports
    assert report.refusals == []
    assert len(besieged.store.cycles) == report.number


def test_r24_a_crash_in_the_middle_of_a_swap_leaves_the_old_edition_whole(besieged, database, tmp_path):
    station = Station(besieged.sample, RegistryStore(database), BlindingKeyStore(database), tmp_path / "other")
    station.ingest()
    news = station.sample.known("DHS-ICE", status="absent")
    published(besieged)
    # All of the edition is written by then, and nothing of it committed.
    assert run_doomed(station, "write_edition").returncode == -signal.SIGKILL
    assert station.store.current(DEPARTMENT).number == 1
    assert station.result(news, "DHS-ICE") == "no_match"
    assert station.ingest().edition.number == 2
    assert station.result(news, "DHS-ICE") == "match_active"
