import os
import select
import socket
import socketserver
import stat
import subprocess
import sys
import threading

import pytest
from sqlalchemy import make_url, text

from verify_service.errors import StorageUnavailable
from verify_service.storage.database import Database, driver_of


def test_a_write_that_fails_leaves_nothing(database):
    with database.write() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
    with pytest.raises(RuntimeError), database.write() as connection:
        connection.execute(text("INSERT INTO t VALUES (1)"))
        raise RuntimeError
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM t")).scalar() == 0


def test_a_snapshot_does_not_see_what_came_after_it(database):
    with database.write() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
    with database.snapshot() as before:
        assert before.execute(text("SELECT count(*) FROM t")).scalar() == 0
        with database.write() as connection:
            connection.execute(text("INSERT INTO t VALUES (1)"))
        assert before.execute(text("SELECT count(*) FROM t")).scalar() == 0
    with database.snapshot() as after:
        assert after.execute(text("SELECT count(*) FROM t")).scalar() == 1


def test_a_database_that_is_not_there_says_that_nothing_was_recorded():
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(StorageUnavailable) as refused, database.read() as connection:
        connection.execute(text("SELECT 1"))
    assert "Nothing was recorded" in refused.value.detail
    assert "127.0.0.1" not in refused.value.detail
    assert "see that it runs, and that VERIFY_DATABASE_URL names it" in refused.value.diagnosis
    database.dispose()


def test_a_commit_lasts_whatever_the_database_or_role_has_set(postgresql):
    url = postgresql.create()
    name = url.partition("?")[0].rpartition("/")[2]
    postgresql.run(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    database = Database(url)
    with database.write() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    database.dispose()
    postgresql.drop(url)


class Relay(socketserver.ThreadingTCPServer):
    """A way over TCP to a server on a Unix socket."""

    daemon_threads = True

    def __init__(self, path):
        super().__init__(("127.0.0.1", 0), None)
        self.path = path

    def finish_request(self, request, _):
        with socket.socket(socket.AF_UNIX) as server:
            server.connect(self.path)
            ways = {request: server, server: request}
            while True:
                for readable in select.select(list(ways), [], [])[0]:
                    sent = readable.recv(65536)
                    if not sent:
                        return
                    ways[readable].sendall(sent)


def test_whoever_waits_for_a_commit_learns_that_the_other_host_is_gone(postgresql):
    folder = make_url(postgresql.url("postgres")).query["host"]
    with Relay(f"{folder}/.s.PGSQL.5432") as relay:
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        # The first host refuses, as one does that was killed: libpq goes on to the next.
        database = Database(
            f"postgresql://postgres@/postgres?host=127.0.0.1:1&host=127.0.0.1:{relay.server_address[1]}"
        )
        with database.read() as connection:
            assert connection.exec_driver_sql("SELECT 1").scalar() == 1
            with socket.socket(fileno=os.dup(driver_of(connection).pgconn.socket)) as way:
                told = [
                    way.getsockopt(socket.IPPROTO_TCP, option)
                    for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
                ]
                assert way.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        database.dispose()
        relay.shutdown()
    # Linux's own would take two hours and eleven minutes.
    assert told[0] + told[1] * told[2] <= 15


def test_a_connection_outlives_the_thread_that_opened_it(database):
    used = []

    def use():
        with database.read() as connection:
            used.append(driver_of(connection))

    for _ in range(3):
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
    assert len(set(map(id, used))) == 1


def test_a_second_connection_leaves_sqlite_its_locks(tmp_path):
    path = tmp_path / "verify.db"
    database = Database(f"sqlite:///{path}")
    with database.write() as connection:
        connection.exec_driver_sql("CREATE TABLE kept (n INTEGER)")
    with database.read(), database.read():
        # Another process that comes and goes takes itself for the last one, unless this one holds its lock.
        come_and_go = (
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT 1 FROM kept'); c.close()"
        )
        subprocess.run([sys.executable, "-c", come_and_go, str(path)], check=True)
        assert path.with_name("verify.db-wal").exists()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    database.dispose()
