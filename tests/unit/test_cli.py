"""Commands end with a code and words, whatever is wrong."""

from __future__ import annotations

import pytest

from verify_service.cli import main
from verify_service.record_log.trust import TrustPolicy

SETTINGS = {
    "VERIFY_DEPARTMENTS": "LAPD",
    "VERIFY_LOG_HOST": "logs.example",
    "VERIFY_REGISTRY": "registry",
    "VERIFY_REGISTRY_ROOT": "root.json",
}


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VERIFY_HOME", str(tmp_path / "home"))
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    return tmp_path / "home"


def test_a_deployment_is_set_up_twice_and_the_second_time_changes_nothing(home, capsys):
    assert [main(["keys", "generate"]), main(["db", "upgrade"])] == [0, 0]
    capsys.readouterr()
    assert [main(["keys", "generate"]), main(["db", "upgrade"]), main(["audit"])] == [0, 0, 0]
    said = capsys.readouterr().out
    assert "Every key file is there already." in said
    assert "Created" not in said
    assert "Everything agrees." in said


@pytest.mark.parametrize("missing", ["VERIFY_REGISTRY_ROOT", "VERIFY_BLINDING_KEYS"])
def test_a_file_that_is_not_there_is_named(home, capsys, monkeypatch, missing):
    (home.parent / "root.json").write_bytes(b"{}")
    monkeypatch.setenv(missing, "nowhere.json")
    assert [main(["keys", "generate"]), main(["db", "upgrade"]), main(["ingest"])] == [0, 0, 3]
    assert "nowhere.json" in capsys.readouterr().err


def test_the_policy_for_checkers_names_the_records_logs_alone(home, capsys):
    main(["keys", "generate"])
    assert main(["trust-policy"]) == 3
    assert "verify-service db upgrade" in capsys.readouterr().err
    main(["db", "upgrade"])
    capsys.readouterr()
    assert main(["trust-policy"]) == 0
    said = capsys.readouterr().out
    assert [key.name for key in TrustPolicy.parse(said).logs] == ["logs.example/log/LAPD/records"]


@pytest.mark.parametrize("command", ["accept-high-water", "restore-check", "succeed --reason x"])
def test_an_empty_database_is_said_to_be_one_before_its_logs_are_named(home, capsys, command):
    main(["keys", "generate"])
    assert main(["db", *command.split()]) == 3
    assert "db upgrade" in capsys.readouterr().err


def test_a_database_that_does_not_answer_is_the_operators_to_mend(home, capsys, monkeypatch):
    monkeypatch.setenv("VERIFY_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert main(["audit"]) == 3
    said = capsys.readouterr().err
    assert said.startswith("The database does not answer: The database does not answer (connection failed")
    assert "Idempotency-Key" not in said


def test_what_is_not_set_is_named(home, capsys, monkeypatch):
    monkeypatch.delenv("VERIFY_LOG_HOST")
    assert main(["db", "upgrade"]) == 3
    assert "VERIFY_LOG_HOST is not set" in capsys.readouterr().err
