"""The errors that a user meets, caused for real: each says what happened and what to do, and nothing is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.deployment import loaded
from verify_service.evidence.audit import audit
from verify_service.record_log.log import LogId
from verify_service.storage.log_store import HeldTail


def refused(reply, status, code):
    assert reply.status_code == status, reply.get_data()
    problem = loaded(reply)
    assert problem["type"].endswith(code), problem
    return problem["detail"]


def count(deployment):
    with deployment.service.database.read() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM verification").scalar()


def end_sessions(server, deployment):
    name = deployment.service.database.engine.url.database
    server.run("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", name)


@contextmanager
def gone(server, deployment):
    """Let nobody into the database meanwhile, and end every session in it."""
    name = deployment.service.database.engine.url.database
    server.run(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    end_sessions(server, deployment)
    try:
        yield
    finally:
        server.run(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


ON_SQLITE = pytest.mark.parametrize("home_and_url", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("home_and_url", ["postgresql"], indirect=True)


def test_an_agency_that_is_not_known_is_named_with_where_to_look(deployment):
    reply = deployment.submit("ICE", "12345")
    assert reply.status_code == 422
    (error,) = loaded(reply)["errors"]
    assert error["pointer"] == "/agent/claimed_agency"
    assert error["detail"] == (
        "This agency is not in the registry (did you mean DHS-ICE?): use a code from GET /v1/agencies, `other` or "
        "`none_stated`."
    )
    agent = {"claimed_agency": "DHS-ICE", "home_agency": "ICE"}
    (error,) = loaded(deployment.submit(agent=agent))["errors"]
    assert error["pointer"] == "/agent/home_agency"
    assert count(deployment) == 0


@ON_POSTGRESQL
def test_while_the_database_is_gone_nothing_is_recorded_and_a_retry_is_recorded_once(deployment, postgresql):
    assert deployment.submit().status_code == 201
    with gone(postgresql, deployment):
        for _ in range(2):
            said = refused(deployment.submit(key="once"), 503, "storage_unavailable")
            assert "Nothing was recorded; send the same request with the same Idempotency-Key again" in said
        ready = deployment.client.get("/readyz")
        assert (ready.status_code, deployment.client.get("/healthz").status_code) == (503, 200)
    first = deployment.submit(key="once")
    assert first.status_code == 201
    assert deployment.submit(key="once").get_data() == first.get_data()
    assert count(deployment) == 2


@ON_POSTGRESQL
def test_a_connection_that_the_database_ended_meanwhile_costs_no_request(deployment, postgresql):
    first = deployment.submit(key="once")
    end_sessions(postgresql, deployment)
    assert deployment.submit(key="once").get_data() == first.get_data()
    end_sessions(postgresql, deployment)
    assert deployment.submit().status_code == 201


@ON_POSTGRESQL
def test_l04_a_commit_that_was_not_acknowledged_is_not_called_undone(deployment, postgresql, monkeypatch):
    write = HeldTail.write

    def written_then_cut(tail, batch):
        write(tail, batch)
        end_sessions(postgresql, deployment)

    monkeypatch.setattr(HeldTail, "write", written_then_cut)
    said = refused(deployment.submit(key="once"), 503, "outcome_unknown")
    assert "may stand or not" in said
    monkeypatch.undo()
    assert deployment.submit(key="once").status_code == 201
    assert count(deployment) == 1


@contextmanager
def without_standby(server):
    """Let each commit wait for a standby that never comes: it is on disk by then."""
    server.run("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    server.run("SELECT pg_reload_conf()")
    try:
        yield
    finally:
        server.run("ALTER SYSTEM RESET synchronous_standby_names")
        server.run("SELECT pg_reload_conf()")


def end_waits(server, deployment, how):
    """End every wait for a standby: ``cancel`` the wait alone, or ``terminate`` its session."""
    name = deployment.service.database.engine.url.database
    server.run(
        "SELECT CASE %s WHEN 'cancel' THEN pg_cancel_backend(pid) ELSE pg_terminate_backend(pid) END "
        "FROM pg_stat_activity WHERE datname = %s AND wait_event = 'SyncRep'",
        how,
        name,
    )


@ON_POSTGRESQL
@pytest.mark.parametrize("how", ["terminate", "cancel"])
def test_l04_a_commit_that_stood_but_was_not_acknowledged_is_answered_once(deployment, postgresql, how):
    with without_standby(postgresql), ThreadPoolExecutor(1) as pool:
        reply = pool.submit(deployment.submit, key="once")
        while not reply.done():
            end_waits(postgresql, deployment, how)
        assert "may stand or not" in refused(reply.result(), 503, "outcome_unknown")
        # Nor is what it stored given to a retry before the standby has it.
        again = pool.submit(deployment.submit, key="once")
        while not again.done():
            end_waits(postgresql, deployment, how)
        assert "may stand or not" in refused(again.result(), 503, "outcome_unknown")
    size = deployment.service.log_store.head(LogId("LAPD", "records")).size
    assert (count(deployment), size > 0) == (1, True)
    answered = deployment.submit(key="once")
    assert answered.status_code == 201
    assert deployment.submit(key="once").get_data() == answered.get_data()
    assert (count(deployment), deployment.service.log_store.head(LogId("LAPD", "records")).size) == (1, size)


@contextmanager
def full_disk(deployment):
    """Let PostgreSQL find no room meanwhile."""
    with deployment.service.database.write() as connection:
        connection.exec_driver_sql(
            "CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$"
        )
        connection.exec_driver_sql("CREATE TRIGGER full_disk BEFORE INSERT ON log_entry EXECUTE FUNCTION full_disk()")
    yield
    with deployment.service.database.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER full_disk ON log_entry")


@ON_POSTGRESQL
def test_a_full_disk_under_postgresql_is_told_apart(deployment):
    with full_disk(deployment):
        assert "no room left. Nothing was recorded" in refused(deployment.submit(key="once"), 503, "storage_full")
    assert deployment.submit(key="once").status_code == 201
    assert count(deployment) == 1


@ON_POSTGRESQL
@pytest.mark.parametrize(("good", "failing"), [(1, 8), (3, 8), (5, 1), (5, 3)])
def test_it_goes_on_by_itself_after_a_disk_that_was_full_again_and_again(deployment, good, failing):
    deployment.service.database.dispose()
    with full_disk(deployment):
        assert deployment.submit().status_code == 503
    assert {deployment.submit().status_code for _ in range(good)} == {201}
    with full_disk(deployment):
        assert {deployment.submit().status_code for _ in range(failing)} == {503}
    assert {deployment.submit().status_code for _ in range(12)} == {201}


@ON_SQLITE
def test_a_full_disk_under_sqlite_records_nothing_and_breaks_nothing(deployment):
    database = deployment.service.database
    with database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    recorded = 0
    while (reply := deployment.submit(key=f"key-{recorded}", note="x" * 280)).status_code == 201:
        recorded += 1
        assert recorded < 300
    said = refused(reply, 503, "storage_full")
    assert said.endswith("Idempotency-Key again once an operator has made room.")
    assert count(deployment) == recorded
    with database.read() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert deployment.submit(key=f"key-{recorded}", note="x" * 280).status_code == 201
    report = audit(deployment.service.audit_source(), deployment.service.vault, deployment.service.marks())
    assert report.ok, report.sentences()


@ON_SQLITE
def test_a_database_file_that_was_replaced_is_not_written_to(deployment):
    file = deployment.service.settings.home / "verify.db"
    assert deployment.submit().status_code == 201
    moved = file.rename(file.with_suffix(".moved"))
    said = refused(deployment.submit(key="once"), 503, "storage_unavailable")
    assert "was moved or replaced" in said
    moved.rename(file)
    assert deployment.submit(key="once").status_code == 201


def test_a_stale_registry_says_so_and_names_what_can_still_be_done(deployment, known):
    deployment.clock.advance(days=30)
    answer = loaded(deployment.submit("DHS-ICE", known()))
    assert answer["outcome"] == "inconclusive"
    assert answer["explanation"].startswith("DHS-ICE's roster went out of date on 24 Nov 21:04, so nothing can be ")
    assert "This does not show that the person is not an agent." in answer["explanation"]
    assert answer["next_steps"][0].startswith("Ask dispatch to call DHS-ICE on its held number")
