"""What deploy/ has is checked by the programs that will read it, and the proxy before the real service."""

from __future__ import annotations

import contextlib
import json
import socket
import time

import pytest

from tests.deploy.proxy import HOST
from tests.deploy.tools import BIN, DEPLOY, run
from tests.deployment import claim

pytestmark = pytest.mark.long

UNITS = sorted(path.name for path in (*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")))
INSTALLED = "/opt/verify-service/.venv/bin"
# Ten times what `systemd-analyze security` calls the exposure; an unhardened unit has 96.
MOST_EXPOSED = "15"
HSTS = "max-age=63072000; includeSubDomains"


@pytest.fixture
def units(tmp_path):
    """The units, with their commands where this machine has them."""
    for name in UNITS:
        text = (DEPLOY / name).read_text("utf-8")
        (tmp_path / name).write_text(text.replace(INSTALLED, str(BIN)))
    return tmp_path


def test_the_units_are_what_the_issue_asks_for():
    assert set(UNITS) == {
        "registry-timestamp.service",
        "registry-timestamp.timer",
        "verify-service-ingest.service",
        "verify-service-ingest.timer",
        "verify-service.service",
        "verify-witness.service",
    }


@pytest.mark.parametrize("name", UNITS)
def test_systemd_reads_the_unit(units, name):
    checked = run("systemd-analyze", "verify", "--man=no", str(units / name))
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_the_unit_is_hardened(units, name):
    judged = run("systemd-analyze", "security", "--offline=yes", f"--threshold={MOST_EXPOSED}", str(units / name))
    assert judged.returncode == 0, judged.stdout
    text = (units / name).read_text("utf-8")
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "User="):
        assert line in text


def test_a_timer_starts_what_is_there():
    for name in UNITS:
        if name.endswith(".timer"):
            assert name.replace(".timer", ".service") in UNITS
    assert "OnCalendar=*:0/10" in (DEPLOY / "verify-service-ingest.timer").read_text("utf-8")


def test_the_container_file_is_well_made():
    linted = run("hadolint", "--failure-threshold", "style", str(DEPLOY / "Containerfile"))
    assert (linted.returncode, linted.stdout + linted.stderr) == (0, "")


def submitted(proxy, served, key, **more):
    headers = {"Authorization": f"Bearer {served.token}", "Content-Type": "application/json", "Idempotency-Key": key}
    body = claim("DHS-ICE", served.sample.known("DHS-ICE").value, **more)
    return proxy.ask("POST", "/v1/verifications", json.dumps(body), headers)


def test_what_comes_in_clear_is_sent_to_tls_and_a_token_is_not(proxy):
    sent = proxy.ask_in_clear("/docs?x=1")
    assert (sent.status, sent.headers["Location"]) == (308, f"https://{HOST}/docs?x=1")
    assert proxy.ask_in_clear("/v1/registry").status == 403


def test_a_page_says_once_that_tls_is_asked_for(proxy):
    page = proxy.ask("GET", "/")
    assert page.status == 200
    assert page.headers.getlist("Strict-Transport-Security") == [HSTS]
    assert "nginx/" not in page.headers.get("Server", "")


def test_a_submission_goes_through(proxy, served):
    first, again = submitted(proxy, served, "one"), submitted(proxy, served, "one")
    assert (first.status, first.data) == (201, again.data)
    assert first.headers["Location"].startswith("/v1/verifications/")


def test_too_large_a_body_is_refused_as_the_service_does(proxy, served):
    refused = submitted(proxy, served, "large", note="n" * 70_000)
    assert (refused.status, refused.headers["Content-Type"]) == (413, "application/problem+json")
    assert json.loads(refused.data)["type"].endswith("/content_too_large")


def test_a_slow_client_is_let_go(proxy):
    with socket.create_connection(("127.0.0.1", proxy.http), timeout=10) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\n")
        begun = time.monotonic()
        with contextlib.suppress(ConnectionResetError):
            assert slow.recv(1000) == b""
        assert time.monotonic() - begun < 5


def test_readiness_is_for_this_machine_alone(proxy):
    assert proxy.ask("GET", "/readyz").status == 200
    assert proxy.ask("GET", "/readyz", source="127.0.0.2").status == 403


def test_nothing_is_written_of_the_requester_or_of_who_is_asked_about(proxy, served):
    answer = json.loads(submitted(proxy, served, "page").data)
    page = answer["requester_receipt"]
    shown = proxy.ask("GET", page, headers={"User-Agent": "a-requesters-telephone"})
    assert (shown.status, shown.headers["Strict-Transport-Security"]) == (200, HSTS)
    assert b"is on the agency" in shown.data
    proxy.ask("GET", f"/v1/verifications/{answer['id']}", headers={"Authorization": f"Bearer {served.token}"})
    written = proxy.written()
    for kept in (page.removeprefix("/r/"), "a-requesters-telephone", answer["id"], "261124001234", served.token):
        assert kept.encode() not in written
    assert b" 201 POST " in written


def test_the_public_log_is_read_from_the_cache_and_an_outage_is_told_as_a_problem(proxy, served):
    tile = "/log/LAPD/records/tile/entries/000"
    served.service().logs.records("LAPD").publish()
    first = proxy.ask("GET", tile)
    assert (first.status, len(first.data)) == (200, 256 * 35)
    served.stop()
    assert proxy.ask("GET", tile).data == first.data
    away = submitted(proxy, served, "away")
    assert (away.status, away.headers["Content-Type"]) == (503, "application/problem+json")
    assert (away.headers["Retry-After"], away.headers["Strict-Transport-Security"]) == ("5", HSTS)
    assert "same Idempotency-Key" in json.loads(away.data)["detail"]
    served.start()
