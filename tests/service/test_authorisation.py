"""Every address, with every method, as every role: let in, 401, 403 or 404 as the table of access says."""

from __future__ import annotations

import json

import jwt
import pytest

from tests.authorisation import PAGE, page, unconnected
from tests.deployment import claim, loaded
from verify_service.access import policy
from verify_service.access.reach import Reach
from verify_service.clock import uuid7
from verify_service.signing import sha256_hex
from verify_service.web import examples
from verify_service.wiring import random_bytes

MISSING = "0193a000-0000-7000-8000-000000000001"
REFUSED = {401, 403, 404, 405, 500, 503}
# Another officer or dispatcher, who is on no incident, and a supervisor of another command.
STRANGERS = {"officer": {"serial": "40117"}, "dispatcher": {"serial": "99001"}, "supervisor": {"command": "Harbor"}}
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
UNPROVEN = {"static", *(name for name, rule in policy.RULES.items() if rule.public)}
# What each operation takes; one that takes a body and is not named here fails the test.
BODIES = {
    "submitVerification": claim(),
    "searchVerifications": {},
    "addVerificationEvent": {"kind": "interrupted", "interrupted": {"reason": "other"}},
    "issueCallbackWord": {},
    "addIncidentEvent": {"kind": "scene_facts", "scene_facts": {"agents_present": 6}},
    "orderExpunge": {"ground": "Court order", "reference": "BH-2026-2", "verifications": ["{verification_id}"]},
    "approveExpungeOrder": {},
    "signOffAccessReview": examples.ACCESS_REVIEWS["of a week"],
    "exportEvidence": {"form": "evidence", "verification": "{verification_id}", "reason": "Subpoena 26-114"},
    "reissueRequesterCode": {"verification": "{verification_id}"},
    "decideAboutRoster": {"approved": True, "reason": "Called the registrar"},
    "activateOpCode": examples.ACTIVATIONS["at contact"],
}


@pytest.fixture
def deployment(apart):
    return apart


@pytest.fixture
def addresses(deployment):
    """Every address that asks for a token, as (operation, method, parts → path)."""
    app = deployment.client.application
    bound = app.url_map.bind("localhost")
    return [
        (
            rule.endpoint.partition(".")[2],
            method,
            rule.arguments,
            lambda parts, r=rule, m=method: bound.build(r.endpoint, parts, m),
        )
        for rule in app.url_map.iter_rules()
        if (rule.endpoint.partition(".")[2] or rule.endpoint) not in UNPROVEN
        for method in rule.methods - {"OPTIONS"}
    ]


@pytest.fixture
def parts(deployment):
    """What stands in the paths: something of Central's officer, which is none of another's."""
    mine = loaded(deployment.submit())
    other = loaded(deployment.submit(agent_label="Agent 3"))
    order = {**BODIES["orderExpunge"], "verifications": [other["id"]]}
    made = loaded(deployment.post("/v1/expunge-orders", order, "supervisor", serial="27416"))
    deployment.enter()
    # A roster that waits, in this department alone.
    held = deployment.sample.small_roster("DHS-ICE", deployment.sample.known("DHS-ICE"))
    deployment.sample.publish_roster("DHS-ICE", held)
    deployment.service.ingest("LAPD").run()
    return {
        "verification_id": mine["id"],
        "incident": mine["incident"]["id"],
        "seq": 0,
        "order": made["id"],
        "sha256": sha256_hex(held),
        "version": "1",
    }


def ask(deployment, method, path, operation, header, parts):
    headers = {**header, "Idempotency-Key": uuid7(deployment.clock.now(), random_bytes)}
    if method != "POST":
        return deployment.client.open(path, method=method, headers=headers)
    body = json.dumps(BODIES[operation]).replace("{verification_id}", parts["verification_id"])
    return deployment.client.post(path, data=body, content_type="application/json", headers=headers)


def without(deployment, role, scope):
    """Return the role's token as it would be if its issuer had left a scope out."""
    issuer = deployment.issuer
    token = deployment.bearer(role)["Authorization"].partition(" ")[2]
    claims = jwt.decode(token, options={"verify_signature": False})
    claims["scope"] = " ".join(name for name in policy.SCOPES if name != scope)
    signed = jwt.encode(claims, issuer._key, "ES256", headers={"typ": "at+jwt", "kid": issuer._jwk["kid"]})
    return {"Authorization": f"Bearer {signed}"}


def test_every_operation_of_the_table_is_served_and_tested(addresses):
    assert {operation for operation, *_ in addresses} | UNPROVEN - {"static"} == policy.RULES.keys()


def test_every_address_answers_every_role_as_the_table_says(deployment, addresses, parts):
    for operation, method, names, path in addresses:
        rule = policy.rule(operation)
        address = path({name: parts[name] for name in names})

        def status(header, asked=(method, address, operation)):
            return ask(deployment, *asked, header, parts).status_code

        assert status({}) == 401, address
        for role in policy.ROLES:
            if role not in rule.roles:
                assert status(deployment.bearer(role)) == 403, (operation, role)
                continue
            assert status(deployment.bearer(role)) not in REFUSED, (operation, role)
            if rule.scope is not None:
                assert status(without(deployment, role, rule.scope)) == 403, (operation, role)


def test_what_is_out_of_reach_reads_as_what_does_not_exist(deployment, addresses, parts):
    tried = set()
    for operation, method, names, path in addresses:
        rule = policy.rule(operation)
        named = names - {"seq", "version"}
        if not named:
            continue
        theirs = path({name: parts[name] for name in names})
        missing = path({name: MISSING if name in named else parts[name] for name in names})
        for role in rule.roles:
            outside = [{"department": "SFPD"}]
            if rule.of.reach[role] is not Reach.DEPARTMENT:
                outside.append(STRANGERS[role])
            for options in outside:
                header = deployment.bearer(role, **options)
                found = ask(deployment, method, theirs, operation, header, parts)
                none = ask(deployment, method, missing, operation, header, parts)
                assert (found.status_code, none.status_code) == (404, 404), (operation, role, options)
                assert found.get_data() == none.get_data()
                assert list(found.headers) == list(none.headers)
                tried.add((operation, role, *options))
    assert len(tried) >= 59


def test_a_method_that_no_operation_has_does_nothing(deployment, parts):
    app = deployment.client.application
    bound = app.url_map.bind("localhost")
    samples = {
        **parts,
        "code": "x",
        "department": "LAPD",
        "log": "records",
        "past": "0",
        "tile": "0/000",
        "filename": "page.css",
    }
    for rule in app.url_map.iter_rules():
        path = bound.build(rule.endpoint, {name: samples[name] for name in rule.arguments})
        allowed = bound.allowed_methods(path)
        for method in set(METHODS) - set(allowed):
            answer = deployment.client.open(path, method=method, headers=deployment.bearer("auditor"))
            assert answer.status_code == 405, (method, path)
        said = deployment.client.open(path, method="OPTIONS")
        assert (said.status_code, said.get_data()) == (200, b"")


def test_the_page_says_what_the_table_says():
    assert PAGE.read_text("utf-8") == page(unconnected()), "run python -m tests.authorisation"
