"""What the API description promises is what is served."""

from __future__ import annotations

import json
import re

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.api.trial import RAISED, trial
from verify_service.access import policy
from verify_service.web import api
from verify_service.web.app import SHELL, create_app

PROBLEM = "application/problem+json"


@pytest.fixture
def description(app):
    return api.description(app)


def operations(description):
    return [
        operation
        for path in description["paths"].values()
        for method, operation in path.items()
        if method in {"get", "post", "put", "patch", "delete"}
    ]


def resolved(description, part):
    if "$ref" not in part:
        return part
    found = description
    for step in part["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found


def test_it_is_valid_openapi_3_1(app):
    answer = app.test_client().get("/openapi.json")
    assert answer.content_type == "application/json"
    assert answer.json["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(answer.json).validate()


def test_the_service_alone_is_valid_too_and_names_no_empty_section(backend):
    alone = api.description(create_app(backend))
    OpenAPIV31SpecValidator(alone).validate()
    sections = {tag["name"] for tag in alone["tags"]}
    assert sections == {name for operation in operations(alone) for name in operation["tags"]}
    assert "health" in sections
    assert not sections & {"home", "docs"}


def test_one_resource_serves_many_apps_alike(backend):
    first, second = (api.description(create_app(backend, [*SHELL, trial])) for _ in range(2))
    assert first == second


def test_every_operation_has_its_id_its_rule_and_says_who_may_call_it(description):
    ids = [operation["operationId"] for operation in operations(description)]
    assert len(set(ids)) == len(ids)
    for operation in operations(description):
        rule = policy.rule(operation["operationId"])
        expected = [] if rule.public else [{name: [rule.scope] if rule.scope else []} for name in ("bearer", "dpop")]
        assert operation["security"] == expected
        assert operation["summary"]
        assert re.search(r"For (anybody|every role|\w+)", operation["description"])
    submit = next(o for o in operations(description) if o["operationId"] == "submitVerification")
    assert submit["description"] == "For officer or dispatcher, with the scope `verify:submit`."


def test_every_described_error_is_a_problem_document(description):
    for operation in operations(description):
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                assert list(resolved(description, response)["content"]) == [PROBLEM], operation["operationId"]
                for example in resolved(description, response)["content"][PROBLEM]["examples"].values():
                    assert example["value"]["status"] == int(status)


def test_responses_stand_in_order(description):
    for operation in operations(description):
        assert list(operation["responses"]) == sorted(operation["responses"])


def test_every_described_header_and_type_is_the_served_one(client, description, bearer):
    """Raise every error, and compare it with its description wherever an operation names it."""
    described = {
        code: response
        for operation in operations(description)
        for ref in operation["responses"].values()
        for response in [resolved(description, ref)]
        for code in response.get("content", {}).get(PROBLEM, {}).get("examples", {})
    }
    json_type = {"content_type": "application/json"}
    keyed = {**bearer(), "Idempotency-Key": "k"}
    served = {
        "content_too_large": client.post("/v1/trial", data=b" " * 70_000, headers=keyed, **json_type),
        "unsupported_media_type": client.post("/v1/trial", data=b"{}", headers=keyed),
        "internal_error": client.get("/v1/trial/raise/value"),
        **{code: client.get(f"/v1/trial/raise/{code}") for code in described if code in RAISED},
    }
    assert set(described) - set(served) == {"not_ready"}
    for code, answer in served.items():
        assert answer.content_type in described[code]["content"], code
        assert set(described[code].get("headers", {})) <= set(answer.headers.keys()), code
        assert set(answer.json) <= set(description["components"]["schemas"]["Problem"]["properties"]), code
        assert answer.json["type"].endswith(f"/{code}")


def test_bodies_keys_and_parts_of_the_path_are_described(description):
    submit = description["paths"]["/v1/trial"]["post"]
    assert submit["requestBody"]["required"] is True
    content = submit["requestBody"]["content"]["application/json"]
    assert content["examples"] == {"a claim": {"value": {"label": "Agent 2"}}}
    assert resolved(description, content["schema"])["additionalProperties"] is False
    header = submit["parameters"][0]
    assert (header["in"], header["name"], header["required"]) == ("header", "Idempotency-Key", True)
    assert submit["responses"]["201"]["headers"]["Location"]["description"] == "Where it is."
    part = description["paths"]["/v1/trial/incidents/{name}"]["parameters"][0]
    assert (part["in"], part["name"], part["description"]) == ("path", "name", "Which error to raise.")
    assert set(submit["responses"]) == {"201", "400", "401", "403", "410", "413", "415", "422", "500", "503"}
    listed = description["paths"]["/v1/trial"]["get"]
    assert set(listed["responses"]) == {"200", "401", "403", "422", "500", "503"}
    assert set(description["paths"]["/v1/trial/incidents/{name}"]["get"]["responses"]) == {
        "200", "401", "403", "404", "500", "503",
    }  # fmt: skip


def test_how_to_sign_in_is_described(description):
    schemes = description["components"]["securitySchemes"]
    assert {name: (scheme["type"], scheme["scheme"]) for name, scheme in schemes.items()} == {
        "dpop": ("http", "dpop"),
        "bearer": ("http", "bearer"),
    }
    assert "RFC 9449" in schemes["dpop"]["description"]
    assert "On a development machine alone" in schemes["bearer"]["description"]


def test_the_description_is_plain_json(description):
    assert json.loads(json.dumps(description)) == description
