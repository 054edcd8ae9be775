"""A draft that cannot go out yet holds up no other, and none is lost while another is published."""

import json
from threading import Thread

import pytest

from tests.holders import CODE, PROFILE, ROWS, Holders
from verify_service.registry.publisher.files import write_whole
from verify_service.registry.publisher.release import publish
from verify_service.registry.publisher.signers import open_signer
from verify_service.registry.publisher.staging import Staging

OTHER = "XY-OTH"
SUSPENDED = "badge,10001,suspended,,"


@pytest.fixture
def holders(tmp_path):
    """Two agencies, and a signed suspension of the first that is not published yet."""
    holders = Holders(tmp_path).published()
    holders.make_keys(OTHER, 2)
    holders.do("agency", "add", holders.folder, holders.profile(agency=OTHER), *holders.publics(OTHER))
    holders.sign("targets")
    holders.sign(OTHER)
    assert holders.publish() == 0
    holders.list(SUSPENDED, *ROWS[1:])
    assert holders.build() == 0
    holders.sign(CODE)
    return holders


def said(capsys):
    return capsys.readouterr().out


def staged(holders):
    return sorted(path.name for path in (holders.folder / "staged").glob("*.json"))


def version(holders, role):
    return max(int(path.name.partition(".")[0]) for path in (holders.folder / "metadata").glob(f"*.{role}.json"))


def renew_unsigned(holders):
    holders.do("renew", holders.folder, OTHER)
    return f"{OTHER} is not signed by enough of its keys"


def renew_of_a_clock_ahead(holders):
    holders.clock.advance(minutes=12)
    holders.do("renew", holders.folder, OTHER)
    holders.sign(OTHER)
    holders.clock.advance(minutes=-12)
    return f"{OTHER} was made at"


def sign_for_another_file(holders):
    staging = Staging(holders.folder, holders.clock.now())
    role = staging.standing(OTHER)
    role.targets[f"rosters/{CODE}/roster.jsonl"] = staging.put_target(f"rosters/{CODE}/roster.jsonl", b"{}")
    staging.stage(OTHER, role)
    holders.sign(OTHER)
    return "signs for other files than its roster"


@pytest.mark.parametrize("stage", [renew_unsigned, renew_of_a_clock_ahead, sign_for_another_file])
def test_what_is_not_ready_waits_and_the_rest_goes_out(holders, stage, capsys):
    words = stage(holders)
    holders.do("timestamp", holders.folder, *holders.online())
    said(capsys)
    assert holders.publish() == 0
    told = said(capsys)
    assert f"WARNING: {OTHER} was not published: " in told
    assert words in told
    assert (version(holders, CODE), version(holders, OTHER)) == (2, 1)
    assert staged(holders) == [f"{OTHER}.json"]
    assert holders.verifies()
    assert holders.publish() == 1
    assert "Nothing was published. " in said(capsys)


def test_the_timestamp_is_signed_by_the_published_root_whatever_root_is_staged(holders, capsys):
    old, served = holders.online(), (holders.folder / "metadata/timestamp.json").read_bytes()
    holders.make_keys("timestamp", 2)
    words = [*holders.publics("timestamp", "--timestamp-key"), "--timestamp-threshold", 2]
    holders.do("root", "rotate", holders.folder, *words)
    assert holders.run("timestamp", holders.folder, *holders.online()) == 1
    assert "None of the keys given is one of timestamp" in said(capsys)
    assert (holders.folder / "metadata/timestamp.json").read_bytes() == served
    holders.do("timestamp", holders.folder, *old)
    holders.sign("root", 3)
    assert holders.publish("--key", old[3]) == 0
    served = (holders.folder / "metadata/timestamp.json").read_bytes()
    assert holders.run("timestamp", holders.folder, *holders.online()[:-2]) == 1
    assert "not enough for timestamp by the published root" in said(capsys)
    assert (holders.folder / "metadata/timestamp.json").read_bytes() == served
    holders.do("timestamp", holders.folder, *holders.online())
    assert holders.verifies()


def test_an_agency_whose_keys_are_not_named_yet_waits_for_the_authority(holders, capsys):
    holders.make_keys(OTHER, 2)
    holders.do("agency", "rotate-key", holders.folder, OTHER, *holders.publics(OTHER))
    holders.sign(OTHER)
    said(capsys)
    assert holders.publish("--json") == 0
    assert sorted(json.loads(said(capsys))["waiting"]) == [OTHER, "targets"]
    holders.sign("targets")
    assert holders.publish() == 0
    assert version(holders, OTHER) == 2
    assert not (holders.folder / "staged").exists()


def test_only_the_roles_named_are_published(holders):
    holders.make_keys(OTHER, 2)
    holders.do("agency", "rotate-key", holders.folder, OTHER, *holders.publics(OTHER))
    holders.sign("targets")
    assert holders.publish() == 1
    assert holders.publish("--only", CODE) == 0
    assert (version(holders, CODE), version(holders, "targets")) == (2, 2)
    assert staged(holders) == [f"{OTHER}.json", "targets.json"]
    assert holders.publish("--only", "XY-NIX") == 1


@pytest.mark.parametrize(
    "changes",
    [{"callback": {**PROFILE["callback"], "number": "+12025550177"}}, {"level": 2, "kinds": [], "formats": {}}],
)
def test_the_number_and_level_of_an_agency_whose_role_expired_can_be_changed(holders, changes, capsys):
    holders.do("discard", holders.folder)
    holders.clock.advance(hours=73)
    holders.do("profile", "set", holders.folder, holders.profile(**changes))
    holders.sign("targets")
    said(capsys)
    assert holders.publish() == 0
    assert f"WARNING: {CODE}: The role of {CODE} has expired" in said(capsys)
    assert version(holders, "targets") == 3
    # A new holder's key is another matter: the role that is there would be refused for good.
    holders.make_keys(CODE, 2)
    holders.do("agency", "rotate-key", holders.folder, CODE, *holders.publics(CODE))
    holders.sign("targets")
    assert holders.publish("--only", "targets") == 1


def test_one_draft_is_discarded_and_the_others_stay(holders):
    holders.do("renew", holders.folder, OTHER)
    holders.do("discard", holders.folder, OTHER)
    assert staged(holders) == [f"{CODE}.json"]
    assert holders.run("discard", holders.folder, OTHER) == 1
    assert holders.publish() == 0


def test_a_draft_that_is_staged_during_a_publication_is_kept(holders):
    staging = Staging(holders.folder, holders.clock.now())
    signers = [open_signer(str(name), str) for name in holders.online()[1::2]]
    built = Thread(target=holders.build)

    def write(path, content):
        if not built.ident:
            built.start()
            # Long enough for the other to stage, where nothing makes it wait.
            built.join(1)
        write_whole(path, content)

    publish(staging, signers, write=write)
    built.join()
    assert staged(holders) == [f"{CODE}.json"]
    holders.sign(CODE)
    assert holders.publish() == 0
    assert version(holders, CODE) == 3
