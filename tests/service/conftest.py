"""Each test gets a whole deployment of its own, copied from one that was made once."""

from __future__ import annotations

import pytest

from tests.conftest import ENGINES, database_on
from tests.deployment import Deployment, build, copied, loaded, settings_for
from tests.fakes.clock import SetClock
from tests.registries import SampleRegistry
from verify_service.wiring import Service


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    return SampleRegistry(tmp_path_factory.mktemp("registry") / "registry")


@pytest.fixture(scope="session")
def pristine(tmp_path_factory, sample, issuer):
    """A deployment on SQLite, made once and copied for each test."""
    home = tmp_path_factory.mktemp("pristine") / "home"
    service = build(home, sample, VERIFY_DEVISSUER_PORT=str(issuer.port))
    service.database.dispose()
    return home


@pytest.fixture(scope="session")
def pristine_on_postgresql(tmp_path_factory, sample, issuer, postgresql):
    """The same on PostgreSQL: its home, and the database to copy."""
    home, url = tmp_path_factory.mktemp("pristine") / "home", postgresql.create()
    service = build(home, sample, VERIFY_DEVISSUER_PORT=str(issuer.port), VERIFY_DATABASE_URL=url)
    service.database.dispose()
    return home, url.partition("?")[0].rpartition("/")[2]


@pytest.fixture(params=ENGINES)
def home_and_url(request, tmp_path):
    """A copy of the pristine deployment on each engine in turn."""
    home = tmp_path / "home"
    if request.param == "sqlite":
        copied(request.getfixturevalue("pristine"), home)
        yield home, f"sqlite:///{home}/verify.db"
        return
    source, template = request.getfixturevalue("pristine_on_postgresql")
    server = request.getfixturevalue("postgresql")
    url = server.create(template)
    yield copied(source, home), url
    server.drop(url)


@pytest.fixture
def deployment(home_and_url, sample, issuer):
    home, url = home_and_url
    chosen = settings_for(home, sample, VERIFY_DEVISSUER_PORT=str(issuer.port), VERIFY_DATABASE_URL=url)
    service = Service(chosen, SetClock(sample.clock.now()))
    service.clock.advance(minutes=14)
    yield Deployment(service, issuer.issuer)
    service.database.dispose()


@pytest.fixture(params=ENGINES)
def engine(request):
    return request.param


@pytest.fixture
def apart(request, engine, tmp_path, issuer):
    """A deployment with a registry of its own, its `sample`, which a test may change."""
    url = database_on(request, engine, tmp_path).engine.url.set(drivername=engine)
    url = url.render_as_string(hide_password=False)
    sample = SampleRegistry(tmp_path / "registry")
    service = build(tmp_path / "home", sample, VERIFY_DEVISSUER_PORT=str(issuer.port), VERIFY_DATABASE_URL=url)
    opened = Deployment(service, issuer.issuer)
    opened.sample = sample
    yield opened
    service.database.dispose()


@pytest.fixture
def known(sample):
    """A known identifier's value by agency, status and kind."""

    def value(agency="DHS-ICE", status="active", kind="badge"):
        return sample.known(agency, kind, status).value

    return value


@pytest.fixture
def listed(deployment, known):
    return loaded(deployment.submit("DHS-ICE", known()))


@pytest.fixture
def words(deployment, listed):
    deployment.enter()
    return loaded(deployment.post(f"/v1/verifications/{listed['id']}/callback-word", {}, "dispatcher"))
