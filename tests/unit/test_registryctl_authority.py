"""What the trust authority stages is shown in words, and nothing lets fewer people decide than it seems."""

import json
from pathlib import Path

import pytest

from tests.holders import CODE, PROFILE, Holders
from verify_service.signing import canonical_bytes, sha256_hex


@pytest.fixture
def holders(tmp_path):
    return Holders(tmp_path)


@pytest.fixture
def begun(holders):
    holders.init()
    return holders


def said(capsys):
    return capsys.readouterr().out


def staged(holders, role):
    return json.loads((holders.folder / f"staged/{role}.json").read_bytes())["signed"]


def root_words(holders, **changed):
    """The arguments of ``root init``; ``changed`` gives other public keys of a role."""
    made = {role: [f"{path}.pub" for path in paths] for role, paths in holders.keys.items()} | changed
    return [word for role, paths in made.items() for path in paths for word in (f"--{role}-key", path)]


def test_a_registry_begins_with_a_root_and_an_authority_without_agencies(begun, capsys):
    root = staged(begun, "root")
    assert {role: (len(held["keyids"]), held["threshold"]) for role, held in root["roles"].items()} == {
        "root": (5, 3),
        "targets": (3, 2),
        "snapshot": (1, 1),
        "timestamp": (1, 1),
    }
    assert staged(begun, "targets")["delegations"] == {"keys": {}, "roles": []}
    assert not (begun.folder / "metadata").exists()
    begun.do("status", begun.folder)
    assert "Next: registryctl publish" in said(capsys)
    assert begun.publish() == 0
    assert begun.verifies()


@pytest.mark.parametrize("role", ["root", "targets"])
def test_no_holder_decides_alone(begun, role, capsys):
    begun.do("discard", begun.folder)
    assert begun.run("root", "init", begun.folder, *root_words(begun), f"--{role}-threshold", 1) == 1
    assert f"The threshold of {role} is 1: it takes at least 2." in said(capsys)
    assert not (begun.folder / "staged").exists()


def test_one_key_cannot_count_twice(begun, capsys):
    begun.do("discard", begun.folder)
    mine, other = (f"{path}.pub" for path in begun.keys["root"][:2])
    for roles, words in (
        ({"root": [mine, mine, other]}, "named twice for root"),
        ({"root": [mine, in_capitals(begun, mine), other]}, "stands twice in root"),
        ({"targets": [mine, *(f"{path}.pub" for path in begun.keys["targets"])]}, "stands in root and in targets"),
        ({"root": [mine, other]}, "too few for its threshold of 3"),
    ):
        assert begun.run("root", "init", begun.folder, *root_words(begun, **roles)) == 1
        assert words in said(capsys)


def in_capitals(holders, public):
    """Write a key file that says the same key in other letters, with the id that it has so."""
    document = json.loads(Path(public).read_bytes())
    document["keyval"]["public"] = document["keyval"]["public"].upper()
    named = {name: document[name] for name in ("keytype", "keyval", "scheme")}
    path = holders.home / "capitals.pub"
    path.write_text(json.dumps({**document, "keyid": sha256_hex(canonical_bytes(named))}))
    return path


def test_a_public_key_has_no_id_but_its_own(begun, capsys):
    begun.do("discard", begun.folder)
    document = json.loads(Path(f"{begun.keys['root'][0]}.pub").read_bytes())
    renamed = begun.home / "renamed.pub"
    renamed.write_text(json.dumps({**document, "keyid": "0" * 64}))
    assert begun.run("root", "init", begun.folder, *root_words(begun, root=[renamed])) == 1
    assert "is not that of its key" in said(capsys)
    assert not (begun.folder / "staged").exists()


def test_a_root_is_not_begun_twice(begun, capsys):
    assert begun.run("root", "init", begun.folder, *root_words(begun)) == 1
    assert "`discard` it to begin anew" in said(capsys)
    assert begun.publish() == 0
    assert begun.run("root", "init", begun.folder, *root_words(begun)) == 1
    assert "root rotate" in said(capsys)


def test_an_agency_shares_no_key_with_the_authority_and_none_decides_alone(begun, capsys):
    begun.make_keys(CODE, 3)
    profile = begun.profile()
    theirs = [*begun.publics(CODE), "--key", f"{begun.keys['targets'][0]}.pub"]
    assert begun.run("agency", "add", begun.folder, profile, *theirs) == 1
    assert f"stands in {CODE} and in targets" in said(capsys)
    assert begun.run("agency", "add", begun.folder, profile, *begun.publics(CODE), "--threshold", 1) == 1
    assert "takes at least 2" in said(capsys)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_an_agency_without_a_roster_needs_no_keys(begun, level):
    callback = None if level == 0 else PROFILE["callback"]
    begun.do("agency", "add", begun.folder, begun.profile(level=level, callback=callback))
    begun.sign("targets")
    assert begun.publish() == 0
    assert begun.verifies()
    assert not list((begun.folder / "metadata").glob(f"*.{CODE}.json"))


def test_an_agency_with_a_roster_needs_keys(begun, capsys):
    assert begun.run("agency", "add", begun.folder, begun.profile(level=3)) == 1
    assert "name its keys first" in said(capsys)
    begun.do("agency", "add", begun.folder, begun.profile(level=2))
    begun.make_keys(CODE, 3)
    begun.do("agency", "rotate-key", begun.folder, CODE, *begun.publics(CODE))
    begun.do("profile", "set", begun.folder, begun.profile(level=3))
    for role in ("targets", CODE):
        begun.sign(role)
    assert begun.publish() == 0


def test_a_changed_number_is_shown_old_and_new_when_staged_and_when_signed(tmp_path, capsys):
    holders = Holders(tmp_path).published()
    said(capsys)
    changed = holders.profile(callback={**PROFILE["callback"], "number": "+12025550177"})
    holders.do("profile", "set", holders.folder, changed)
    line = f"{CODE}: CALLBACK NUMBER +12025550199 -> +12025550177"
    assert line in said(capsys)
    holders.sign("targets", 1)
    assert line in said(capsys)
    assert holders.publish() == 1
    assert "targets is not signed by enough of its keys: 1 more" in said(capsys)
    holders.sign("targets", 1, holders.keys["targets"][1:])
    assert holders.publish() == 0


def test_a_profile_that_is_the_same_or_unsound_is_not_staged(tmp_path, capsys):
    holders = Holders(tmp_path).published()
    assert holders.run("profile", "set", holders.folder, holders.profile()) == 1
    assert "has already" in said(capsys)
    assert holders.run("profile", "set", holders.folder, holders.profile(level=9)) == 1
    assert holders.run("profile", "set", holders.folder, holders.profile(agency="XY-NIX")) == 1
    assert "no agency XY-NIX" in said(capsys)
    assert not (holders.folder / "staged").exists()


def test_a_removed_agency_keeps_its_entry_in_the_snapshot_and_can_come_back(tmp_path):
    holders = Holders(tmp_path).published()
    holders.do("agency", "remove", holders.folder, CODE)
    holders.sign("targets")
    assert holders.publish() == 0
    snapshot = json.loads((holders.folder / "metadata/2.snapshot.json").read_bytes())["signed"]["meta"]
    assert snapshot[f"{CODE}.json"]["version"] == 1
    assert holders.verifies()
    holders.do("agency", "add", holders.folder, holders.profile(), *holders.publics(CODE))
    for role in ("targets", CODE):
        holders.sign(role)
    assert holders.publish() == 0
    assert staged_version(holders, CODE) == 2


def staged_version(holders, role):
    return max(int(path.name.partition(".")[0]) for path in (holders.folder / "metadata").glob(f"*.{role}.json"))


def test_a_role_is_renewed_as_it_is(tmp_path, capsys):
    holders = Holders(tmp_path).published()
    holders.clock.advance(hours=20)
    holders.do("renew", holders.folder, CODE)
    told = said(capsys)
    (roster,) = (holders.folder / f"targets/rosters/{CODE}").iterdir()
    assert f"published, SHA-256 {roster.name.partition('.')[0]}; its time alone is renewed" in told
    assert "12 badge (complete), 0 minted (complete), 0 op_code (complete); 12 active" in told
    holders.sign(CODE)
    assert holders.publish() == 0
    assert holders.run("renew", holders.folder, "snapshot") == 1
    assert holders.run("renew", holders.folder, "XY-NIX") == 1
    assert "no role XY-NIX" in said(capsys)


def test_status_says_what_is_staged_what_it_needs_and_what_expires(tmp_path, capsys):
    holders = Holders(tmp_path).published()
    holders.do("renew", holders.folder, "targets")
    holders.sign("targets", 1)
    said(capsys)
    holders.do("status", holders.folder, "--json")
    document = json.loads(said(capsys))
    assert [(role["role"], role["version"], role["missing"]) for role in document["staged"]] == [("targets", 2, 1)]
    assert document["next"].startswith("registryctl sign")
    assert [row["role"] for row in document["expires"]] == ["timestamp", CODE, "snapshot", "targets", "root"]
    assert not any(row["due"] for row in document["expires"])
    holders.clock.advance(hours=17)
    holders.do("status", holders.folder)
    assert "timestamp expires at 2026-11-25T05:04:09.000Z: renew it now" in said(capsys)
    holders.clock.advance(hours=8)
    assert holders.run("status", holders.folder) == 1


def test_the_root_rotates_by_old_and_new_keys(tmp_path, capsys):
    holders = Holders(tmp_path).published()
    old = holders.keys["root"]
    holders.make_keys("root", 3)
    words = [*holders.publics("root", "--root-key"), "--root-threshold", 2]
    holders.do("root", "rotate", holders.folder, *words)
    assert "root: 2 of 3 keys have to sign, before 3" in said(capsys)
    holders.sign("root", 2)
    assert "0 of 3 and 2 of 2 (by the keys before, by the keys after)" in said(capsys)
    assert holders.publish() == 1
    holders.sign("root", 3, old)
    assert holders.publish() == 0
    assert holders.verifies()
    assert staged_version(holders, "root") == 2


def test_keys_of_the_authority_rotate_with_the_root_and_both_sign_meanwhile(tmp_path, capsys):
    holders = Holders(tmp_path).published()
    old = holders.keys["targets"]
    holders.make_keys("targets", 3)
    holders.do("root", "rotate", holders.folder, *holders.publics("targets", "--targets-key"))
    holders.sign("root", 3)
    holders.sign("targets", 2)
    assert holders.publish() == 1
    assert "the keys before it have to sign too" in said(capsys)
    holders.sign("targets", 2, old)
    assert holders.publish() == 0
    assert holders.verifies()


@pytest.mark.parametrize("option", [[], ["--lost-keys"]])
def test_a_lost_key_is_replaced_at_the_price_of_a_moment(tmp_path, option, capsys):
    holders = Holders(tmp_path).published()
    holders.make_keys("timestamp", 1)
    holders.do("root", "rotate", holders.folder, *holders.publics("timestamp", "--timestamp-key"))
    holders.sign("root", 3)
    assert holders.publish(*option) == (0 if option else 1)
    assert "--lost-keys" in said(capsys) or option
    assert holders.verifies()


def test_what_is_staged_can_be_forgotten(begun, capsys):
    begun.do("discard", begun.folder, "--json")
    assert json.loads(said(capsys).splitlines()[-1])["discarded"] == ["root", "targets"]
    assert begun.publish() == 2
    assert "begin with `root init`" in capsys.readouterr().err
