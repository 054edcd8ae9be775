"""What an operator asks of the registry is said in words and, with `--json`, in one document."""

from __future__ import annotations

import json
import os
import pwd

import pytest

from tests.registries import SampleRegistry
from verify_service import operating_user
from verify_service.cli import main
from verify_service.clock import SystemClock
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


def test_a_rejected_roster_is_named_by_the_next_ingest(sample, capsys):
    roster = sample.small_roster(ICE)
    sample.publish_roster(ICE, roster)
    main(["ingest"])
    capsys.readouterr()
    text = said(capsys, "ingest", "reject", ICE, "--reason", "nobody there knows of it", "--sha256", sha256_hex(roster))
    assert f"rejected the roster of DHS-ICE with number 2 ({sha256_hex(roster)}): the next ingest refuses it." in text
    assert "refused DHS-ICE: The roster of DHS-ICE with number 2 was rejected by " in said(capsys, "ingest")


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
