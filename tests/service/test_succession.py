"""Close a log and go on with its successor: what was recorded before stands, and subjects go on across the two."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import update

from tests.deployment import Deployment, loaded
from verify_service.cli import database
from verify_service.errors import ConfigurationError, LogRefused, NotAllowed, SignatureInvalid
from verify_service.evidence.audit import audit
from verify_service.evidence.export_log import export_log
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.log import LogId
from verify_service.record_log.merkle import Peaks
from verify_service.record_log.receipt import verify_receipt
from verify_service.record_log.served_log import LogFolder, ServedLog
from verify_service.storage import tables as t
from verify_service.wiring import Service

OLD, NEW = LogId("LAPD", "records"), LogId("LAPD", "records-2")
REASON = "The disk was lost on 24 November"


def succeed(service, name=None, *, compromised=False, checkpoint=None, reason=REASON):
    return database.succeed(service, "LAPD", name, reason, compromised=compromised, checkpoint=checkpoint).document[
        "succeeded"
    ]


def again(deployment):
    """Start anew, as a service does after its log was succeeded."""
    service = Service(deployment.service.settings, deployment.clock)
    service.check_logs()
    return Deployment(service, deployment.issuer)


def lose_the_end(service, promised):
    """Let this host have promised more than the database has."""
    mark = service.high_water(OLD)
    peaks = service.log_store.head(OLD).peaks
    with mark.turn() as turn:
        for number in range(promised):
            peaks = peaks.append(bytes([number]) * 32)
        turn.advance(peaks)


def receipt_of(deployment, event):
    record = deployment.get(event["record"].removeprefix("https://verify.example.gov")).get_data()
    receipt = deployment.get(event["receipt"].removeprefix("https://verify.example.gov")).get_data(as_text=True)
    return receipt, record


def faults(service):
    return [f.sentence for f in audit(service.audit_source(), service.vault, service.marks()).faults]


def test_a_successor_begins_with_the_old_logs_last_checkpoint_and_subjects_go_on_in_it(deployment, known):
    before = loaded(deployment.submit("DHS-ICE", known()))
    old_receipt = receipt_of(deployment, before["events"][0])
    last = list(deployment.service.log_store.checkpoints(OLD, published=False))[-1].note
    (done,) = succeed(deployment.service, "records")
    assert (done["old"], done["new"], done["lost"]) == ("LAPD/records", "LAPD/records-2", None)
    later = again(deployment)
    first = json.loads(later.service.logs.named("LAPD", "records-2").record(0)[0])
    assert first["kind"] == "succession"
    assert first["body"] == {"old_origin": "logs.example/log/LAPD/records", "old_checkpoint": last, "reason": REASON}
    assert first["subject"] is first["seq"] is first["prev"] is None

    later.follow(before, "interrupted", interrupted={"reason": "other"})
    events = loaded(later.get(f"/v1/verifications/{before['id']}"))["events"]
    assert [event["log"]["origin"].rpartition("/")[2] for event in events] == ["records", "records-2"]
    assert [event["seq"] for event in events] == [0, 1]
    records = [json.loads(receipt_of(later, event)[1]) for event in events]
    assert records[1]["prev"] == later.service.log_store.entries(OLD, events[0]["log"]["index"], 1)[0][1:].hex()
    policy = later.service.policy()
    assert len(policy.logs) == 2 * len(later.service.settings.departments) - 1
    assert receipt_of(later, events[0]) == old_receipt
    for event in events:
        verify_receipt(*receipt_of(later, event), policy)
    assert faults(later.service) == []


def test_what_was_opened_later_is_listed_first_across_logs_and_after_a_rebuild(deployment, known):
    ids = [loaded(deployment.submit("DHS-ICE", known(), agent_label=f"Agent {n}"))["id"] for n in range(3)]
    succeed(deployment.service, "records")
    later = again(deployment)
    ids.append(loaded(later.submit("DHS-ICE", known(), agent_label="Agent 9"))["id"])
    listed = [case["id"] for case in loaded(later.get("/v1/verifications", "supervisor"))["verifications"]]
    assert listed == ids[::-1]
    later.service.rebuild("LAPD", lambda *_: None)
    assert [case["id"] for case in loaded(later.get("/v1/verifications", "supervisor"))["verifications"]] == listed
    assert faults(later.service) == []


def test_a_service_that_still_runs_adds_nothing_to_a_closed_log(deployment, known):
    succeed(deployment.service, "records")
    head = deployment.service.log_store.head(OLD)
    refused = deployment.submit("DHS-ICE", known())
    assert (refused.status_code, loaded(refused)["title"]) == (503, "The record log must not be continued")
    assert deployment.service.log_store.head(OLD) == head
    assert deployment.get("/readyz").status_code == 503
    with pytest.raises(LogRefused, match="restart the service"):
        deployment.service.check_logs()
    assert again(deployment).submit("DHS-ICE", known()).status_code == 201


def test_what_was_lost_is_named_in_the_successor_and_no_longer_asked_for(deployment, known):
    deployment.submit("DHS-ICE", known())
    size = deployment.service.log_store.head(OLD).size
    lose_the_end(deployment.service, 3)
    with pytest.raises(LogRefused, match="set back"):
        deployment.service.check_logs()
    (done,) = succeed(deployment.service)
    assert done["lost"] == [size, size + 2]
    later = again(deployment)
    reason = json.loads(later.service.logs.records("LAPD").record(0)[0])["body"]["reason"]
    assert reason == f"{REASON}. Entries {size} to {size + 2} were promised and are lost."
    assert later.service.high_water(OLD).path.with_name(f"LAPD-records.mark.was-{size + 3}").exists()
    assert later.submit("DHS-ICE", known()).status_code == 201
    assert faults(later.service) == []


def test_nothing_is_closed_unasked(deployment):
    with pytest.raises(ConfigurationError, match="name the one to be closed"):
        succeed(deployment.service)
    assert deployment.service.log_store.head(NEW) is None
    deployment.service.check_logs()


def test_after_a_compromise_the_successor_commits_to_what_was_published_last(deployment, known):
    deployment.submit("DHS-ICE", known())
    deployment.service.logs.records("LAPD").publish()
    published = deployment.service.public_log("LAPD").checkpoint()
    deployment.submit("DHS-ICE", known(), agent_label="Agent 3")
    (done,) = succeed(deployment.service, "records", compromised=True)
    assert done["checkpoint"] == published
    later = again(deployment)
    keys = {key.name.rpartition("/")[2]: key.public for key in later.service.policy().logs if "LAPD" in key.name}
    assert keys["records"] != keys["records-2"]
    assert faults(later.service) == []


def test_a_checkpoint_from_outside_must_be_the_logs_own(deployment, tmp_path):
    signer = deployment.service.log_keys(LogId("LAPD", "access")).signer().signers[0]
    forged = Checkpoint(deployment.service.origin(OLD), 9, Peaks().root).sign(signer)
    path = tmp_path / "checkpoint"
    path.write_text(forged)
    with pytest.raises(SignatureInvalid):
        succeed(deployment.service, "records", checkpoint=path)
    path.write_text(
        deployment.service.log_keys(OLD).signer().sign(Checkpoint(deployment.service.origin(OLD), 9, bytes(32)))
    )
    (done,) = succeed(deployment.service, "records", checkpoint=path)
    assert done["checkpoint"] == path.read_text()


def test_both_are_published_and_the_old_one_stays(deployment, known, tmp_path):
    deployment.submit("DHS-ICE", known())
    deployment.service.logs.records("LAPD").publish()
    old = deployment.client.get("/log/LAPD/records/checkpoint").get_data()
    succeed(deployment.service, "records")
    later = again(deployment)
    assert later.service.logs.records("LAPD").publish() == 256
    assert later.client.get("/log/LAPD/records/checkpoint").get_data() == old
    new = later.client.get("/log/LAPD/records-2/checkpoint").get_data(as_text=True)
    assert new.startswith("logs.example/log/LAPD/records-2\n256\n")
    assert later.client.get("/log/LAPD/records-2/tile/entries/000").status_code == 200
    for name in ("access", "access-2", "records-3"):
        assert later.client.get(f"/log/LAPD/{name}/checkpoint").status_code == 404
    with pytest.raises(NotAllowed, match="never public"):
        later.service.public_log("LAPD", "access")
    for name in ("records", "records-2"):
        export_log(later.service.public_log("LAPD", name), tmp_path / name)
        note = ServedLog(LogFolder(tmp_path / name)).checkpoint()
        assert later.service.policy().accept(note).checkpoint.size == 256


def test_access_is_succeeded_too(deployment, listed):
    deployment.get(f"/v1/verifications/{listed['id']}")
    succeed(deployment.service, "access")
    later = again(deployment)
    later.get("/v1/verifications", "supervisor")
    assert later.service.log_store.head(LogId("LAPD", "access-2")).size == 2
    assert faults(later.service) == []


def test_a_database_from_before_the_succession_is_refused(deployment):
    succeed(deployment.service, "records")
    with deployment.service.database.write() as connection:
        for table in (t.log_head, t.log_entry, t.record, t.log_tile, t.log_checkpoint):
            connection.execute(table.delete().where(table.c.log == NEW.name))
        connection.execute(update(t.log_head).values(successor=None))
    with pytest.raises(LogRefused, match="no log LAPD/records-2, but"):
        Service(deployment.service.settings, deployment.clock).check_logs()


def test_the_audit_finds_a_successor_that_begins_with_something_else(deployment, known):
    deployment.submit("DHS-ICE", known())
    service, signer = deployment.service, deployment.service.log_keys(OLD).signer()
    size = service.log_store.head(OLD).size
    other = signer.sign(Checkpoint(service.origin(OLD), size, bytes(32)))
    service.succeed(OLD, REASON, compromised=False, known=other)
    assert faults(again(deployment).service) == [
        "the succession's checkpoint is not of the history of the log before it"
    ]


def test_what_stands_in_both_logs_is_expunged_whole(deployment, known):
    before = loaded(deployment.submit("DHS-ICE", known()))
    deployment.submit("DHS-ICE", known(), agent_label="Agent 3")
    succeed(deployment.service, "records")
    later = again(deployment)
    later.follow(before, "interrupted", interrupted={"reason": "other"})
    given = {"ground": "Court order", "reference": "24-1", "verifications": [before["id"]], "statements": True}
    order = loaded(later.post("/v1/expunge-orders", {**given, "incidents": []}, "supervisor", serial="60001"))
    done = later.post(f"/v1/expunge-orders/{order['id']}/approval", {}, "supervisor", serial="60002")
    assert done.status_code == 200, done.get_data()
    for log in (OLD, NEW):
        gone = [row for row in later.service.log_store.records(log, 0, 100) if row.sealed is None]
        assert gone, log
    assert faults(later.service) == []
    with later.service.database.write() as connection:
        mine = t.record.c.log == OLD.name, t.record.c.department == "LAPD"
        connection.execute(t.record.delete().where(*mine))
    assert any("no expunge names it" in sentence for sentence in faults(later.service))
