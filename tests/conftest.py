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


def database_on(request, engine, tmp_path):
    """Open an empty database with the schema on an engine, closed when the test ends."""
    if engine == "sqlite":
        url = f"sqlite:///{tmp_path / 'verify.db'}"
        _build(url)
    else:
        server = request.getfixturevalue("postgresql")
        url = server.create(request.getfixturevalue("postgresql_template"))
        request.addfinalizer(lambda: server.drop(url))
    opened = Database(url)
    request.addfinalizer(opened.dispose)
    return opened


@pytest.fixture(params=ENGINES)
def database(request, tmp_path):
    """A database on each engine in turn."""
    return database_on(request, request.param, tmp_path)
