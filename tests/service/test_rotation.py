"""Rotate a log's key while it is trusted: both sign, then the new one alone, and every receipt proves by one policy."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from sqlalchemy import update

from tests.deployment import Deployment, loaded
from tests.service.test_succession import faults, receipt_of
from verify_service import keyring, receiptctl
from verify_service.cli import database, keys
from verify_service.errors import ConfigurationError, LogRefused
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.log import LogId
from verify_service.storage import tables as t
from verify_service.wiring import Service

LOG = LogId("LAPD", "records")


def command(deployment, do):
    """Run a command as an operator does, in another process than the service's."""
    return do(Service(deployment.service.settings, deployment.clock), [LOG])


def submitted(deployment, label):
    answer = deployment.submit("DHS-ICE", agent_label=label)
    assert answer.status_code == 201, answer.get_data()
    return loaded(answer)["events"][0]


def signed_by(receipt):
    return [line.split(" ")[2][:5] for line in receipt.splitlines() if line.startswith("\u2014 ")]


def newest(service):
    return list(service.log_store.checkpoints(LOG, published=False))[-1]


def resign(service, checkpoint, *signers):
    """Put another note in the place of a stored checkpoint's."""
    note = Checkpoint.parse(checkpoint.note)[0].sign(*signers)
    mine = t.log_checkpoint.c.department == "LAPD", t.log_checkpoint.c.log == "records"
    with service.database.write() as connection:
        connection.execute(
            update(t.log_checkpoint).where(*mine, t.log_checkpoint.c.size == checkpoint.size).values(note=note)
        )


def test_receipts_from_before_during_and_after_the_overlap_prove_by_one_policy(deployment, tmp_path):
    events = [submitted(deployment, "Agent 1")]
    begun = newest(deployment.service).size
    rotated = command(deployment, keys.rotate).document["rotated"][0]
    events.append(submitted(deployment, "Agent 2"))
    deployment.service.logs.records("LAPD").publish()
    ended = newest(deployment.service).size
    command(deployment, keys.retire)
    events.append(submitted(deployment, "Agent 3"))
    service = Service(deployment.service.settings, deployment.clock)
    service.check_logs()
    text = service.policy().text()
    assert f"log {rotated['new']}\nafter {rotated['new']} {begun} " in text
    assert f"until {rotated['old']} {ended} " in text
    (tmp_path / "policy").write_text(text)
    lines = []
    for event in events:
        receipt, record = receipt_of(deployment, event)
        (tmp_path / "receipt").write_text(receipt)
        (tmp_path / "record").write_bytes(record)
        asked = ["--record", str(tmp_path / "record"), "--policy", str(tmp_path / "policy")]
        assert receiptctl.main(["verify", str(tmp_path / "receipt"), *asked]) == 0
        lines.append(signed_by(receipt))
    assert lines[1] == [*lines[0], *lines[2]]
    assert lines[0] != lines[2]
    assert signed_by(deployment.service.public_log("LAPD").checkpoint()) == lines[1]
    assert faults(service) == []
    said = [one.partition(": ")[2] for one in keys.list_keys(service).sentences if one.startswith("LAPD/records ")]
    assert said[0].startswith(f"signs from the beginning; retired at {ended} entries, 20")
    assert said[1].startswith(f"signs after {begun} entries, 20")


def test_the_new_key_file_is_its_owners_alone_beside_the_first(deployment):
    done = command(deployment, keys.rotate).document["rotated"][0]
    folder = deployment.service.settings.keys
    key_id = done["new"].split("+")[1]
    assert done["file"] == str(folder / f"log-LAPD-records.{key_id}.pem")
    made = [folder / f"log-LAPD-records.{key_id}.pem", folder / "log-LAPD-records.keys"]
    assert {path.stat().st_mode & 0o777 for path in made} == {0o600}


def test_what_is_unsafe_is_refused_and_changes_nothing(deployment):
    with pytest.raises(ConfigurationError, match="has one key alone.*keys rotate LAPD/records"):
        command(deployment, keys.retire)
    command(deployment, keys.rotate)
    before = deployment.service.policy().text()
    with pytest.raises(ConfigurationError, match="has two keys already.*keys retire LAPD/records"):
        command(deployment, keys.rotate)
    with pytest.raises(ConfigurationError, match="no log LAPD/nothing"):
        keys.rotate(deployment.service, [LogId("LAPD", "nothing")])
    assert deployment.service.policy().text() == before
    submitted(deployment, "Agent 2")
    command(deployment, keys.retire)
    command(deployment, keys.rotate)
    submitted(deployment, "Agent 3")
    assert len(signed_by(newest(deployment.service).note)) == 2
    assert faults(deployment.service) == []


def test_a_closed_log_is_not_rotated(deployment):
    database.succeed(deployment.service, "LAPD", "records", "Lost", compromised=False, checkpoint=None)
    with pytest.raises(LogRefused, match="closed"):
        command(deployment, keys.rotate)
    assert keyring.later_log_keys(deployment.service.settings.keys, LOG) == []


def test_a_lost_key_stops_the_start_and_only_a_succession_goes_on_without_it(deployment):
    event = submitted(deployment, "Agent 1")
    path = keyring.log_key_file(deployment.service.settings.keys, LOG)
    path.unlink()
    service = Service(deployment.service.settings, deployment.clock)
    with pytest.raises(
        ConfigurationError, match=r"records\.pem of the log.*missing: restore.*db succeed --department LAPD"
    ):
        service.check_logs()
    assert service.generate_keys() == []
    with pytest.raises(ConfigurationError, match="missing: restore"):
        command(deployment, keys.rotate)
    assert faults(service) == []
    database.succeed(service, "LAPD", "records", "The key was lost", compromised=False, checkpoint=None)
    later = Deployment(Service(service.settings, deployment.clock), deployment.issuer)
    later.service.check_logs()
    submitted(later, "Agent 2")
    later.service.policy().accept(receipt_of(later, event)[0].partition("\n\n")[2])
    assert faults(later.service) == []


def test_keys_made_anew_in_place_of_lost_ones_stop_the_start(deployment):
    assert deployment.submit().status_code == 201
    for path in deployment.service.settings.keys.glob("log-*"):
        path.unlink()
    host = Service(deployment.service.settings, deployment.clock)
    host.generate_keys()
    with pytest.raises(LogRefused, match="did not sign the log LAPD/records as it stands.*restore the folder of keys"):
        host.check_before_serving()


def test_a_rotation_that_is_stopped_on_a_host_without_terms_is_taken_up_again(deployment, monkeypatch):
    (deployment.service.settings.keys / "log-LAPD-records.keys").unlink()
    host, real, written = Service(deployment.service.settings, deployment.clock), keyring.write_key_file, []

    def stopped(path, content):
        written.append(path)
        if len(written) == 3:
            raise KeyboardInterrupt
        real(path, content)

    monkeypatch.setattr(keyring, "write_key_file", stopped)
    with pytest.raises(KeyboardInterrupt):
        host.rotate_key(LOG)
    monkeypatch.undo()
    host = Service(deployment.service.settings, deployment.clock)
    host.rotate_key(LOG)
    host.check_before_serving()
    assert Deployment(host, deployment.issuer).submit().status_code == 201


def test_a_deployment_of_before_gets_its_public_keys_written_down_by_an_upgrade(deployment):
    submitted(deployment, "Agent 1")
    terms = keyring.log_terms_file(deployment.service.settings.keys, LOG)
    kept = terms.read_bytes()
    terms.unlink()
    submitted(deployment, "Agent 2")
    assert deployment.service.create_logs() == []
    assert terms.read_bytes() == kept


@pytest.mark.parametrize("spoil", ["another's", "not a key", "lost"])
def test_a_key_of_the_overlap_that_cannot_be_used_stops_the_start_and_the_retirement(deployment, spoil):
    command(deployment, keys.rotate)
    (path,) = keyring.later_log_keys(deployment.service.settings.keys, LOG)
    terms = keyring.log_terms_file(deployment.service.settings.keys, LOG)
    before = terms.read_bytes()
    if spoil == "lost":
        path.unlink()
    else:
        other = keyring.log_key_file(deployment.service.settings.keys, LogId("LAPD", "access"))
        path.write_bytes(other.read_bytes() if spoil == "another's" else b"nothing")
    says = {"another's": "is not the key", "not a key": "not an Ed25519 key", "lost": "is missing"}[spoil]
    start = Service(deployment.service.settings, deployment.clock).check_logs
    for ask in (start, lambda: command(deployment, keys.retire)):
        with pytest.raises(ConfigurationError, match=says):
            ask()
    assert terms.read_bytes() == before


def test_terms_that_are_lost_after_a_rotation_or_of_another_log_are_refused(deployment):
    command(deployment, keys.rotate)
    folder = deployment.service.settings.keys
    terms = keyring.log_terms_file(folder, LOG)
    kept = terms.read_bytes()
    terms.unlink()
    with pytest.raises(ConfigurationError, match="is missing, but .* shows that the log's key was rotated"):
        Service(deployment.service.settings, deployment.clock).check_logs()
    for content in (keyring.log_terms_file(folder, LogId("LAPD", "access")).read_bytes(), b"nonsense"):
        keyring.write_key_file(terms, content)
        with pytest.raises(ConfigurationError, match="restore it from your backup"):
            Service(deployment.service.settings, deployment.clock).check_logs()
    keyring.write_key_file(terms, kept)
    Service(deployment.service.settings, deployment.clock).check_logs()


def test_a_host_with_the_keys_of_before_signs_nothing_until_it_has_the_folder(deployment, tmp_path):
    mine = deployment.service.settings
    there = replace(mine, keys=tmp_path / "other")
    shutil.copytree(mine.keys, there.keys)
    host = Service(there, deployment.clock)
    other = Deployment(host, deployment.issuer)
    submitted(other, "Agent 1")
    for number, change in enumerate((keys.rotate, keys.retire)):
        command(deployment, change)
        size = host.log_store.head(LOG).size
        assert other.submit("DHS-ICE", agent_label=f"Agent {2 + number}").status_code == 503
        with pytest.raises(LogRefused, match="copy the folder of keys"):
            host.check_logs()
        assert host.log_store.head(LOG).size == size
        shutil.copytree(mine.keys, there.keys, dirs_exist_ok=True)
        submitted(other, f"Agent {2 + number}")
    assert faults(deployment.service) == []
    host.database.dispose()


@pytest.mark.parametrize("stopped", ["rotate", "retire"])
def test_a_change_that_was_stopped_before_it_was_done_is_taken_up_again(deployment, stopped):
    if stopped == "retire":
        command(deployment, keys.rotate)
    submitted(deployment, "Agent 1")
    head = deployment.service.log_store.head(LOG)
    files = Service(deployment.service.settings, deployment.clock).log_keys(LOG)
    if stopped == "rotate":
        files.rotate(head, "2026-11-24T10:00:00.000Z", bytes)
    else:
        files.retire(head, "2026-11-24T10:00:00.000Z")
    assert deployment.submit("DHS-ICE", agent_label="Agent 2").status_code == 503
    command(deployment, keys.rotate if stopped == "rotate" else keys.retire)
    submitted(deployment, "Agent 2")
    assert len(signed_by(newest(deployment.service).note)) == (2 if stopped == "rotate" else 1)
    assert len(files.policy().logs) == 2
    assert faults(deployment.service) == []


def test_l14_the_audit_finds_a_checkpoint_that_a_key_signed_outside_its_term(deployment):
    submitted(deployment, "Agent 1")
    first = newest(deployment.service)
    command(deployment, keys.rotate)
    (old, new) = deployment.service.log_keys(LOG).signer().signers
    submitted(deployment, "Agent 2")
    both = newest(deployment.service)
    command(deployment, keys.retire)
    submitted(deployment, "Agent 3")
    last = newest(deployment.service)
    assert faults(deployment.service) == []
    for checkpoint, signers in ((first, (new,)), (both, (old,)), (both, (new,)), (last, (old,)), (last, (old, new))):
        resign(deployment.service, checkpoint, *signers)
        (fault,) = faults(deployment.service)
        assert "a checkpoint is signed by" in fault
        assert "has to sign" in fault
        resign(deployment.service, first, old)
        resign(deployment.service, both, old, new)
        resign(deployment.service, last, new)
