"""An export proves itself, to whoever has the file and nothing of ours."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
from zipfile import ZipFile

import pytest

from tests.deployment import loaded
from tests.service.test_expunge import expunged
from tests.service.test_follow_up import heard
from verify_service.cli.evidence import export
from verify_service.errors import ConfigurationError, Expunged, NotFound
from verify_service.receiptctl import main as receiptctl

NOTE = "Tall, said that his name was Smith."


@pytest.fixture
def case(deployment, known):
    answer = loaded(deployment.submit("DHS-ICE", known(), note=NOTE))
    deployment.enter()
    words = loaded(deployment.post(f"/v1/verifications/{answer['id']}/callback-word", {}, "dispatcher"))
    heard(deployment, answer, words)
    return answer


def exported(deployment, case, form, folder):
    path = folder / f"{form}.zip"
    export(deployment.service, "LAPD", case["id"], form, path, by="10007", reason="Subpoena 26-114")
    target = folder / form
    with ZipFile(path) as archive:
        assert len(set(archive.namelist())) == len(archive.namelist())
        archive.extractall(target)
    assert path.stat().st_mode & 0o777 == 0o600
    return target


def check_receipts(folder):
    records = sorted((*folder.glob("verification/?.json"), *folder.glob("incident/?.json")))
    for record in records:
        proof = record.with_suffix(".tlog-proof")
        assert receiptctl(["verify", str(proof), "--record", str(record), "--policy", str(folder / "policy.txt")]) == 0
    return [record.name for record in records]


def test_a_court_gets_all_of_it_and_can_check_each_part(deployment, case, tmp_path, known):
    folder = exported(deployment, case, "evidence", tmp_path)
    assert check_receipts(folder) == ["0.json", "1.json", "0.json", "1.json", "2.json"]
    manifest = json.loads((folder / "manifest.json").read_bytes())
    for name, file in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == file["sha256"]
    everything = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert everything == {*manifest["files"], "manifest.json"}
    replay = json.loads((folder / "replay.json").read_bytes())
    assert [(step["outcome"], step["agrees"]) for step in replay] == [
        ("identifier_listed", True),
        ("identifier_listed", True),
        ("verified", True),
    ]
    fields = json.loads((folder / "verification/0.fields.json").read_bytes())
    assert {known(), NOTE} <= {field["value"] for field in fields if isinstance(field["value"], str)}
    assert (folder / "registry/metadata").is_dir()
    cover = (folder / "cover.html").read_text()
    assert "Verified" in cover
    assert "draft, not reviewed by counsel" in cover
    assert "Draft, not reviewed by counsel" in (folder / "declarations/custodian-federal.md").read_text()


def test_a_value_is_checked_as_the_readme_says(deployment, case, tmp_path):
    folder = exported(deployment, case, "evidence", tmp_path)
    command = (folder / "README.md").read_text().split("python3 -c '")[1].split("' verification/0.fields.json")[0]
    told = subprocess.run(
        [sys.executable, "-c", command, "verification/0.fields.json"],
        cwd=folder,
        capture_output=True,
        check=True,
        text=True,
    )
    lines = told.stdout.splitlines()
    record = (folder / "verification/0.json").read_text()
    assert len(lines) == 4
    assert all(line.startswith("True ") and line.split()[1] in record for line in lines)


def test_counsel_gets_an_index_to_mark(deployment, case, tmp_path):
    folder = exported(deployment, case, "discovery", tmp_path)
    rows = list(csv.DictReader(io.StringIO((folder / "index.csv").read_text())))
    assert {"file", "sha256", "responsive", "privilege", "redact", "remarks"} == set(rows[0])
    assert {row["file"] for row in rows} >= {"verification/0.json", "verification/0.fields.json", "README.md"}


def test_the_public_gets_what_exposes_nobody_and_what_was_withheld_by_name(deployment, case, tmp_path, known):
    folder = exported(deployment, case, "public-records", tmp_path)
    assert check_receipts(folder) == ["0.json", "1.json", "0.json", "1.json", "2.json"]
    text = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file()).decode()
    assert known() not in text
    assert "Smith" not in text
    assert not list(folder.rglob("*.fields.json"))
    assert not (folder / "registry").exists()
    withheld = json.loads((folder / "withheld.json").read_bytes())
    for place in withheld:
        assert place["digest"] in (folder / place["file"]).read_text()
        assert place["ground"]
    assert {place["field"] for place in withheld if place["file"] == "verification/0.json"} == {
        "body.computed.tags",
        "body.observed.note",
        "body.told_by_agent.identifier.canonical",
        "body.told_by_agent.identifier.typed",
    }


def test_who_made_it_and_why_is_on_record(deployment, case, tmp_path):
    exported(deployment, case, "evidence", tmp_path)
    log = deployment.service.logs.access("LAPD")
    content, fields = log.record(deployment.service.log_store.head(log.log).size - 1)
    written = json.loads(content)
    assert (written["kind"], written["actor"]["serial"], written["body"]["form"]) == ("exported", "10007", "evidence")
    assert fields[written["body"]["reason"]].value == "Subpoena 26-114"


def test_what_cannot_be_exported_is_said(deployment, case, tmp_path):
    def again(verification, path):
        export(deployment.service, "LAPD", verification, "evidence", path, by="10007", reason="x")

    (tmp_path / "there.zip").touch()
    with pytest.raises(ConfigurationError, match="is there already"):
        again(case["id"], tmp_path / "there.zip")
    with pytest.raises(NotFound):
        again("0193a000-0000-7000-8000-0000000000aa", tmp_path / "new.zip")
    expunged(deployment, case["id"])
    with pytest.raises(Expunged):
        again(case["id"], tmp_path / "new.zip")
    assert not list(tmp_path.glob("new*"))
