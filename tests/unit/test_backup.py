import stat

import pytest

from tests.conftest import database_on
from verify_service.errors import ConfigurationError
from verify_service.storage.backup import back_up
from verify_service.storage.database import Database


def test_a_backup_is_its_owners_alone_and_opens_with_what_was_committed_last(request, tmp_path):
    database, copy = database_on(request, "sqlite", tmp_path), tmp_path / "copy.db"
    with database.write() as connection:
        connection.exec_driver_sql("INSERT INTO op_code_activation VALUES ('LAPD', x'07', 'now')")
    back_up(database, copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob("copy*")] == ["copy.db"]
    opened = Database(f"sqlite:///{copy}")
    with opened.read() as connection:
        assert connection.exec_driver_sql("SELECT until FROM op_code_activation").scalar() == "now"
    opened.dispose()


def test_a_backup_overwrites_nothing(request, tmp_path):
    database, copy = database_on(request, "sqlite", tmp_path), tmp_path / "copy.db"
    copy.write_text("last night's")
    with pytest.raises(ConfigurationError, match="there already"):
        back_up(database, copy)
    assert copy.read_text() == "last night's"


def test_postgresql_has_backups_of_its_own(request, tmp_path):
    with pytest.raises(ConfigurationError, match="pg_dump"):
        back_up(database_on(request, "postgresql", tmp_path), tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
