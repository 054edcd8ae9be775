"""Requests made up from the whole description, as every role, are answered as it says, whatever they change."""

from __future__ import annotations

import os
from contextlib import suppress

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    missing_required_header,
    negative_data_rejection,
    positive_data_acceptance,
)

from tests.deployment import copied, loaded
from verify_service.access import policy

# The token is added after a request was made up, so one that was wrong for want of a token is not wrong any more.
# What a value has to be beside others, or to end with, no schema says: the domain refuses it with a 422 that does.
UNFIT = [ignored_auth, missing_required_header, negative_data_rejection, positive_data_acceptance]
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
OFTEN = [500, pytest.param(int(os.environ.get("SCHEMATHESIS_CASES", "4000")), marks=pytest.mark.long)]
# A failure is told as it was met: making it smaller would take most of the time of a run that fails.
PLAIN = settings(
    suppress_health_check=list(HealthCheck),
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
)


@pytest.fixture
def home_and_url(pristine, tmp_path):
    home = copied(pristine, tmp_path / "home")
    return home, f"sqlite:///{home}/verify.db"


@pytest.fixture
def there(deployment, listed):
    """Objects that are there, by the name that a path gives them."""
    other = loaded(deployment.submit(agent_label="Agent 3"))
    order = {"ground": "Court order", "reference": "BH-2026-2", "verifications": [other["id"]]}
    deployment.enter()
    made = loaded(deployment.post("/v1/expunge-orders", order, "supervisor", serial="27416"))
    return {
        "verification_id": [listed["id"], other["id"]],
        "incident": [listed["incident"]["id"], "261124001234"],
        "seq": [0, 1],
        "order": [made["id"]],
        "version": ["1"],
        "department": ["LAPD"],
        "log": ["records"],
        "tile": ["0/000"],
        "past": ["0"],
    }


@pytest.mark.parametrize("cases", OFTEN)
@pytest.mark.parametrize("role", policy.ROLES)
def test_every_role_is_answered_as_described(deployment, there, role, cases):
    header = deployment.bearer(role)
    schema = schemathesis.openapi.from_wsgi("/openapi.json", deployment.client.application)
    operations = [found.ok() for found in schema.get_all_operations()]
    mine = [operation for operation in operations if _takes(operation) and _may_call(role, operation)]
    asked = []
    for operation in operations:
        if operation not in mine:
            asked += _ask(operation, GenerationMode.POSITIVE, 4, header, there)
    while len(asked) < cases:
        before = len(asked)
        each = max(4, (cases - before) // (len(MODES) * len(mine)) + 1)
        for operation in mine:
            for mode in MODES:
                asked += _ask(operation, mode, each, header, there)
        assert len(asked) > before
    assert set(asked) == {operation.label for operation in operations}


def _ask(operation, mode, count, header, there):
    """Ask an operation so often, and return its name for each request that was answered as described."""
    asked = []

    @settings(PLAIN, max_examples=count)
    @given(case=operation.as_strategy(generation_mode=mode), chosen=st.data())
    def answer(case, chosen):
        for name in case.path_parameters or ():
            # Half of the paths name what is there, which nothing made up would meet.
            if name in there and chosen.draw(st.booleans()):
                case.path_parameters[name] = chosen.draw(st.sampled_from(there[name]))
        case.call_and_validate(headers=header, excluded_checks=UNFIT)
        asked.append(operation.label)

    # Nothing can be wrong about some paths: any text may be a name that does not exist.
    with suppress(*([Unsatisfiable] if mode is GenerationMode.NEGATIVE else [])):
        answer()
    return asked


def _takes(operation):
    return operation.body or operation.query or operation.path_parameters


def _may_call(role, operation):
    rule = policy.rule(operation.definition.raw["operationId"])
    return rule.public or role in rule.roles
