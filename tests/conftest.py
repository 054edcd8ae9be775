"""Give every test its own real database, on each engine it is asked for."""

from __future__ import annotations

import sys

import pytest
from sqlalchemy import Engine, event

from tests.api.served_issuer import ServedIssuer
from tests.fakes.keys import seeded_bytes
from tests.postgresql import PostgreSQL
from verify_service.storage import schema
from verify_service.storage.database import Database
from verify_service.storage.departments import check_departments

ENGINES = ("sqlite", "postgresql")


@pytest.fixture(scope="session", autouse=True)
def departments():
    """Fail the test in which the service runs a statement that forgets its department; tests may tamper across all.

    What ``storage.prepared`` runs on the driver does not pass here: it refuses such a statement where it is made.
    """

    def check(_, statement, *__):
        frame = sys._getframe()
        while frame.f_globals["__name__"] == __name__ or frame.f_globals["__name__"].startswith("sqlalchemy"):
            frame = frame.f_back
        if frame.f_globals["__name__"].startswith("verify_service"):
            check_departments(statement)

    event.listen(Engine, "before_execute", check)
    yield
    event.remove(Engine, "before_execute", check)


@pytest.fixture(scope="session")
def issuer(tmp_path_factory):
    """A development issuer on loopback."""
    served = ServedIssuer(tmp_path_factory.mktemp("issuer"), seeded_bytes(2))
    yield served
    served.stop()


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
    schema.upgrade(database)
    database.dispose()


def database_on(request, engine, tmp_path, *, empty=False):
    """Open a database with the schema, or one without, on an engine; it is closed when the test ends."""
    if engine == "sqlite":
        url = f"sqlite:///{tmp_path / 'verify.db'}"
        if not empty:
            _build(url)
    else:
        server = request.getfixturevalue("postgresql")
        url = server.create("template0" if empty else request.getfixturevalue("postgresql_template"))
        request.addfinalizer(lambda: server.drop(url))
    opened = Database(url)
    request.addfinalizer(opened.dispose)
    return opened


@pytest.fixture(params=ENGINES)
def database(request, tmp_path):
    """A database on each engine in turn."""
    return database_on(request, request.param, tmp_path)
