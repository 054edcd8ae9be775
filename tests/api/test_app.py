"""The shell: the headers of every answer, who is let in where, and what an operator asks."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from flask import Blueprint

from verify_service.access import policy
from verify_service.errors import StorageUnavailable
from verify_service.web import app as web_app
from verify_service.web.api import Reply, Routes
from verify_service.web.app import SHELL, create_app

API_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize(
    "path",
    ["/healthz", "/", "/docs", "/openapi.json", "/v1/trial", "/nowhere", "/static/page.css", "/v1/trial/raise/value"],
)
def test_every_answer_carries_the_security_headers(client, path):
    with client.get(path) as answer:
        headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "*" not in headers["Content-Security-Policy"]
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_the_api_may_run_nothing_and_is_not_kept(client, bearer):
    for answer in (client.get("/v1/trial", headers=bearer()), client.get("/v1/trial")):
        assert answer.headers["Content-Security-Policy"] == API_POLICY
        assert answer.headers["Cache-Control"] == "no-store"


def test_an_operation_answers_its_caller(client, bearer):
    answer = client.get("/v1/trial?limit=5&open=true", headers=bearer())
    assert (answer.status_code, answer.json) == (200, {"limit": 5, "open": True})
    receipt = client.get("/v1/trial/receipt", headers=bearer())
    assert (receipt.data, receipt.content_type) == (b"c2sp.org/tlog-proof@v1\n", "text/plain; charset=utf-8")
    assert client.get("/v1/trial/incidents/261124001234", headers=bearer()).json == {"label": "261124001234"}


def test_names_stand_in_the_order_of_the_schema(client, bearer):
    answer = client.post("/v1/trial", json={"label": "Agent 2"}, headers={**bearer(), "Idempotency-Key": "k"})
    assert answer.status_code == 201
    assert answer.headers["Location"] == "/v1/trial/1"
    assert list(answer.json) == ["label", "caller", "request", "fingerprint"]


def test_who_may_not_is_refused_before_anything_they_sent_is_read(client, bearer):
    sent = {"data": b"[" * 100_000, "content_type": "text/plain"}
    assert client.post("/v1/trial", **sent).status_code == 401
    answer = client.post("/v1/trial", headers=bearer("auditor"), **sent)
    assert answer.status_code == 403
    assert answer.json["detail"] == "This is for officer or dispatcher; your token says auditor."
    assert client.post("/v1/trial", headers=bearer(), **sent).status_code == 415


def test_a_token_is_refused_as_unavailable_not_as_invalid_while_no_keys_are_known(client, bearer, served_issuer):
    header = bearer()
    served_issuer.stop()
    answer = client.get("/v1/trial", headers=header)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "nobody can be signed in now" in answer.json["detail"]


def test_an_operation_without_a_rule_cannot_be_declared():
    routes = Routes("new", "New.")
    with pytest.raises(LookupError, match="deleteEverything has no rule"):
        routes.operation("deleteEverything", "DELETE", "/v1/everything", reply=Reply(204))
    with pytest.raises(LookupError, match="secretPage has no rule"):
        routes.page("secretPage", "/secret")(lambda: "")


def test_an_address_that_no_operation_declares_keeps_the_app_from_starting(backend):
    routes = Routes("new", "New.")
    Blueprint.add_url_rule(routes.blueprint, "/v1/back-door", "door", lambda: "open")
    with pytest.raises(LookupError, match="Nobody's rule covers /v1/back-door"):
        create_app(backend, [*SHELL, routes])


def test_every_address_of_the_service_asks_for_a_token_unless_it_is_public(backend):
    app = create_app(backend)
    client = app.test_client()
    addresses = app.url_map.bind("localhost")
    samples = {"IntegerConverter": 0, "UUIDConverter": "0193f0a0-0000-7000-8000-000000000000"}
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static":
            continue
        public = policy.rule(rule.endpoint.partition(".")[2]).public
        parts = {name: samples.get(type(kind).__name__, "x") for name, kind in rule._converters.items()}
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            path = addresses.build(rule.endpoint, parts, method)
            assert (client.open(path, method=method).status_code == 401) is not public, rule


@pytest.mark.parametrize("path", ["/v1/trial/incidents/a%00b", "/v1/trial/incidents/a%0Ab", "/%7F", "/%C2%85"])
def test_control_characters_in_an_address_lead_nowhere(client, bearer, path):
    answer = client.get(path, headers=bearer())
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("limit=0", "limit"), ("limit=x", "limit"), ("open=maybe", "open"), ("badge=12345", "badge"), ("limit=", "limit")],
)
def test_a_query_parameter_that_is_wrong_or_unknown_is_named(client, bearer, query, parameter):
    answer = client.get(f"/v1/trial?{query}", headers=bearer())
    assert answer.status_code == 422
    assert [error["parameter"] for error in answer.json["errors"]] == [parameter]


def test_it_lives_whatever_else_is_down(client, served_issuer):
    served_issuer.stop()
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"alive": True})


def test_it_is_ready_when_every_check_passes(client):
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {"ready": True, "checks": [{"name": "identity provider", "ready": True, "reason": None}]}


def test_what_keeps_it_from_being_ready_is_said(backend, caplog):
    def down():
        raise StorageUnavailable("Send it again.", "db.example does not answer.")

    def broken():
        raise ValueError("postgresql://verify:hunter2@db")

    checks = {"database": down, "registry": broken, "keys": lambda: None}
    answer = create_app(replace(backend, readiness=checks)).test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Retry-After"] == "5"
    assert answer.json["type"] == "https://verify-service.example/problems/not_ready"
    assert answer.json["detail"] == "Not ready: database, registry. The diagnostics say why."
    assert answer.json["checks"] == [
        {"name": "database", "ready": False, "reason": "The database does not answer"},
        {"name": "registry", "ready": False, "reason": "The check itself failed"},
        {"name": "keys", "ready": True, "reason": None},
    ]
    assert "hunter2" not in caplog.text
    assert "database: db.example does not answer." in caplog.text
    assert [record.levelno for record in caplog.records] == [logging.WARNING, logging.ERROR]


def test_the_resources_of_the_service_are_served():
    assert {"home", "docs", "health"} <= {routes.blueprint.name for routes in web_app.RESOURCES}
