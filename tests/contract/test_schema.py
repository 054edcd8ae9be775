"""The migrations make what the tables say, on each engine, and a database of another release is refused."""

from __future__ import annotations

import json

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text

from tests.conftest import database_on
from verify_service.errors import DatabaseVersionMismatch
from verify_service.registry.intake import Mark
from verify_service.storage import registry_tables, schema
from verify_service.storage.registry_store import RegistryStore
from verify_service.storage.registry_tables import ingest_cycle
from verify_service.storage.tables import metadata


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request, tmp_path):
    return database_on(request, request.param, tmp_path, empty=True)


def test_the_migrations_make_exactly_the_tables(empty):
    schema.upgrade(empty)
    schema.check(empty)
    with empty.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    schema.upgrade(empty)


def test_an_empty_database_says_what_to_run(empty):
    with pytest.raises(DatabaseVersionMismatch, match="db upgrade"):
        schema.check(empty)


def test_a_database_of_a_newer_release_is_refused(empty):
    schema.upgrade(empty)
    with empty.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for refused in (schema.check, schema.upgrade):
        with pytest.raises(DatabaseVersionMismatch, match="newer"):
            refused(empty)


def test_a_database_of_an_older_release_is_refused(empty, monkeypatch):
    schema.upgrade(empty)
    monkeypatch.setattr(schema, "_head", lambda: "9999")
    with pytest.raises(DatabaseVersionMismatch, match="needs 9999"):
        schema.check(empty)


def test_cycles_of_before_keep_the_versions_that_they_verified(empty):
    assert schema._current(empty) is None
    with empty.write() as connection:
        config = schema._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
    with empty.write() as connection:
        row = "'LAPD', 1, '2026-11-24T05:04:09.000Z', '{\"root\": 3, \"DHS-ICE\": 7}'"
        connection.exec_driver_sql(
            f"INSERT INTO ingest_cycle (department, number, started_at, versions) VALUES ({row})"  # noqa: S608
        )
    schema.upgrade(empty)
    with empty.read() as connection:
        (signed,) = connection.scalars(select(ingest_cycle.c.signed)).all()
    assert json.loads(signed) == {"root": {"version": 3, "keys": None}, "DHS-ICE": {"version": 7, "keys": None}}


def test_marks_of_before_are_kept_under_no_root(empty):
    assert schema._current(empty) is None
    with empty.write() as connection:
        config = schema._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
    with empty.write() as connection:
        connection.exec_driver_sql(f"INSERT INTO high_water VALUES ('LAPD', 'root', 3, '{'a' * 64}', '{'b' * 64}')")  # noqa: S608
    schema.upgrade(empty)
    assert RegistryStore(empty).marks("LAPD", "") == {"root": Mark(3, "a" * 64, "b" * 64)}


def test_every_row_carries_its_department():
    assert registry_tables
    for table in metadata.tables.values():
        assert "department" in table.primary_key.columns, table.name
