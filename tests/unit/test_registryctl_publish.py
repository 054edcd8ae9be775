"""What is published was checked as a client checks it, goes out whole, and leaves a good registry wherever cut."""

import fcntl
import json
import os
from datetime import timedelta

import pytest

from tests.fakes.registry import MemoryRegistry
from tests.holders import CODE, ROWS, Holders
from tests.registries import Station
from verify_service.errors import RegistryRefused
from verify_service.registry.publisher.files import write_whole
from verify_service.registry.publisher.release import publish
from verify_service.registry.publisher.signers import open_signer
from verify_service.registry.publisher.staging import Staging
from verify_service.registry.roster import RosterHeader

# Profile, roster, two roles, snapshot, timestamp and root.
WRITES = 7
SUSPENDED = "badge,10001,suspended,,"


class Killed(Exception):
    """The publisher's process ended here."""


@pytest.fixture
def holders(tmp_path):
    return Holders(tmp_path).published()


@pytest.fixture
def suspended(holders):
    """A signed roster that is not published yet."""
    holders.list(SUSPENDED, *ROWS[1:])
    assert holders.build() == 0
    holders.sign(CODE)
    return holders


def said(capsys):
    return capsys.readouterr().out


def served(holders):
    return {
        str(path.relative_to(holders.folder)): path.read_bytes()
        for folder in ("metadata", "targets")
        for path in (holders.folder / folder).rglob("*")
        if path.is_file()
    }


def release(holders, write, extra=()):
    staging = Staging(holders.folder, holders.clock.now())
    names = [*holders.online()[1::2], *extra]
    return publish(staging, [open_signer(str(name), str) for name in names], write=write)


def cut_after(writes):
    """A disk that takes so many files; the process ends while the next one is half written."""
    done = 0

    def write(path, content):
        nonlocal done
        if done == writes:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name(f".{path.name}.draft").write_bytes(content[: len(content) // 2])
            raise Killed
        done += 1
        write_whole(path, content)

    return write


@pytest.mark.parametrize("writes", range(WRITES + 1))
def test_a_publication_cut_short_anywhere_verifies_and_is_completed_by_the_next(holders, tmp_path, writes):
    memory = MemoryRegistry()
    station = Station(holders, memory, memory, tmp_path / "ingest")
    station.ingest()
    old = holders.keys["timestamp"]
    holders.make_keys("timestamp", 1)
    holders.do("root", "rotate", holders.folder, *holders.publics("timestamp", "--timestamp-key"))
    holders.sign("root", 3)
    holders.do("profile", "set", holders.folder, holders.profile(name="Sample police, renamed (synthetic)"))
    holders.sign("targets")
    holders.list(SUSPENDED, *ROWS[1:])
    assert holders.build() == 0
    holders.sign(CODE)
    before = served(holders)
    try:
        release(holders, cut_after(writes), old)
    except Killed:
        assert writes < WRITES
    else:
        assert writes == WRITES
    after = served(holders)
    assert {name: after[name] for name in before if name != "metadata/timestamp.json"} == {
        name: content for name, content in before.items() if name != "metadata/timestamp.json"
    }
    assert holders.verifies()
    assert station.ingest().refusals == []
    if writes < WRITES:
        assert holders.publish("--key", old[0]) == 0
    holders.clock.advance(minutes=10)
    report = station.ingest()
    assert report.refusals == []
    assert (report.edition.root.version, report.edition.agencies[CODE].roster.seq) == (2, 2)
    assert not (holders.folder / "staged").exists()


def test_publish_says_what_went_out(suspended, capsys):
    said(capsys)
    assert suspended.publish("--json") == 0
    document = json.loads(said(capsys))
    assert document["published"] == {CODE: 2, "snapshot": 2, "timestamp": 2}
    assert document["warnings"] == []
    assert document["expires"] == "2026-11-25T05:04:09.000Z"


def refused(holders, capsys, *options):
    before = served(holders)
    said(capsys)
    assert holders.publish(*options) == 1
    assert served(holders) == before
    return said(capsys)


def test_nothing_is_published_below_a_threshold(holders, capsys):
    holders.list(SUSPENDED, *ROWS[1:])
    assert holders.build() == 0
    holders.sign(CODE, 1)
    assert f"{CODE} is not signed by enough of its keys: 1 more" in refused(holders, capsys)


def test_a_clock_that_is_behind_what_was_signed_is_refused(suspended, capsys):
    suspended.clock.advance(days=-1)
    assert "set the clock" in refused(suspended, capsys)
    assert suspended.run("timestamp", suspended.folder, *suspended.online()) == 1
    assert "set the clock" in said(capsys)


def test_a_draft_that_expired_before_it_was_published_is_refused(suspended, capsys):
    suspended.clock.advance(hours=73)
    assert f"The role of {CODE} has expired" in refused(suspended, capsys)


def test_a_role_that_will_expire_soon_is_warned_of(suspended, capsys):
    suspended.clock.advance(hours=50)
    said(capsys)
    assert suspended.publish() == 0
    assert f"WARNING: {CODE} expires at" in said(capsys)


def rewrite_roster(holders, **changes):
    """Stage and sign, as a careless or a hostile agency might, a roster that `roster build` would not make."""
    assert holders.build() == 0
    staging = Staging(holders.folder, holders.clock.now())
    role = staging.draft(CODE).signed
    (path,) = role.targets
    first, _, rest = staging.target_content(role.targets[path]).partition(b"\n")
    header = RosterHeader.parse(first + b"\n")
    changed = {**vars(header), **changes}
    body = changed.pop("body", rest)
    role.targets[path] = staging.put_target(path, RosterHeader(**changed).line() + body)
    staging.stage(CODE, role)
    holders.sign(CODE)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seq": 3}, "does not follow the published number 1"),
        ({"prev_sha256": "0" * 64}, "does not follow the published number 1"),
        ({"seq": 1, "prev_sha256": None}, "does not follow the published number 1"),
        ({"agency": "XY-NIX"}, "says that it is of XY-NIX"),
        ({"count": 7}, "says that it has 7 entries"),
        ({"synthetic": False}, "disagree on whether it is synthetic"),
        ({"coverage": {"badge": "complete", "credential": "complete"}}, "lists credential, which its profile"),
        ({"body": b"no line\n"}, "Line 2 of the roster is not JSON"),
    ],
)
def test_a_roster_that_no_department_would_take_is_refused(holders, changes, words, capsys):
    """Where the roster cannot be read at all, not even signing says what it would change."""
    holders.list(SUSPENDED, *ROWS[1:])
    try:
        rewrite_roster(holders, **changes)
    except AssertionError:
        assert words in said(capsys)
    else:
        assert words in refused(holders, capsys)


def test_a_roster_of_tomorrow_is_refused(holders, capsys):
    rewrite_roster(holders, issued_at=holders.clock.now() + timedelta(hours=1))
    assert "which has not come yet" in refused(holders, capsys)


def test_a_roster_that_was_built_on_another_than_the_published_is_refused(suspended, capsys, tmp_path):
    draft = (suspended.folder / f"staged/{CODE}.json").read_bytes()
    assert suspended.publish() == 0
    suspended.list(*ROWS)
    assert suspended.build() == 0
    (suspended.folder / f"staged/{CODE}.json").write_text(json.dumps(json.loads(draft), indent=2))
    assert "version 2 is published: stage the change anew" in refused(suspended, capsys)


def test_a_role_that_reaches_further_than_its_agency_is_refused(holders, capsys):
    staging = Staging(holders.folder, holders.clock.now())
    targets = staging.authority()
    targets.delegations.roles[CODE].paths = ["rosters/*/*"]
    staging.stage("targets", targets)
    holders.sign("targets")
    assert "something else than the one path of its roster" in refused(holders, capsys)


def test_a_role_that_signs_for_another_file_is_refused(holders, capsys):
    staging = Staging(holders.folder, holders.clock.now())
    role = staging.standing(CODE)
    role.targets["rosters/XY-NIX/roster.jsonl"] = staging.put_target("rosters/XY-NIX/roster.jsonl", b"{}")
    staging.stage(CODE, role)
    holders.sign(CODE)
    assert "signs for other files than its roster" in refused(holders, capsys)


def test_a_roster_is_not_dropped(holders, capsys):
    staging = Staging(holders.folder, holders.clock.now())
    role = staging.standing(CODE)
    role.targets.clear()
    staging.stage(CODE, role)
    holders.sign(CODE)
    assert "drops its roster" in refused(holders, capsys)


def test_a_lowered_threshold_is_refused_even_where_it_was_signed(holders, capsys):
    staging = Staging(holders.folder, holders.clock.now())
    targets = staging.authority()
    targets.delegations.roles[CODE].threshold = 1
    staging.stage("targets", targets)
    holders.sign("targets")
    assert f"The threshold of {CODE} is 1: it takes at least 2." in refused(holders, capsys)


def test_a_published_file_that_was_touched_stops_everything(suspended, capsys):
    path = suspended.folder / "metadata/1.targets.json"
    path.write_bytes(path.read_bytes() + b"\n")
    assert "is not the file that was announced: sign nothing" in refused(suspended, capsys)


def test_an_agency_that_let_its_role_expire_stops_no_other(holders, capsys):
    other = "XY-OTH"
    holders.make_keys(other, 2)
    profile = holders.profile(agency=other)
    holders.clock.advance(hours=50)
    holders.do("agency", "add", holders.folder, profile, *holders.publics(other))
    for role in ("targets", other):
        holders.sign(role)
    holders.clock.advance(hours=23)
    said(capsys)
    assert holders.publish() == 0
    assert f"WARNING: {CODE}: The role of {CODE} has expired" in said(capsys)


def test_two_publications_do_not_run_at_once(suspended, capsys):
    descriptor = os.open(suspended.folder / "metadata", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        assert "Another publication" in refused(suspended, capsys)
        assert suspended.run("timestamp", suspended.folder, *suspended.online()) == 1
    finally:
        os.close(descriptor)
    assert suspended.publish() == 0


def test_keys_of_other_roles_do_not_sign_the_timestamp(suspended, capsys):
    words = [word for path in suspended.keys[CODE] for word in ("--key", path)]
    assert suspended.run("publish", suspended.folder, *words) == 1
    assert "None of the keys given is one of snapshot" in said(capsys)
    assert suspended.run("publish", suspended.folder) == 2


def test_the_timestamp_is_renewed_and_leads_to_nothing_that_was_cut_short(suspended):
    with pytest.raises(Killed):
        release(suspended, cut_after(3))
    assert (suspended.folder / "metadata/2.snapshot.json").exists()
    suspended.do("timestamp", suspended.folder, *suspended.online())
    timestamp = json.loads((suspended.folder / "metadata/timestamp.json").read_bytes())["signed"]
    assert (timestamp["version"], timestamp["meta"]["snapshot.json"]["version"]) == (2, 1)
    assert suspended.publish() == 0
    assert suspended.verifies()


def test_what_is_staged_is_not_served(suspended):
    assert {name.split("/")[0] for name in served(suspended)} == {"metadata", "targets"}
    with pytest.raises(RegistryRefused):
        Staging(suspended.folder, suspended.clock.now()).draft("targets")
    assert suspended.verifies()
