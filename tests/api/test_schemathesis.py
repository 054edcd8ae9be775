"""Requests made up from the description, right and wrong, are answered as it says."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import ignored_auth, missing_required_header, negative_data_rejection

# The token is added after a request was made up, so one that was wrong for want of a token is not wrong any more.
UNFIT = [ignored_auth, missing_required_header, negative_data_rejection]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_what_is_described_is_what_is_answered(app, bearer, mode):
    header = bearer()
    tried = 0
    for found in schemathesis.openapi.from_wsgi("/openapi.json", app).get_all_operations():
        operation = found.ok()
        takes = operation.body or operation.query or operation.path_parameters
        # These raise on purpose, and nothing can be wrong about a request that takes nothing.
        if "raise" in operation.path or not takes:
            continue
        tried += 1

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=40, suppress_health_check=list(HealthCheck), deadline=None, database=None, derandomize=True
        )
        def answer(case):
            case.call_and_validate(headers=header, excluded_checks=UNFIT)

        answer()
    assert tried == 5
