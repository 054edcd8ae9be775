"""A whole deployment asks for proofs, for a recent sign-in before grave acts, and records which key was used."""

from __future__ import annotations

import json

import pytest

from tests.deployment import AUDIENCE, claim, loaded
from tests.dpop_key import DpopKey

URL = "https://verify.example.gov"


class Phone:
    """A client with a key of its own, whose every request carries a proof."""

    def __init__(self, deployment, role="officer", **options):
        self.deployment, self.key = deployment, DpopKey()
        self.token = deployment.issuer.issue_token(
            role, "LAPD", AUDIENCE, deployment.clock.now(), jkt=self.key.jkt, **options
        )
        self.nonce = None
        self.sent = 0

    def headers(self, method, path):
        proof = self.key.proof(self.token, method, f"{URL}{path}", self.deployment.clock.now(), self.nonce)
        return {"Authorization": f"DPoP {self.token}", "DPoP": proof}

    def ask(self, method, path, body=None, headers=None):
        self.sent += 1
        headers = {**self.headers(method, path), "Idempotency-Key": f"k{self.sent}", **(headers or {})}
        answer = self.deployment.client.open(path, method=method, json=body, headers=headers)
        self.nonce = answer.headers.get("DPoP-Nonce", self.nonce)
        return answer


@pytest.fixture
def phone(deployment):
    phone = Phone(deployment)
    assert phone.ask("GET", "/v1/registry").status_code == 401
    assert phone.nonce is not None
    return phone


def test_the_record_names_the_key_that_the_request_was_signed_with(phone, known):
    made = loaded(phone.ask("POST", "/v1/verifications", claim("DHS-ICE", known())))
    record = json.loads(phone.ask("GET", made["events"][0]["record"]).data)
    assert record["client"] == {"id": "development", "jkt": phone.key.jkt}


def test_a_proof_records_once_whatever_the_body_and_key(phone, known, deployment):
    headers = phone.headers("POST", "/v1/verifications")
    body = claim("DHS-ICE", known())
    assert phone.ask("POST", "/v1/verifications", body, headers).status_code == 201
    for again in (body, claim("DHS-ICE", known(), agent_label="Agent 3")):
        refused = phone.ask("POST", "/v1/verifications", again, headers)
        assert (refused.status_code, "invalid_dpop_proof" in refused.headers["WWW-Authenticate"]) == (401, True)
    # Another worker knows of it too.
    headers = phone.headers("POST", "/v1/verifications")
    assert phone.ask("POST", "/v1/verifications", {}, headers).status_code == 422
    other = type(deployment)(deployment.service, deployment.issuer)
    again = other.client.post("/v1/verifications", json=body, headers={**headers, "Idempotency-Key": "fresh"})
    assert again.status_code == 401


def test_a_retry_with_a_proof_of_its_own_gets_the_first_answer(phone, known):
    body = claim("DHS-ICE", known())
    first = phone.ask("POST", "/v1/verifications", body, {"Idempotency-Key": "same"})
    again = phone.ask("POST", "/v1/verifications", body, {"Idempotency-Key": "same"})
    assert (again.status_code, again.data) == (first.status_code, first.data)


def test_a_conclusion_asks_for_a_recent_and_strong_sign_in(deployment, listed):
    concluded = {"outcome": "inconclusive", "facts_relied_on": [0], "reason": "Nothing more came."}
    path = f"/v1/verifications/{listed['id']}/events"
    for grave in ({"kind": "concluded", "concluded": concluded}, {"kind": "sealed", "sealed": {"ground": "x"}}):
        for weak in ({"acr": "pwd"}, {"acr": None}):
            refused = deployment.post(path, grave, "supervisor", **weak)
            assert refused.status_code == 401
            assert 'error="insufficient_user_authentication"' in refused.headers["WWW-Authenticate"]
        assert deployment.post(path, grave, "supervisor").status_code == 201


def test_an_order_to_expunge_asks_for_it_too(deployment, listed):
    body = {"ground": "court order", "reference": "BS 12", "verifications": [listed["id"]]}
    headers = deployment.bearer("supervisor", acr="pwd")
    for path in ("/v1/expunge-orders", "/v1/expunge-orders/0193/approval"):
        refused = deployment.client.post(path, json=body, headers=headers)
        assert "insufficient_user_authentication" in refused.headers["WWW-Authenticate"]
