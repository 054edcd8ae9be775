"""Requests made up from the committed description, right and wrong, are answered as it says, by the whole service."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.api.test_schemathesis import UNFIT
from tests.deployment import loaded
from verify_service.clock import uuid7
from verify_service.wiring import random_bytes

# What goes with what, such as an identifier with `presented`, a schema does not say; the refusal does.
ROLES = ("officer", "dispatcher", "supervisor")


@pytest.mark.parametrize("home_and_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_what_is_described_is_what_is_answered(deployment, known, mode):
    listed = loaded(deployment.submit("DHS-ICE", known()))
    real = {"verification_id": listed["id"], "incident": listed["incident"]["number"], "seq": 0}
    app = deployment.client.application
    tried = set()
    for found in schemathesis.openapi.from_wsgi("/openapi.json", app).get_all_operations():
        operation = found.ok()
        # Nothing can be wrong about a request that takes only a path: any text may stand there.
        if mode is GenerationMode.NEGATIVE and not (operation.body or operation.query):
            continue

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=25, suppress_health_check=list(HealthCheck), deadline=None, database=None, derandomize=True
        )
        def answer(case):
            tried.add(case.operation.label)
            role = ROLES[len(tried) % len(ROLES)]
            headers = deployment.bearer(role)
            if case.operation.method == "post":
                headers = {**headers, "Idempotency-Key": uuid7(deployment.clock.now(), random_bytes)}
            # Made-up ids find nothing.
            if mode is GenerationMode.POSITIVE and case.path_parameters:
                case.path_parameters.update({name: real[name] for name in case.path_parameters if name in real})
            reply = case.call_and_validate(headers=headers, excluded_checks=[*UNFIT, positive_data_acceptance])
            assert reply.status_code < 500

        answer()
    assert len(tried) >= (15 if mode is GenerationMode.POSITIVE else 6)
