"""Every error is one problem document with its status, its headers and words, and nothing of the inside."""

from __future__ import annotations

import logging

import pytest

from tests.api.trial import RAISED
from verify_service import errors
from verify_service.vault import SealBroken
from verify_service.web.problems import STATUSES

SERVED = {
    "malformed_request": (400, {}),
    "idempotency_key_missing": (400, {}),
    "not_authenticated": (
        401,
        {
            "WWW-Authenticate": 'DPoP realm="verify-service", algs="ES256 EdDSA", error="invalid_token", '
            'error_description="Do this.", Bearer realm="verify-service"'
        },
    ),
    "not_allowed": (403, {}),
    "not_found": (404, {}),
    "expunged": (410, {}),
    "precondition_failed": (412, {}),
    "idempotency_key_reused": (422, {}),
    "unavailable": (503, {"Retry-After": "5"}),
    "overloaded": (503, {"Retry-After": "1"}),
    "storage_unavailable": (503, {"Retry-After": "5"}),
    "storage_full": (503, {"Retry-After": "60"}),
    "outcome_unknown": (503, {"Retry-After": "1"}),
    "log_refused": (503, {"Retry-After": "60"}),
}


@pytest.mark.parametrize(("code", "expected"), SERVED.items())
def test_an_error_of_ours_is_served_by_the_table(client, code, expected):
    status, headers = expected
    answer = client.get(f"/v1/trial/raise/{code}")
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.json == {
        "type": f"https://verify-service.example/problems/{code}",
        "title": type(RAISED[code]).title,
        "status": status,
        "detail": RAISED[code].detail,
    }
    assert {name: answer.headers[name] for name in headers} == headers


def test_the_table_names_every_error_that_a_request_can_meet():
    listed = {kind.code for kind in STATUSES}
    assert listed == {*SERVED, "invalid_request", "seal_broken"}
    unlisted = {kind.code for kind in RAISED.values() if isinstance(kind, errors.ServiceError)} - listed
    assert unlisted == {
        "service_error",
        "configuration",
        "database_version",
        "registry_refused",
        "receipt_malformed",
        "log_not_trusted",
        "log_incomplete",
        "log_altered",
        "registry_evidence_missing",
        "signature_invalid",
        "record_not_in_log",
        "quorum_missing",
        "policy_malformed",
        "log_inconsistent",
    }


def test_places_are_named_each(client):
    answer = client.get("/v1/trial/raise/invalid_request")
    assert answer.status_code == 422
    assert answer.json["detail"] == "3 places cannot be accepted; errors names each."
    assert answer.json["errors"] == [
        {"pointer": "/a", "detail": "Mend a."},
        {"pointer": "/b/0", "detail": "Mend b."},
        {"pointer": "/b/0", "detail": "And again."},
    ]


def test_a_small_body_cannot_make_a_large_answer(client, bearer):
    body = {str(number): 0 for number in range(5000)}
    answer = client.post("/v1/trial/search", json=body, headers=bearer())
    assert answer.status_code == 422
    assert len(answer.json["errors"]) == 20
    assert answer.json["detail"] == "5001 places cannot be accepted; errors names the first 20."


def test_one_place_is_said_in_the_detail(client, bearer):
    answer = client.post("/v1/trial/search", json={"label": ""}, headers=bearer())
    assert answer.json["detail"] == "Write 1 to 20 characters here."


@pytest.mark.parametrize("code", ["value", "configuration", "redirected", "service_error", "seal"])
def test_a_fault_of_ours_tells_nothing_but_an_id(client, code, caplog):
    answer = client.get(f"/v1/trial/raise/{code}")
    assert answer.status_code == 500
    assert answer.content_type == "application/problem+json"
    assert answer.json["detail"].startswith("Something went wrong inside. Nothing more is said here")
    assert answer.json["instance"].startswith("urn:uuid:01a20bf0-a128-7")
    assert set(answer.json) == {"type", "title", "status", "detail", "instance"}
    expected = "seal_broken" if code == "seal" else "internal_error"
    assert answer.json["type"].endswith(f"/{expected}")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert answer.json["instance"] in caplog.text
    assert "GET /v1/trial/raise/<name> failed" in caplog.text
    assert "trial.py" in caplog.text
    assert type(RAISED[code]).__name__ in caplog.text


def test_the_diagnostics_quote_no_message_body_or_address(client, bearer, caplog):
    caplog.set_level(logging.DEBUG)
    client.get("/v1/trial/raise/value")
    client.get("/v1/trial/raise/redirected")
    client.get("/v1/trial/raise/seal")
    client.get("/v1/trial/raise/unavailable?badge=12345")
    client.get("/r/secret-code")
    client.post("/v1/trial/search", json={"label": "badge 12345\n"}, headers=bearer())
    client.get("/v1/trial", headers={"Authorization": "Bearer eyJ.eyJ.eyJ"})
    assert "GET /v1/trial/raise/<name> was answered unavailable: Do this" in caplog.text
    for secret in ("12345", "eyJ", "secret-code", "verification:1"):
        assert secret not in caplog.text


def test_an_error_within_an_error_is_no_different(app, caplog):
    def fail():
        raise ConnectionResetError("inner secret")

    @app.errorhandler(404)
    def broken(_):
        try:
            fail()
        except ConnectionResetError as error:
            raise RuntimeError("outer secret") from error

    answer = app.test_client().get("/nowhere")
    assert answer.status_code == 500
    assert answer.json["instance"] in caplog.text
    assert "builtins.RuntimeError" in caplog.text
    assert "builtins.ConnectionResetError" in caplog.text
    assert "secret" not in caplog.text


def test_an_unknown_address(client):
    answer = client.get("/v1/nowhere")
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert answer.json["type"] == "https://verify-service.example/problems/not_found"
    assert answer.json["detail"] == "There is nothing at this address; /docs lists what there is."


def test_another_method_names_those_that_are_taken(client):
    answer = client.delete("/v1/trial")
    assert answer.status_code == 405
    assert answer.content_type == "application/problem+json"
    assert {method.strip() for method in answer.headers["Allow"].split(",")} == {"GET", "HEAD", "OPTIONS", "POST"}
    assert answer.json["type"].endswith("/method_not_allowed")


def test_too_many_requests_say_when_to_come_back(client):
    answer = client.get("/v1/trial/raise/too many")
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "7"
    assert answer.json["type"].endswith("/too_many_requests")


def test_without_a_token_the_challenge_is_bare(client):
    answer = client.get("/v1/trial")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == (
        'DPoP realm="verify-service", algs="ES256 EdDSA", Bearer realm="verify-service"'
    )
    assert answer.json["detail"].startswith("Send an access token in the header Authorization: Bearer …, or DPoP …")


def test_the_challenge_has_neither_quotes_nor_other_alphabets(client):
    answer = client.get("/v1/trial/raise/quoted")
    assert answer.headers["WWW-Authenticate"] == (
        'DPoP realm="verify-service", algs="ES256 EdDSA", error="invalid_token", error_description="Say ab  .", '
        'Bearer realm="verify-service"'
    )


def test_an_expired_token_says_so(client, bearer, clock):
    header = bearer()
    clock.advance(hours=1, minutes=3)
    answer = client.get("/v1/trial", headers=header)
    assert answer.status_code == 401
    assert answer.json["detail"] == "The access token expired 3 minutes ago: sign in again."
    assert 'error_description="The access token expired 3 minutes ago' in answer.headers["WWW-Authenticate"]


def test_a_head_request_gets_no_body(client):
    assert client.head("/v1/nowhere").data == b""


def test_a_broken_seal_is_in_the_table():
    assert STATUSES[SealBroken] == 500
