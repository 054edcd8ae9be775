"""Each test gets a whole deployment of its own, copied from one that was made once."""

from __future__ import annotations

import pytest

from tests.deployment import Deployment, build, copied, settings_for
from tests.fakes.clock import SetClock
from tests.registries import SampleRegistry
from verify_service.wiring import Service


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    return SampleRegistry(tmp_path_factory.mktemp("registry") / "registry")


@pytest.fixture(scope="session")
def pristine(tmp_path_factory, sample, issuer):
    home = tmp_path_factory.mktemp("pristine") / "home"
    service = build(home, sample, VERIFY_ISSUER=issuer.url)
    service.database.dispose()
    return home


@pytest.fixture
def deployment(pristine, sample, issuer, tmp_path):
    home = copied(pristine, tmp_path / "home")
    chosen = settings_for(home, sample, VERIFY_ISSUER=issuer.url, VERIFY_DATABASE_URL=f"sqlite:///{home}/verify.db")
    service = Service(chosen, SetClock(sample.clock.now()))
    service.clock.advance(minutes=14)
    yield Deployment(service, issuer.issuer)
    service.database.dispose()


@pytest.fixture
def known(sample):
    """A known identifier's value by agency, status and kind."""

    def value(agency="DHS-ICE", status="active", kind="badge"):
        return sample.known(agency, kind, status).value

    return value
