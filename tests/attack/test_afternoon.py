"""An attacker's afternoon at the served service: each attempt is refused and leaves a trace.

Walking identifiers is the exception: without budgets each step is answered, and bears the walker's name.
"""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
import sys
import time

import pytest
from sqlalchemy import select, update

from tests.deployment import AUDIENCE, claim
from tests.dpop_key import DpopKey
from tests.served import Served
from verify_service.clock import SystemClock, uuid7
from verify_service.devissuer.issuer import DevelopmentIssuer
from verify_service.devissuer.key import signing_key
from verify_service.log_keeping import random_bytes
from verify_service.record_log.log import RECORDS, LogId
from verify_service.storage import tables

CLOCK = SystemClock()
GUESSES = 16
FLOOD = 512


class Scene:
    """The service, who may ask it, and what it wrote down of them."""

    def __init__(self, served):
        self.served = served
        chosen = served.service().settings
        self.issuer = DevelopmentIssuer(chosen.issuer, signing_key(chosen.home), random_bytes)

    def token(self, role="officer", department="LAPD", **options):
        return self.issuer.issue_token(role, department, AUDIENCE, CLOCK.now(), **options)

    def ask(self, method, path, body=None, **headers):
        """Return (status, headers, body) of one request, whose headers are given by name."""
        connection = http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=30)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            key = uuid7(CLOCK.now(), random_bytes)
            sent |= {"Content-Type": "application/json", "Idempotency-Key": key}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    def submit(self, token, value, **more):
        return self.ask("POST", "/v1/verifications", claim("DHS-ICE", value, **more), Authorization=f"Bearer {token}")

    def refusals(self, serial, department="LAPD"):
        """Return (operation, object, reason, count) of each refusal on record of a caller."""
        service = self.served.service()
        try:
            log = service.logs.access(department)
            events = [json.loads(log.record(at)[0]) for at in range(service.log_store.head(log.log).size)]
        finally:
            service.database.dispose()
        told = [event["body"] for event in events if event["kind"] == "refused" and event["actor"]["serial"] == serial]
        return [(body["operation"], body["object"], body["reason"], body["count"]) for body in told]

    def said(self, words):
        """Wait until the diagnostics say these words; they are written beside the answer."""
        deadline = time.monotonic() + 5
        while words not in self.served.said.read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        return words in self.served.said.read_text()


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    home = tmp_path_factory.mktemp("afternoon") / "home"
    # One worker, since each counts what it refuses by itself.
    served = Served(home, f"sqlite:///{home}/verify.db", VERIFY_WORKERS="1", VERIFY_DEPARTMENTS="LAPD,SFPD")
    yield Scene(served.start())
    served.stop()


@pytest.fixture
def mine(scene):
    """A verification of Central's officer."""
    status, _, body = scene.submit(scene.token(), scene.served.sample.known("DHS-ICE").value)
    assert status == 201
    return json.loads(body)


def proof(key, token, path, nonce=None):
    return key.proof(token, "GET", f"{AUDIENCE}{path}", CLOCK.now(), nonce)


def with_nonce(scene, key, token, path):
    """Return the headers of a request as the phone that holds the key would send it."""
    scheme = f"DPoP {token}"
    _, headers, _ = scene.ask("GET", path, Authorization=scheme, DPoP=proof(key, token, path))
    return {"Authorization": scheme, "DPoP": proof(key, token, path, headers["DPoP-Nonce"])}


def test_a_stolen_token_does_not_serve_without_its_key(scene):
    phone, thief, path = DpopKey(), DpopKey(), "/v1/agencies"
    token = scene.token(jkt=phone.jkt, serial="51001")
    assert scene.ask("GET", path, Authorization=f"Bearer {token}")[0] == 401
    status, headers, _ = scene.ask("GET", path, **with_nonce(scene, thief, token, path))
    assert (status, "invalid_" in headers["WWW-Authenticate"]) == (401, True)
    # Whose request it was is not known, so it is nobody's event: it is counted and said.
    assert scene.said("listAgencies was refused 2 times to callers without a good token")
    assert scene.refusals("51001") == []
    # The token itself is good.
    assert scene.ask("GET", path, **with_nonce(scene, phone, token, path))[0] == 200


def test_a_replayed_proof_is_refused_and_on_record(scene):
    phone, path = DpopKey(), "/v1/registry"
    token = scene.token(jkt=phone.jkt, serial="51002")
    overheard = with_nonce(scene, phone, token, path)
    assert scene.ask("GET", path, **overheard)[0] == 200
    status, headers, _ = scene.ask("GET", path, **overheard)
    assert (status, "invalid_dpop_proof" in headers["WWW-Authenticate"]) == (401, True)
    assert scene.refusals("51002") == [("getRegistry", None, "not_authenticated", 1)]


def test_whoever_walks_identifiers_signs_each_step(scene):
    token = scene.token(serial="51003")
    walked = [f"{number:05d}" for number in range(10_000, 10_000 + GUESSES)]
    made = [scene.submit(token, value, incident_number="261124007777") for value in walked]
    assert {status for status, *_ in made} == {201}
    service = scene.served.service()
    log = service.logs.records("LAPD")
    for _, _, body in made:
        record = log.record(json.loads(body)["events"][0]["log"]["index"])[0]
        assert json.loads(record)["actor"]["serial"] == "51003"
        assert not any(value.encode() in record for value in walked)
    service.database.dispose()


def test_guessed_ids_lead_nowhere_and_every_guess_is_counted(scene):
    bearer = f"Bearer {scene.token(serial='51004')}"
    guesses = [uuid7(CLOCK.now(), random_bytes) for _ in range(GUESSES)]
    answers = {scene.ask("GET", f"/v1/verifications/{guess}", Authorization=bearer)[::2] for guess in guesses}
    assert [status for status, _ in answers] == [404]
    told = scene.refusals("51004")
    assert sum(count for *_, count in told) == GUESSES
    assert [about for _, about, *_ in told[:8]] == [f"verification:{guess}" for guess in guesses[:8]]


def test_another_department_reads_as_nothing_and_is_on_its_own_record(scene, mine):
    bearer = f"Bearer {scene.token('auditor', 'SFPD', serial='51005')}"
    theirs = scene.ask("GET", f"/v1/verifications/{mine['id']}", Authorization=bearer)
    missing = scene.ask("GET", f"/v1/verifications/{uuid7(CLOCK.now(), random_bytes)}", Authorization=bearer)
    assert theirs[::2] == missing[::2]
    assert theirs[0] == 404
    assert scene.refusals("51005", "SFPD")[0] == ("getVerification", f"verification:{mine['id']}", "not_found", 1)
    assert scene.refusals("51005") == []


def test_a_forged_receipt_or_record_proves_nothing(scene, mine, tmp_path):
    bearer = f"Bearer {scene.token()}"
    event = mine["events"][0]
    record, receipt = (scene.ask("GET", event[part], Authorization=bearer)[2] for part in ("record", "receipt"))
    service = scene.served.service()
    policy = service.log_keys(LogId("LAPD", RECORDS)).policy().text()
    service.database.dispose()
    lines = receipt.decode().splitlines()
    signed = base64.b64decode(lines[-1].rpartition(" ")[2])
    lines[-1] = lines[-1].rpartition(" ")[0] + " " + base64.b64encode(signed[:-64] + random_bytes(64)).decode()
    forged = "\n".join([*lines, ""]).encode()
    altered = record.replace(b"DHS-ICE", b"DHS-CBP")
    assert altered != record
    assert checked(tmp_path, policy, record, receipt)[0] == 0
    for these in ((record, forged), (altered, receipt)):
        code, said = checked(tmp_path, policy, *these)
        # Whoever is shown it learns why; the service is not asked and learns nothing.
        assert code > 2
        assert said


def checked(folder, policy, record, receipt):
    """Return the exit code and the words with which a court's command judges a receipt."""
    for name, content in (("policy", policy.encode()), ("record", record), ("receipt", receipt)):
        (folder / name).write_bytes(content)
    command = [sys.executable, "-m", "verify_service.receiptctl", "verify", str(folder / "receipt")]
    files = ["--record", str(folder / "record"), "--policy", str(folder / "policy")]
    done = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_flood_is_turned_away_in_a_few_lines_and_others_are_answered(scene, mine):
    bearer = f"Bearer {scene.token('partner', serial='51006')}"
    for _ in range(FLOOD):
        assert scene.ask("GET", "/v1/access-events")[0] == 401
        assert scene.ask("GET", f"/v1/verifications/{mine['id']}", Authorization=bearer)[0] == 403
    assert scene.said(f"listAccessEvents was refused {FLOOD} times to callers without a good token")
    told = scene.refusals("51006")
    assert sum(count for *_, count in told) == FLOOD
    assert len(told) < 16
    assert scene.submit(scene.token(), scene.served.sample.known("DHS-ICE").value)[0] == 201


def test_an_edited_row_is_not_answered_and_the_audit_names_it(scene, mine):
    index, record = mine["events"][0]["log"]["index"], tables.record
    row = (record.c.department == "LAPD", record.c.log == "records", record.c.idx == index)
    database = scene.served.service().database
    with database.write() as connection:
        sealed = connection.execute(select(record.c.sealed).where(*row)).scalar_one()
        edited = sealed[:40] + bytes([sealed[40] ^ 1]) + sealed[41:]
        connection.execute(update(record).where(*row).values(sealed=edited))
    try:
        status, _, body = scene.ask("GET", mine["events"][0]["record"], Authorization=f"Bearer {scene.token()}")
        assert (status >= 500, b"DHS-ICE" in body) == (True, False)
        command = [sys.executable, "-m", "verify_service.cli", "audit", "--json"]
        audit = subprocess.run(command, env=scene.served.environment, capture_output=True, text=True, check=False)
        assert (audit.returncode, "does not open" in audit.stdout) == (1, True)
    finally:
        with database.write() as connection:
            connection.execute(update(record).where(*row).values(sealed=sealed))
        database.dispose()
