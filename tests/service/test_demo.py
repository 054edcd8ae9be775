"""The demo does the project's main job at real size, in one command, with and without rosters in the world."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.served import free_port
from verify_service.receiptctl import main as receiptctl

pytestmark = pytest.mark.xdist_group("demo")
WITH_ROSTERS = [
    "verified",
    "credential_consistent",
    "identifier_listed",
    "not_listed",
    "contradicted",
    "declined",
    "inconclusive",
]


def demo(home, *options):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VERIFY_")} | {
        "VERIFY_HOME": str(home),
        "VERIFY_BIND": f"127.0.0.1:{free_port()}",
        "VERIFY_DEVISSUER_PORT": str(free_port()),
    }
    command = [sys.executable, "-m", "verify_service.cli", "demo", "--once", *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """The whole encounter, as ``--json`` prints it, and its state directory."""
    home = tmp_path_factory.mktemp("demo") / "home"
    ran = demo(home, "--json")
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout), home, ran.stderr


def test_seven_agents_get_seven_outcomes(played):
    document, _, said = played
    assert "Ingested 90 agencies and 136815 identifiers" in said
    assert [verification["outcome"] for verification in document["verifications"]] == WITH_ROSTERS
    assert set(document) == {"verifications", "incident", "audit"}
    for verification in document["verifications"]:
        assert set(verification) == {"outcome", "explanation", "next_steps", "events"}
        assert verification["next_steps"]
        # A refusal quotes no registry.
        labelled = "Synthetic sample registry: no real agency or person." in verification["explanation"]
        assert labelled or verification["outcome"] == "declined"


def test_every_record_is_proved_offline_and_the_audit_is_clean(played):
    document, home, _ = played
    found = [*document["verifications"], document["incident"]]
    proved = [event["receipt_verified"] for subject in found for event in subject["events"]]
    kinds = [json.loads(event["record"])["kind"] for event in document["incident"]["events"]]
    assert kinds == ["incident_opened", "officer_assigned", "scene_facts"]
    assert len(proved) >= len(WITH_ROSTERS) + len(kinds)
    assert set(proved) == {True}
    assert document["audit"]["ok"] is True
    assert document["audit"]["size"] % 256 == 0, "published as whole bundles"
    folder = home / "receipts"
    for number, verification in enumerate(document["verifications"], start=1):
        for event in verification["events"]:
            seq = json.loads(event["record"])["seq"]
            named = folder / f"agent-{number}-{seq}"
            assert named.with_suffix(".json").read_text() == event["record"]
            assert named.with_suffix(".tlog-proof").read_text() == event["receipt"]
            command = ["verify", f"{named}.tlog-proof", "--record", f"{named}.json"]
            assert receiptctl([*command, "--policy", str(folder / "policy.txt")]) == 0


def test_only_a_spoken_word_verifies(played):
    document, _, _ = played
    kinds = {
        verification["outcome"]: {json.loads(event["record"])["kind"] for event in verification["events"]}
        for verification in document["verifications"]
    }
    assert {"callback_word_issued", "callback_word_read_back", "agency_callback"} <= kinds["verified"]
    assert "photo_credential_compared" in kinds["credential_consistent"]


def test_with_no_roster_in_the_world_it_still_ends_usefully(tmp_path):
    ran = demo(tmp_path / "home", "--no-rosters", "--json")
    assert ran.returncode == 0, ran.stderr
    assert "Ingested 90 agencies and 0 identifiers" in ran.stderr
    document = json.loads(ran.stdout)
    assert document["audit"]["ok"] is True
    outcomes = [verification["outcome"] for verification in document["verifications"]]
    assert outcomes[0] == "verified"
    assert "verified" not in outcomes[1:]
    assert all(event["receipt_verified"] for found in document["verifications"] for event in found["events"])
    assert any("credential" in step.lower() for found in document["verifications"] for step in found["next_steps"])


def test_as_an_officer_reads_it(tmp_path):
    ran = demo(tmp_path / "home", "--no-rosters")
    assert ran.returncode == 0, ran.stderr
    assert "What to do next" in ran.stdout
    assert "Checklist 1 (draft, not reviewed by counsel)" in ran.stdout
    assert "NOT PROVED" not in ran.stdout
    assert "Everything here is synthetic: no real agency, agent or person." in ran.stdout


def test_a_directory_that_no_demo_made_is_left_alone(tmp_path):
    (tmp_path / "records").write_text("kept")
    ran = demo(tmp_path)
    assert ran.returncode != 0
    assert f"{tmp_path} holds something that no demo made" in ran.stderr
    assert (tmp_path / "records").read_text() == "kept"
