"""The client that the public conformance suite tests is ours, and does what the suite asks of it."""

import subprocess
import sys

import pytest

from tests.registries import SampleRegistry
from tests.site import served
from tests.tuf_client import main
from verify_service.clock import SystemClock
from verify_service.registry.agency import roster_path

ROSTER = roster_path("DHS-ICE")


@pytest.fixture
def sample(tmp_path):
    return SampleRegistry(tmp_path / "registry", SystemClock())


@pytest.fixture
def command(sample, tmp_path):
    """The options of a client that was initialised."""
    for name in ("metadata", "targets"):
        (tmp_path / name).mkdir()
    root = tmp_path / "initial_root.json"
    root.write_bytes(sample.root)
    options = ["--metadata-dir", str(tmp_path / "metadata"), "--target-dir", str(tmp_path / "targets")]
    assert main([*options, "init", str(root)]) == 0
    with served(sample.folder) as site:
        urls = ["--metadata-url", f"{site.address}/metadata/", "--target-base-url", f"{site.address}/targets/"]
        yield [*options, *urls]


def downloaded(tmp_path):
    return [path.read_bytes() for path in (tmp_path / "targets").iterdir()]


def test_it_refreshes_and_downloads_a_registry_over_http(sample, command, tmp_path):
    client = [sys.executable, "-m", "tests.tuf_client"]
    run = subprocess.run([*client, *command, "refresh"], check=False, capture_output=True)
    assert (run.returncode, run.stdout, run.stderr) == (0, b"", b"")
    for role in ("snapshot", "targets"):
        assert (tmp_path / f"metadata/{role}.json").read_bytes() == sample.newest(role).read_bytes()
    assert downloaded(tmp_path) == []
    assert main([*command, "--target-name", ROSTER, "download"]) == 0
    assert downloaded(tmp_path) == [sample.roster("DHS-ICE")]


def test_what_is_here_already_is_not_fetched_again(sample, command, tmp_path):
    assert main([*command, "--target-name", ROSTER, "download"]) == 0
    (served_file,) = (sample.folder / "targets/rosters/DHS-ICE").iterdir()
    served_file.unlink()
    assert main([*command, "--target-name", ROSTER, "download"]) == 0


def test_it_refuses_what_the_ingest_refuses(sample, command, tmp_path, capsys):
    old = (sample.folder / "metadata/timestamp.json").read_bytes()
    sample.publisher.timestamp()
    assert main([*command, "refresh"]) == 0
    (sample.folder / "metadata/timestamp.json").write_bytes(old)
    for path in (tmp_path / "metadata").glob("*.json"):
        path.unlink()
    assert main([*command, "refresh"]) == 1
    assert "Version 1 of timestamp is older than version 2" in capsys.readouterr().err


def test_a_file_that_nobody_signs_for_is_not_downloaded(command, capsys, tmp_path):
    assert main([*command, "--target-name", "rosters/NONE/roster.jsonl", "download"]) == 1
    assert "Nobody signs for the file" in capsys.readouterr().err
    assert downloaded(tmp_path) == []
