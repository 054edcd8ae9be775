"""Bring a database to this release's schema, and refuse one of another release."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from verify_service.errors import DatabaseVersionMismatch

if TYPE_CHECKING:
    from verify_service.storage.database import Database


def upgrade(database: Database) -> None:
    """Run the migrations that are missing; raise DatabaseVersionMismatch for a database of a newer release."""
    _current(database)
    with database.write() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check(database: Database) -> None:
    """Raise DatabaseVersionMismatch unless the database has exactly this release's schema."""
    current, head = _current(database), _head()
    if current is None:
        raise DatabaseVersionMismatch("The database is empty: run `verify-service db upgrade`.")
    if current != head:
        raise DatabaseVersionMismatch(
            f"The database is at revision {current}, this release needs {head}: stop every other release, then run "
            "`verify-service db upgrade`."
        )


def _current(database: Database) -> str | None:
    with database.read() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    known = {revision.revision for revision in _script().walk_revisions()}
    if current is not None and current not in known:
        raise DatabaseVersionMismatch(
            f"The database is at revision {current}, which this release does not know: it belongs to a newer one. "
            "Install that release; a database is never taken back."
        )
    return current


def _head() -> str | None:
    return _script().get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
