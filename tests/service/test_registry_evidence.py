"""What a record quotes of the registry comes back years later, and verifies with tuf's own objects alone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys

import pytest
from sqlalchemy import delete, update

from tests.deployment import loaded
from tests.fakes.keys import seeded_bytes
from verify_service.cli import main, registry
from verify_service.errors import ConfigurationError, RegistryEvidenceMissing
from verify_service.evidence.registry_evidence import export_registry_evidence
from verify_service.registry.blinding import BlindingKey
from verify_service.signing import sha256_hex
from verify_service.storage.registry_tables import registry_file, roster, roster_entry

ICE = "DHS-ICE"


@pytest.fixture
def deployment(apart):
    return apart


def record(deployment, agency=ICE, value=None):
    """Submit a listed number, and return the exact bytes of the record."""
    answer = loaded(deployment.submit(agency, value or deployment.sample.known(agency).value))
    return deployment.get(answer["events"][0]["record"]).get_data()


def quoted(content):
    return json.loads(content)["body"]["computed"]["checks"]


def export(deployment, content, directory):
    return export_registry_evidence(content, deployment.service.registry_store, directory)


def exports(deployment):
    return [event for event in deployment.accesses() if event["kind"] == "exported"]


def verify(directory):
    """Do what the README says, with nothing of ours: it is run from the folder, in a program of its own."""
    (code,) = re.findall(r"```python\n(.*?)```", (directory / "README.md").read_text(), re.DOTALL)
    return subprocess.run(
        [sys.executable, "-I", "-c", code], cwd=directory, capture_output=True, text=True, check=False
    )


def next_cycle(deployment, **later):
    deployment.clock.advance(**later)
    deployment.tokens.clear()
    for agency in deployment.sample.publisher.agencies():
        deployment.sample.publisher.renew(agency)
    deployment.sample.release()
    return deployment.service.ingest("LAPD").run()


def test_it_verifies_after_later_editions_rotated_keys_and_a_removed_agency(deployment, tmp_path):
    sample, publisher = deployment.sample, lambda: deployment.sample.publisher
    early = record(deployment)
    sample.publish_roster(ICE, sample.next_roster(ICE, sample.known(ICE), status="suspended"))
    next_cycle(deployment, hours=10)
    middle = record(deployment)
    # Everybody's keys but the root's own are new, and the root is followed by another.
    for role in ("timestamp", "snapshot", "targets", ICE):
        count = len(sample.keys.load(role))
        shutil.rmtree(sample.folder / "private/keys" / role)
        sample.keys.make(role, count, seeded_bytes(7))
    publisher().root()
    publisher().targets(sample.profiles())
    assert next_cycle(deployment, days=30).refusals == []
    late = record(deployment)
    sample.remove(ICE)
    assert ICE not in deployment.service.ingest("LAPD").run().edition.agencies

    for number, content in enumerate((early, middle, late)):
        (check,) = quoted(content)
        evidence = export(deployment, content, tmp_path / f"evidence-{number}")
        assert evidence.agencies == (ICE,)
        ran = verify(evidence.directory)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert (
            f"{ICE}: {check['result']} at {check['checked_at']} stood on signed files, expired then: none" in ran.stdout
        )
        assert evidence.first_root_sha256 in ran.stdout
        roots = sorted(path.name for path in (evidence.directory / "metadata").glob("*.root.json"))
        assert roots == (["1.root.json", "2.root.json"] if number == 2 else ["1.root.json"])
    assert [quoted(content)[0]["result"] for content in (early, middle, late)] == [
        "match_active",
        "match_inactive",
        "match_inactive",
    ]


def test_what_is_quoted_while_something_newer_is_held_or_refused_verifies_too(deployment, tmp_path):
    sample = deployment.sample
    sample.publish_roster(ICE, sample.small_roster(ICE))
    bad = next(profile for profile in sample.profiles() if profile.agency == "DHS-CBP").content()
    path = "profiles/DHS-ICE/profile.json"
    (sample.folder / f"targets/profiles/{ICE}/{sha256_hex(bad)}.profile.json").write_bytes(bad)
    sample.add_target("targets", path, bad)
    report = deployment.service.ingest("LAPD").run()
    assert ([hold.agency for hold in report.holds], [each.agency for each in report.refusals]) == ([ICE], [ICE])
    content = record(deployment)
    (check,) = quoted(content)
    assert (check["result"], check["metadata"]["role"]["version"], check["metadata"]["targets"]["version"]) == (
        "match_active",
        1,
        2,
    )
    directory = export(deployment, content, tmp_path / "evidence").directory
    assert sorted(path.name for path in (directory / "metadata").glob("*.targets.json")) == [
        "1.targets.json",
        "2.targets.json",
    ]
    assert verify(directory).returncode == 0


@pytest.mark.parametrize("engine", ["sqlite"])
def test_where_every_agency_was_asked_all_of_them_come(deployment, tmp_path):
    answer = loaded(deployment.submit("none_stated", deployment.sample.shared().value))
    content = deployment.get(answer["events"][0]["record"]).get_data()
    evidence = export(deployment, content, tmp_path / "evidence")
    assert len(evidence.agencies) > 4
    ran = verify(evidence.directory)
    assert (ran.returncode, len(ran.stdout.splitlines())) == (0, len(evidence.agencies) + 1)


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_key_of_an_epoch_long_gone_still_tells_whose_tag_a_record_has(deployment):
    sample, keys, sealed = deployment.sample, deployment.service.blinding_keys, record(deployment)
    (check,) = quoted(sealed)
    key = BlindingKey(ICE, 2, b"2" * 32)
    keys.take_in("LAPD", [key])
    # Both keys are held, and the old roster answers until the new one is in.
    assert quoted(record(deployment))[0]["result"] == "match_active"
    sample.publish_roster(ICE, sample.rekeyed_roster(ICE, key, sample.known(ICE)))
    assert [hold.agency for hold in next_cycle(deployment, hours=1).holds] == [ICE]
    registry.decide(deployment.service, ICE, "Told by the registrar", approved=True)
    assert next_cycle(deployment, hours=1).edition.agencies[ICE].roster.epoch == 2
    assert quoted(record(deployment))[0]["result"] == "match_active"
    old = deployment.service.registry_store.find_roster("LAPD", ICE, check["roster_sha256"])
    tag = keys.held("LAPD", ICE, old.epoch).tag(sample.known(ICE))
    lines = b"".join(deployment.service.registry_store.roster_content("LAPD", old.number))
    assert tag.hex().encode() in lines
    assert key.tag(sample.known(ICE)).hex().encode() not in lines


@pytest.mark.parametrize("engine", ["sqlite"])
def test_what_is_not_kept_or_was_altered_is_named_and_nothing_is_written(deployment, tmp_path):
    content = record(deployment)
    harms = [
        (update(roster_entry).values(status="suspended"), "roster of DHS-ICE"),
        (update(roster).values(loaded=False), "roster of DHS-ICE"),
        (delete(registry_file).where(registry_file.c.kind == "snapshot"), "snapshot metadata"),
        (update(registry_file).where(registry_file.c.kind == ICE).values(content=b"{}"), "DHS-ICE metadata"),
        (delete(registry_file).where(registry_file.c.kind == "root"), "version 1 of root"),
    ]
    for harm, words in harms:
        with deployment.service.database.write() as connection:
            connection.execute(harm)
        with pytest.raises(RegistryEvidenceMissing, match=f"The {words} .*is no longer what its digest says"):
            export(deployment, content, tmp_path / "out/evidence")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("engine", ["sqlite"])
def test_what_cannot_be_exported_is_said(deployment, tmp_path):
    with pytest.raises(RegistryEvidenceMissing, match="This is no record"):
        export(deployment, b"{}", tmp_path / "evidence")
    content = json.loads(record(deployment))
    content["body"]["computed"]["checks"] = []
    with pytest.raises(RegistryEvidenceMissing, match="quotes no registry"):
        export(deployment, json.dumps(content).encode(), tmp_path / "evidence")
    (tmp_path / "there").mkdir()
    with pytest.raises(ConfigurationError, match="is there already"):
        export(deployment, record(deployment), tmp_path / "there")
    elsewhere = json.loads(record(deployment)) | {"department": "OAKLAND"}
    with pytest.raises(RegistryEvidenceMissing, match="quotes is not in this database"):
        export(deployment, json.dumps(elsewhere).encode(), tmp_path / "evidence")


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_file_that_was_touched_afterwards_no_longer_verifies(deployment, tmp_path):
    directory = export(deployment, record(deployment), tmp_path / "evidence").directory
    paths = [path for path in sorted(directory.glob("*/**/*")) if path.is_file()]
    assert len(paths) == 7
    for path in paths:
        content = path.read_bytes()
        path.write_bytes(content.replace(b"a", b"b", 1))
        assert verify(directory).returncode != 0, path
        path.write_bytes(content)
    assert verify(directory).returncode == 0


@pytest.mark.parametrize("engine", ["sqlite"])
def test_the_command_writes_it_and_says_how_to_check_it(deployment, tmp_path, monkeypatch, capsys):
    chosen = deployment.service.settings
    settings = {"VERIFY_HOME": chosen.home, "VERIFY_DEPARTMENTS": "LAPD", "VERIFY_LOG_HOST": chosen.log_host}
    settings["VERIFY_DATABASE_URL"] = deployment.service.settings.database_url
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))
    (tmp_path / "record.json").write_bytes(record(deployment))
    asked = ["registry-evidence", str(tmp_path / "record.json"), str(tmp_path / "evidence")]
    asked += ["--by", "10007", "--reason", "Subpoena 26-114"]
    assert main(asked) == 0
    assert "Wrote what the record's checks of DHS-ICE stood on to " in capsys.readouterr().out
    assert main(asked) == 3
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize("engine", ["sqlite"])
def test_a_record_that_the_log_does_not_hold_gets_no_evidence(deployment, tmp_path):
    genuine, path = record(deployment), tmp_path / "record.json"
    path.write_bytes(genuine)
    asked = {"by": "10007", "reason": "Subpoena 26-114"}
    assert not registry.evidence(deployment.service, path, tmp_path / "genuine", **asked).failed
    (written,) = exports(deployment)
    assert (written["actor"]["serial"], written["body"]["form"]) == ("10007", "registry-evidence")
    assert written["body"]["object"] == json.loads(genuine)["subject"]
    for forged in (
        genuine.replace(b"match_active", b"match_inactive"),
        genuine.replace(b'"seq":0', b'"seq":7'),
        b"{}",
    ):
        path.write_bytes(forged)
        with pytest.raises(RegistryEvidenceMissing, match="does not hold this record"):
            registry.evidence(deployment.service, path, tmp_path / "forged", **asked)
    assert len(exports(deployment)) == 1


@pytest.mark.parametrize("engine", ["sqlite"])
def test_an_agency_that_is_a_path_writes_nothing(deployment, tmp_path):
    forged = record(deployment).replace(b'"agency":"DHS-ICE"', b'"agency":"../../x"')
    with pytest.raises(RegistryEvidenceMissing, match="an agency that is none"):
        export(deployment, forged, tmp_path / "evidence")
    assert not list(tmp_path.glob("x*"))
