"""What an operator asks of the registry is said in words and, with `--json`, in one document."""

from __future__ import annotations

import json
import os
import pwd
import re
from dataclasses import replace

import pytest

from tests.registries import SampleRegistry
from verify_service import operating_user
from verify_service.cli import main
from verify_service.clock import SystemClock
from verify_service.registry.blinding import BlindingKey, blinding_key_file
from verify_service.signing import sha256_hex

ICE = "DHS-ICE"


@pytest.fixture
def sample(tmp_path, monkeypatch, capsys):
    """A deployment that has taken a registry in."""
    sample = SampleRegistry(tmp_path / "registry", SystemClock())
    settings = {
        "VERIFY_HOME": tmp_path / "home",
        "VERIFY_DEPARTMENTS": "LAPD,SFPD",
        "VERIFY_LOG_HOST": "logs.example",
        "VERIFY_REGISTRY": sample.folder,
        "VERIFY_REGISTRY_ROOT": sample.folder / "metadata/1.root.json",
        "VERIFY_BLINDING_KEYS": sample.folder / "private/blinding-keys.json",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))
    assert [main(["keys", "generate"]), main(["db", "upgrade"]), main(["ingest", "--once"])] == [0, 0, 0]
    capsys.readouterr()
    return sample


def said(capsys, *arguments, code=0):
    assert main(list(arguments)) == code
    text = capsys.readouterr().out
    return json.loads(text) if "--json" in arguments else text


def test_a_hold_is_met_listed_and_approved_in_every_department(sample, capsys):
    assert said(capsys, "ingest", "holds") == "No roster waits for a decision.\n"
    roster = sample.small_roster(ICE, sample.known(ICE))
    sample.publish_roster(ICE, roster)
    assert "  held DHS-ICE: The roster of DHS-ICE with number 2 waits for a person." in said(capsys, "ingest")
    text = said(capsys, "ingest", "holds")
    assert text.startswith("LAPD: DHS-ICE, number 1 to number 2, waits since ")
    assert "1 after: 0 added" in text
    assert f"SHA-256 of what waits: {sha256_hex(roster)}." in text
    waiting = said(capsys, "ingest", "holds", "--json")["holds"]
    assert [(hold["department"], hold["agency"], hold["sha256"]) for hold in waiting] == [
        ("LAPD", ICE, sha256_hex(roster)),
        ("SFPD", ICE, sha256_hex(roster)),
    ]
    assert waiting == said(capsys, "ingest", "--json", "holds")["holds"]
    decided = said(capsys, "ingest", "approve", ICE, "--reason", "a move of staff, told by D. Roe", "--json")
    assert (decided["approved"], decided["reason"]) == (True, "a move of staff, told by D. Roe")
    assert decided["by"] == operating_user.operating_user()
    assert [hold["department"] for hold in decided["decided"]] == ["LAPD", "SFPD"]
    (taken, _) = said(capsys, "ingest", "--json")["cycles"]
    assert (taken["edition"], taken["held"], taken["refused"]) == (2, [], [])


def test_an_approval_does_not_promise_what_the_agency_no_longer_publishes(sample, capsys):
    sample.publish_roster(ICE, sample.small_roster(ICE))
    main(["ingest"])
    sample.publish_roster(ICE, sample.small_roster(ICE, sample.known(ICE)))
    capsys.readouterr()
    text = said(capsys, "ingest", "approve", ICE, "--reason", "told by D. Roe")
    assert text.splitlines()[0].endswith(": the next ingest takes it if it is still what the agency publishes.")
    (cycle, _) = said(capsys, "ingest", "--json")["cycles"]
    assert (cycle["edition"], [hold["to_seq"] for hold in cycle["held"]]) == (1, [3])


def test_a_rejected_roster_is_named_by_the_next_ingest(sample, capsys):
    roster = sample.small_roster(ICE)
    sample.publish_roster(ICE, roster)
    main(["ingest"])
    capsys.readouterr()
    text = said(capsys, "ingest", "reject", ICE, "--reason", "nobody there knows of it", "--sha256", sha256_hex(roster))
    assert f"rejected the roster of DHS-ICE with number 2 ({sha256_hex(roster)}): the next ingest refuses it." in text
    assert "refused DHS-ICE: The roster of DHS-ICE with number 2 was rejected by " in said(capsys, "ingest")


def test_the_status_of_a_sound_registry_says_what_expires_next(sample, capsys):
    text = said(capsys, "registry-status")
    first, second, *_ = text.splitlines()
    assert first.startswith("LAPD: Next to expire, in 23 h 59 min, at ")
    assert first.endswith(": the registry's timestamp.")
    assert second.startswith("SFPD: Next to expire")
    assert re.search(
        r"^LAPD: edition 1, 9 agencies, synthetic; cycle 1 ended \S+; .* good 0 min ago\.$", text, re.MULTILINE
    )
    assert re.search(r"^  DHS-ICE +level 4  number 1 of \S+, 0 min old  fresh until \S+$", text, re.MULTILINE)
    document = said(capsys, "registry-status", "--json")
    assert (document["ok"], document["registries"][0]["last_cycle"]["number"]) == (True, 1)
    assert document["registries"][0]["agencies"][1]["roster"]["seq"] == 1


def test_what_is_wrong_is_said_first_with_its_reason_and_the_exit_code_tells(sample, capsys):
    sample.publish_roster(ICE, sample.small_roster(ICE))
    sample.publish_roster("DHS-CBP", b"no roster\n")
    main(["ingest"])
    capsys.readouterr()
    lines = said(capsys, "registry-status", code=1).splitlines()
    assert re.fullmatch(
        r"LAPD: REFUSED \S+: what DHS-CBP published or handed over newest, since it cannot be accepted\. What was "
        r"taken before answers until \S+\. The roster's header is not JSON\.",
        lines[0],
    )
    assert lines[1].startswith("LAPD: HELD ")
    assert lines[1].endswith("Decide: see `verify-service ingest holds`.")
    assert "last held" in next(line for line in lines if line.startswith("  DHS-ICE"))
    document = said(capsys, "registry-status", "--json", code=1)
    assert [alert["kind"] for alert in document["registries"][0]["alerts"]] == ["refused", "held", "expires_next"]
    (sample.folder / "metadata/timestamp.json").unlink()
    assert main(["ingest"]) == 3
    capsys.readouterr()
    assert "LAPD: REFUSED" in said(capsys, "registry-status", code=1).splitlines()[0]


def test_a_department_without_a_registry_is_told_what_to_run(sample, capsys, monkeypatch):
    monkeypatch.setenv("VERIFY_DEPARTMENTS", "OAKLAND")
    assert said(capsys, "registry-status", code=1) == (
        "OAKLAND: No registry was ever taken in, so nobody is known to be listed or not. Run `verify-service ingest`.\n"
    )


def test_what_does_not_wait_cannot_be_decided_about(sample, capsys):
    assert main(["ingest", "approve", ICE, "--reason", "to be sure"]) == 3
    assert "No such roster of DHS-ICE waits for a decision." in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["ingest", "approve", ICE])


def test_who_decides_is_the_one_who_logged_in(tmp_path, monkeypatch):
    account = pwd.getpwuid(os.getuid()).pw_name
    logged_in = tmp_path / "loginuid"
    monkeypatch.setattr(operating_user, "LOGIN_UID", logged_in)
    assert operating_user.operating_user() == account
    other = next(entry for entry in pwd.getpwall() if entry.pw_uid != os.getuid())
    for uid, name in (
        (2**32 - 1, account),
        (os.getuid(), account),
        (other.pw_uid, f"{other.pw_name} (as {account})"),
        (2**31 - 7, f"user {2**31 - 7} (as {account})"),
    ):
        logged_in.write_text(str(uid))
        assert operating_user.operating_user() == name


def offered(tmp_path, monkeypatch, *keys):
    """Let the next ingest find these blinding keys."""
    path = tmp_path / "offered.json"
    path.write_bytes(blinding_key_file(keys))
    monkeypatch.setenv("VERIFY_BLINDING_KEYS", str(path))


def test_a_key_that_is_in_the_way_of_another_stops_its_agency_alone(sample, tmp_path, monkeypatch, capsys):
    offered(tmp_path, monkeypatch, BlindingKey(ICE, 1, b"9" * 32), BlindingKey("DHS-CBP", 2, b"2" * 32))
    text = said(capsys, "ingest")
    assert "  took in blinding keys of DHS-CBP\n" in text
    assert "  refused DHS-ICE: Another blinding key of DHS-ICE for epoch 1 is held already: ask the agency " in text
    (cycle, _) = said(capsys, "ingest", "--json")["cycles"]
    assert (cycle["edition"], cycle["blinding_keys_of"]) == (1, [])
    assert [refusal["agency"] for refusal in cycle["refused"]] == [ICE]
    assert "REFUSED" in said(capsys, "registry-status", code=1).splitlines()[0]
    offered(tmp_path, monkeypatch)
    assert said(capsys, "ingest").count("refused") == 0


def test_a_changed_number_is_the_first_thing_that_is_said(sample, capsys):
    profiles = [
        replace(profile, callback=replace(profile.callback, number="+12025550177"))
        if profile.agency == ICE
        else profile
        for profile in sample.profiles()
    ]
    sample.publisher.targets(profiles)
    sample.release()
    assert "  CHANGED the held number of DHS-ICE. From +1" in said(capsys, "ingest")
    first = said(capsys, "registry-status", code=1).splitlines()[0]
    assert re.match(r"LAPD: CHANGED \S+: the held number of DHS-ICE\. From \+\d+ to \+12025550177\. Call ", first)
