"""A deployment with some history, whose rows are then altered."""

from __future__ import annotations

import pytest

from tests.conftest import database_on
from tests.deployment import Deployment, build, loaded
from tests.registries import SampleRegistry


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return SampleRegistry(tmp_path_factory.mktemp("registry") / "registry")


@pytest.fixture(params=["sqlite", "postgresql"])
def service(request, tmp_path, sample, issuer):
    """A deployment with some history on it: whole and partial tiles, a publication, later events."""
    database = database_on(request, request.param, tmp_path, empty=True)
    url = database.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    made = build(
        tmp_path / "home",
        sample,
        VERIFY_DEVISSUER_PORT=str(issuer.port),
        VERIFY_DATABASE_URL=url,
        VERIFY_DEPARTMENTS="LAPD",
    )
    deployment = Deployment(made, issuer.issuer)
    value = sample.known("DHS-ICE").value
    answers = [loaded(deployment.submit("DHS-ICE", value, agent_label=f"Agent {n}")) for n in range(3)]
    made.logs.records("LAPD").publish()
    deployment.follow(answers[0], "interrupted", interrupted={"reason": "other"})
    deployment.get(f"/v1/verifications/{answers[0]['id']}")
    deployment.submit()
    yield made
    made.database.dispose()
