import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.registry import MemoryRegistry
from tests.registries import SampleRegistry, Station
from verify_service.clock import SystemClock
from verify_service.registryctl import main
from verify_service.signing import sha256_hex

SMALL = ["--agencies", "9", "--entries", "400"]


@pytest.fixture
def registry(tmp_path, capsys):
    assert main(["synthesize", str(tmp_path / "registry"), *SMALL]) == 0
    capsys.readouterr()
    return tmp_path / "registry"


def printed(capsys):
    said = capsys.readouterr()
    assert said.err == ""
    return json.loads(said.out)


def test_synthesize_prints_one_document(tmp_path, capsys):
    folder = tmp_path / "registry"
    assert main(["synthesize", str(folder), *SMALL, "--seed", "7", "--json"]) == 0
    document = printed(capsys)
    assert (document["synthetic"], document["agencies"], document["entries"]) == (True, 9, 400)
    assert document["levels"] == {"0": 1, "1": 1, "2": 1, "3": 1, "4": 5}
    assert document["root"] == str(folder / "metadata/1.root.json")


def test_synthesize_says_that_it_is_synthetic(tmp_path, capsys):
    assert main(["synthesize", str(tmp_path / "registry"), *SMALL]) == 0
    assert "synthetic" in capsys.readouterr().out


def test_verify_accepts_what_was_published(registry, capsys):
    assert main(["verify", str(registry), "--json"]) == 0
    document = printed(capsys)
    assert (document["ok"], document["synthetic"], document["entries"]) == (True, True, 400)
    assert document["root_pinned"] is False
    assert document["root_sha256"] == sha256_hex((registry / "metadata/1.root.json").read_bytes())
    assert {finding["agency"]: finding["level"] for finding in document["agencies"]}["DHS-ICE"] == 4
    assert main(["verify", str(registry)]) == 0
    assert "compare it" in capsys.readouterr().out
    assert main(["verify", str(registry), "--root", str(registry / "metadata/1.root.json")]) == 0
    assert "as pinned" in capsys.readouterr().out


def test_verify_names_the_agency_that_is_at_fault_and_fails(registry, capsys):
    (path,) = (registry / "targets/rosters/DHS-ICE").iterdir()
    path.write_bytes(path.read_bytes().replace(b"active", b"actIve"))
    assert main(["verify", str(registry), "--json"]) == 1
    document = printed(capsys)
    faults = {finding["agency"]: finding["fault"] for finding in document["agencies"] if finding["fault"]}
    assert list(faults) == ["DHS-ICE"]
    assert main(["verify", str(registry)]) == 1
    assert "FAULT: DHS-ICE: The file rosters/DHS-ICE/roster.jsonl is not" in capsys.readouterr().out


def test_verify_refuses_a_registry_of_another_root(registry, tmp_path, capsys):
    other = tmp_path / "other"
    main(["synthesize", str(other), *SMALL])
    capsys.readouterr()
    assert main(["verify", str(registry), "--root", str(other / "metadata/1.root.json"), "--json"]) == 1
    document = printed(capsys)
    assert document["ok"] is False
    assert "not signed by enough" in document["fault"]


def test_timestamp_and_roles_are_renewed_and_ingested(tmp_path, capsys):
    memory = MemoryRegistry()
    sample = SampleRegistry(tmp_path / "registry", SystemClock())
    station = Station(sample, memory, memory, tmp_path / "ingest")
    station.ingest()
    assert main(["timestamp", str(sample.folder), "--json"]) == 0
    assert printed(capsys)["expires"].endswith("Z")
    edition = station.ingest().edition
    assert (edition.timestamp.version, edition.snapshot.version, edition.number) == (2, 1, 1)
    assert main(["timestamp", str(sample.folder), "--roles"]) == 0
    edition = station.ingest().edition
    assert (edition.timestamp.version, edition.snapshot.version, edition.number) == (3, 2, 1)
    assert {state.role.version for state in edition.agencies.values()} == {2}


def test_the_snapshot_is_renewed_with_the_timestamp_when_half_of_its_time_is_used_up(tmp_path):
    sample = SampleRegistry(tmp_path / "registry")
    sample.clock.advance(days=3)
    sample.publisher.refresh()
    assert sample.newest("snapshot").name == "1.snapshot.json"
    sample.clock.advance(days=1)
    sample.publisher.refresh()
    assert sample.newest("snapshot").name == "2.snapshot.json"


@pytest.mark.parametrize(
    "command",
    [
        ["verify", "/nowhere"],
        ["timestamp", "/nowhere"],
        ["publish", "/nowhere"],
        ["status", "/nowhere"],
        ["verify", ".", "--root", "/nowhere"],
        ["synthesize", "/dev/null/registry"],
    ],
)
def test_what_cannot_be_done_is_usage(command, capsys):
    assert main(command) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("registryctl: ")
    assert not Path("/nowhere").exists()


@pytest.mark.parametrize("command", [[], ["verify"], ["synthesize", "x", "--entries", "many"], ["nothing"]])
def test_a_command_that_is_not_one_is_usage(command):
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert ended.value.code == 2


def test_an_empty_folder_has_no_registry_to_verify(tmp_path, capsys):
    assert main(["verify", str(tmp_path)]) == 1
    assert "no first root" in capsys.readouterr().out


def test_progress_shows_on_a_terminal_and_not_in_a_pipe(registry):
    command = [sys.executable, "-m", "verify_service.registryctl", "verify", str(registry)]
    piped = subprocess.run(command, capture_output=True, check=True)
    assert piped.stderr == b""
    terminal, end = pty.openpty()
    try:
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=end, check=True)
        assert b"9/9" in os.read(terminal, 65536)
    finally:
        os.close(terminal)
        os.close(end)
