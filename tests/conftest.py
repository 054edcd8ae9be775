"""Give every test its own real database, on each engine it is asked for."""

from __future__ import annotations

import pytest

from tests.postgresql import PostgreSQL
from verify_service.storage import registry_tables  # noqa: F401 - It registers its tables.
from verify_service.storage.database import Database
from verify_service.storage.tables import metadata

ENGINES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgresql():
    server = PostgreSQL()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgresql_template(postgresql):
    """A database with the schema in it, to be copied."""
    url = postgresql.create()
    _build(url)
    return url.partition("?")[0].rpartition("/")[2]


def _build(url):
    database = Database(url)
    metadata.create_all(database.engine)
    database.dispose()


@pytest.fixture(params=ENGINES)
def database_url(request, tmp_path):
    """The URL of an empty database with the schema, once on each engine."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'verify.db'}"
        _build(url)
        yield url
    else:
        server = request.getfixturevalue("postgresql")
        url = server.create(request.getfixturevalue("postgresql_template"))
        yield url
        server.drop(url)


@pytest.fixture
def database(database_url):
    opened = Database(database_url)
    yield opened
    opened.dispose()
