"""What anybody can read without a token: the requester's page and the published log."""

from __future__ import annotations

import pytest

from tests.deployment import loaded
from verify_service import receiptctl
from verify_service.errors import ConfigurationError
from verify_service.evidence.export_log import export_log
from verify_service.record_log.checkpoint import Checkpoint
from verify_service.record_log.merkle import Peaks, leaf_hash
from verify_service.record_log.receipt import verify_receipt
from verify_service.verification.outcome import OUTCOMES
from verify_service.web.requester import texts

LOG = "/log/LAPD/records"
LISTED = "The number given is on the agency&#39;s list."


def page(deployment, answer):
    reply = deployment.client.get(answer["requester_receipt"])
    assert reply.status_code == 200
    assert reply.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in reply.headers
    return reply.get_data(as_text=True)


def test_the_person_who_asked_sees_agency_outcome_and_time_and_nothing_else(deployment, known):
    answer = loaded(deployment.submit("DHS-ICE", known(), note="Something private."))
    shown = page(deployment, answer)
    for told in (
        "DHS-ICE",
        "The number given is on the agency&#39;s list.",
        "El número dado está en la lista de la agencia.",
        "2026-11-23 21:18 PST",
        "Nothing yet ties this person to the number.",
    ):
        assert told in shown
    for kept in (answer["id"], "261124001234", "38211", known(), "private", "<script"):
        assert kept not in shown


@pytest.mark.parametrize("status", ["absent", "suspended"])
def test_what_a_supervisor_must_tell_waits_for_the_release(deployment, known, status):
    answer = loaded(deployment.submit("DHS-ICE", known(status=status)))
    assert "A supervisor is checking" in page(deployment, answer)
    said = texts()["en"][answer["outcome"]]
    assert said.replace("'", "&#39;") not in page(deployment, answer)
    assert deployment.follow(answer, "released", "supervisor").status_code == 201
    assert said.replace("'", "&#39;") in page(deployment, answer)
    for told in ("not show that the person is not an agent", "no demuestra que la persona no sea agente"):
        assert told in page(deployment, answer)


def test_an_outcome_that_worsens_hides_the_earlier_one(deployment, known):
    answer = loaded(deployment.submit("DHS-ICE", known()))
    assert LISTED in page(deployment, answer)
    deployment.follow(answer, "agency_callback", agency_callback={"result": "denied"})
    assert "A supervisor is checking" in page(deployment, answer)
    deployment.follow(answer, "corrected", corrected={"corrects_seq": 1, "withdrawn": True})
    assert LISTED in page(deployment, answer)


def test_each_change_of_outcome_replaces_the_statement(deployment, known):
    answer = loaded(deployment.submit("DHS-ICE", known()))
    compared = {"result": "matches", "face_seen": True, "credential_number_matches": True}
    deployment.follow(answer, "photo_credential_compared", photo_credential=compared)
    deployment.follow(answer, "interrupted", interrupted={"reason": "other"})
    log = deployment.service.logs.records("LAPD")
    records = [log.record(index)[0] for index in range(deployment.service.log_store.head(log.log).size)]
    statements = [statement for statement in map(as_statement, records) if statement]
    assert [(s["outcome"], s["seq"], s["replaces"]) for s in statements] == [
        ("identifier_listed", 0, None),
        ("credential_consistent", 1, 0),
    ]
    assert len({s["receipt_number"] for s in statements}) == 1
    assert statements[0]["time"] == "2026-11-24T05:18:00.000Z"


def test_every_outcome_has_its_words_in_both_languages():
    english, spanish = texts()["en"], texts()["es"]
    assert english.keys() == spanish.keys()
    for outcome in OUTCOMES:
        assert english[outcome] != spanish[outcome]
        assert english[f"{outcome}_means"]


def test_the_person_who_asked_can_check_the_statement_without_seeing_the_case(deployment, known, tmp_path):
    answer = loaded(deployment.submit("DHS-ICE", known()))
    code = answer["requester_receipt"]
    assert "daily at 04:00" in page(deployment, answer)
    assert deployment.client.get(f"{code}/proof").status_code == 404
    deployment.service.logs.records("LAPD").publish()
    assert f'href="{code}/proof"' in page(deployment, answer)
    files = {name: deployment.client.get(f"{code}/{name}") for name in ("statement", "proof")}
    for name, reply in files.items():
        assert "attachment" in reply.headers["Content-Disposition"]
        assert reply.headers["Cache-Control"] == "no-store"
        (tmp_path / name).write_bytes(reply.get_data())
    (tmp_path / "policy").write_text(deployment.service.policy().text())
    arguments = ["verify", tmp_path / "proof", "--record", tmp_path / "statement", "--policy", tmp_path / "policy"]
    assert receiptctl.main([str(argument) for argument in arguments]) == 0
    statement = files["statement"].get_data(as_text=True)
    for kept in (answer["id"], answer["incident"]["id"], "38211", known()):
        assert kept not in statement


def test_nothing_can_be_checked_while_a_supervisor_is_checking(deployment, known):
    answer = loaded(deployment.submit("DHS-ICE", known(status="absent")))
    for name in ("statement", "proof"):
        reply = deployment.client.get(f"{answer['requester_receipt']}/{name}")
        assert (reply.status_code, "no statement to check yet" in reply.get_data(as_text=True)) == (404, True)


def test_the_officers_screen_shows_the_address_as_a_qr_code(deployment, known):
    answer = loaded(deployment.submit("DHS-ICE", known()))
    assert answer["requester_receipt_qr"] == f"{answer['requester_receipt']}/qr"
    image = deployment.client.get(answer["requester_receipt_qr"])
    assert (image.status_code, image.content_type) == (200, "image/svg+xml")
    assert image.get_data().startswith(b"<?xml")
    assert deployment.client.get("/r/abcdefghijklmnopqrstuvwxyz/qr").status_code == 404


def as_statement(record):
    import json  # noqa: PLC0415

    document = json.loads(record)
    return document if document["v"] == "statement/v1" else None


def test_a_code_that_opens_nothing_is_not_found(deployment):
    reply = deployment.client.get("/r/abcdefghijklmnopqrstuvwxyz")
    assert (reply.status_code, reply.content_type) == (404, "text/html; charset=utf-8")
    assert reply.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "This link opens nothing. Ask the officer or the station for a new one." in reply.get_data(as_text=True)


def test_nothing_is_published_before_the_first_day(deployment, known):
    deployment.submit("DHS-ICE", known())
    note = deployment.client.get(f"{LOG}/checkpoint").get_data(as_text=True)
    assert Checkpoint.parse(note)[0].size == 0
    for name in ("0/000", "0/000.p/1", "entries/000", "entries/000.p/3"):
        assert deployment.client.get(f"{LOG}/tile/{name}").status_code == 404


def published(deployment):
    return Checkpoint.parse(deployment.client.get(f"{LOG}/checkpoint").get_data(as_text=True))[0]


def test_the_published_log_is_whole_and_proves_the_record(deployment, known):
    answer = loaded(deployment.submit("DHS-ICE", known()))
    receipt = answer["events"][0]["receipt"]
    assert deployment.get(f"{receipt}?published=1").status_code == 404
    log = deployment.service.logs.records("LAPD")
    assert log.publish() == 256
    deployment.submit("DHS-ICE", known())
    checkpoint = published(deployment)
    bundle = deployment.client.get(f"{LOG}/tile/entries/000")
    assert bundle.headers["Cache-Control"].endswith("immutable")
    entries = [bundle.get_data()[n * 35 + 2 : (n + 1) * 35] for n in range(256)]
    peaks = Peaks()
    for entry in entries:
        peaks = peaks.append(leaf_hash(entry))
    assert (checkpoint.size, checkpoint.root) == (256, peaks.root)
    hashes = deployment.client.get(f"{LOG}/tile/0/000").get_data()
    assert hashes == b"".join(leaf_hash(entry) for entry in entries)
    assert deployment.client.get(f"{LOG}/tile/1/000.p/1").get_data() == peaks.root
    for past in ("0/001.p/1", "entries/001.p/2", "1/000.p/2", "1/000", "0/0", "0/x000/000", "64/000", "0/000.p/256"):
        assert deployment.client.get(f"{LOG}/tile/{past}").status_code == 404
    record = deployment.get(answer["events"][0]["record"]).get_data()
    proof = deployment.get(f"{receipt}?published=1").get_data(as_text=True)
    assert verify_receipt(proof, record, deployment.service.policy()).checkpoint.size == 256


def exported(deployment, folder):
    """Export the log into a folder and return its files by name."""
    written = export_log(deployment.service.public_log("LAPD"), folder)
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert written <= len(files)
    return files


def test_the_export_and_what_is_served_are_the_same_bytes_and_whole(deployment, known, tmp_path):
    for size in (256, 512):
        deployment.submit("DHS-ICE", known())
        assert deployment.service.logs.records("LAPD").publish() == size
        deployment.submit("DHS-ICE", known())
        for name, content in exported(deployment, tmp_path / "log").items():
            reply = deployment.client.get(f"{LOG}/{name}")
            # A partial tile of an earlier size stays where it was written, and is the beginning of what is served.
            assert (reply.status_code, reply.get_data()) == (200, content), name
            lasts = name.startswith("tile/")
            assert reply.headers["Cache-Control"] == (
                "public, max-age=31536000, immutable" if lasts else "public, max-age=5"
            )
            assert reply.content_type == ("application/octet-stream" if lasts else "text/plain; charset=utf-8")
        (tmp_path / "policy").write_text(deployment.service.policy().text())
        command = ["log", str(tmp_path / "log"), "--policy", str(tmp_path / "policy")]
        assert receiptctl.main([*command, "--resume", str(tmp_path / "state")]) == 0
    assert export_log(deployment.service.public_log("LAPD"), tmp_path / "anew") == 10
    assert sorted(str(p.relative_to(tmp_path / "anew")) for p in (tmp_path / "anew").rglob("*") if p.is_file()) == [
        "checkpoint",
        "checkpoints/0",
        "checkpoints/256",
        "checkpoints/512",
        "checkpoints/sizes",
        "tile/0/000",
        "tile/0/001",
        "tile/1/000.p/2",
        "tile/entries/000",
        "tile/entries/001",
    ]


def test_an_export_never_overwrites_another_log(deployment, known, tmp_path):
    deployment.service.logs.records("LAPD").publish()
    exported(deployment, tmp_path / "log")
    (tmp_path / "log/tile/0/000").write_bytes(bytes(8192))
    with pytest.raises(ConfigurationError, match="belongs to another log"):
        exported(deployment, tmp_path / "log")


def test_the_history_lists_what_was_published_and_nothing_between(deployment, known):
    log = deployment.service.logs.records("LAPD")
    for _ in range(3):
        deployment.submit("DHS-ICE", known())
    log.publish()
    deployment.submit("DHS-ICE", known())
    assert deployment.client.get(f"{LOG}/checkpoints/sizes").get_data(as_text=True) == "0\n256\n"
    assert Checkpoint.parse(deployment.client.get(f"{LOG}/checkpoints/256").get_data(as_text=True))[0].size == 256
    signed = {kept.size for kept in deployment.service.log_store.checkpoints(log.log, published=False)}
    unpublished = signed - {0, 256}
    assert len(unpublished) >= 4
    for name in (*unpublished, "0256", "-1", "1e2", "9" * 30, "sizes/", "..", "x"):
        assert deployment.client.get(f"{LOG}/checkpoints/{name}").status_code == 404, name


def test_a_quiet_day_looks_like_any_other(deployment, known):
    log = deployment.service.logs.records("LAPD")
    sizes = [log.publish()]
    deployment.submit("DHS-ICE", known())
    sizes.append(log.publish())
    sizes.append(log.publish())
    assert sizes == [256, 512, 768]


def test_the_publication_is_due_once_a_day_and_made_up_once(deployment):
    (publication, _) = deployment.service.publications()
    # The log was created after today's hour.
    assert publication.publish_if_due() is None
    deployment.clock.advance(days=1)
    assert publication.publish_if_due() == 256
    assert publication.publish_if_due() is None
    deployment.clock.advance(days=3)
    assert publication.publish_if_due() == 512
    assert publication.publish_if_due() is None
    assert 0 < publication.seconds_to_next() <= 86_400


def test_the_access_log_is_never_public(deployment, known):
    answer = loaded(deployment.submit("DHS-ICE", known()))
    deployment.get(f"/v1/verifications/{answer['id']}")
    for path in ("/log/LAPD/access/checkpoint", "/log/LAPD/access/tile/0/000.p/1", "/log/OAKLAND/records/checkpoint"):
        assert deployment.client.get(path).status_code == 404


def test_the_checklist_and_the_registry_are_served_to_any_caller(deployment):
    document = deployment.get("/v1/checklists/1", "partner")
    assert document.headers["ETag"].strip('"') == loaded(deployment.submit())["checklist"]["sha256"]
    for missing in ("2", "one", "..", "1.json"):
        assert deployment.get(f"/v1/checklists/{missing}").status_code == 404
    registry = loaded(deployment.get("/v1/registry", "operator"))
    assert registry["synthetic"] is True
    assert registry["metadata"]["timestamp"]["expired"] is False
    assert {agency["enrolment_level"] for agency in registry["agencies"]} == {0, 1, 2, 3, 4}
    assert [alert["kind"] for alert in registry["alerts"]] == ["expires_next"]
    assert registry["last_cycle"]["edition"] == registry["edition"]
    assert {agency["setback"] for agency in registry["agencies"]} == {None}
    agencies = loaded(deployment.get("/v1/agencies"))["agencies"]
    assert all("synthetic" in agency["name"] for agency in agencies)
    deployment.clock.advance(hours=30)
    deployment.tokens.clear()
    stale = loaded(deployment.get("/v1/registry", "operator"))
    assert stale["metadata"]["timestamp"]["expired"] is True
    assert stale["alerts"][0]["sentence"].startswith("EXPIRED ")
    assert stale["timestamp_age_seconds"] >= 30 * 3600
