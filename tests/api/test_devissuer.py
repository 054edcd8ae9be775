"""The development issuer signs for invented people, on loopback alone, and never outlives who started it."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from tests.api.conftest import AUDIENCE
from tests.served import free_port
from verify_service.access import policy
from verify_service.devissuer.app import create_app
from verify_service.devissuer.issuer import PEOPLE
from verify_service.devissuer.key import signing_key
from verify_service.devissuer.serving import listen, running
from verify_service.errors import ConfigurationError
from verify_service.web.dpop import Shown
from verify_service.web.issuer_keys import fetch_url


def numbers(key):
    return key.private_numbers()


def test_the_key_is_made_once_and_is_its_owners_alone(tmp_path):
    home = tmp_path / "var"
    first = signing_key(home)
    assert numbers(signing_key(home)) == numbers(first)
    made = home / "devissuer" / "key.pem"
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.parent.stat().st_mode) == 0o700
    assert list(made.parent.iterdir()) == [made]


def test_a_key_that_others_can_read_is_not_used(tmp_path):
    signing_key(tmp_path)
    (tmp_path / "devissuer" / "key.pem").chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        signing_key(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        *(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            for key in (ed25519.Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP384R1()))
        ),
    ],
)
def test_a_file_that_holds_no_such_key_is_refused(tmp_path, content):
    (tmp_path / "devissuer").mkdir()
    path = tmp_path / "devissuer" / "key.pem"
    path.touch(mode=0o600)
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="remove it, and a new one is made"):
        signing_key(tmp_path)


@pytest.mark.parametrize("role", policy.ROLES)
def test_every_role_has_an_invented_person_with_its_scopes(authenticator, served_issuer, clock, role):
    token = served_issuer.issuer.issue_token(role, "LAPD", AUDIENCE, clock.now())
    caller = authenticator.admit(Shown(f"Bearer {token}")).caller
    person = PEOPLE[role]
    assert (caller.role, caller.serial, caller.command) == (role, person.serial, person.command)
    assert caller.scopes == set(person.scopes) <= set(policy.SCOPES)
    assert caller.subject == f"LAPD/{role}/{person.serial}"


def test_roles_have_the_scopes_of_the_design():
    assert {role: set(person.scopes) for role, person in PEOPLE.items()} == {
        "officer": {"verify:submit", "case:read"},
        "dispatcher": {"verify:submit", "case:read"},
        "supervisor": {"verify:submit", "case:read", "case:decide", "evidence:export"},
        "auditor": {"case:read", "audit:read", "evidence:export"},
        "partner": {"partner:changes", "op_code:activate"},
        "operator": {"registry:operate"},
    }


def test_a_token_can_be_for_another_number_unit_and_time(authenticator, served_issuer, clock):
    token = served_issuer.issuer.issue_token(
        "officer",
        "LAPD",
        AUDIENCE,
        clock.now(),
        lifetime=timedelta(minutes=1),
        serial="40000",
        command="Hollenbeck Area",
    )
    caller = authenticator.admit(Shown(f"Bearer {token}")).caller
    assert (caller.serial, caller.command) == ("40000", "Hollenbeck Area")


def test_an_unknown_role_is_refused_in_words(served_issuer, clock):
    with pytest.raises(ConfigurationError, match="There is no role chief: choose one of officer, dispatcher"):
        served_issuer.issuer.issue_token("chief", "LAPD", AUDIENCE, clock.now())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.gov"])  # noqa: S104 - It is refused.
def test_it_listens_on_loopback_alone(served_issuer, host):
    with pytest.raises(ConfigurationError, match=f"does not listen on {host}"):
        listen(create_app(served_issuer.issuer), 0, host)


def test_it_signs_nothing_over_http(served_issuer):
    rules = {rule.rule for rule in create_app(served_issuer.issuer).url_map.iter_rules()}
    assert rules == {"/.well-known/openid-configuration", "/jwks"}
    assert b'"d"' not in fetch_url(f"{served_issuer.url}/jwks")


def test_it_runs_in_a_child_process_while_the_block_lasts(tmp_path):
    port = free_port()
    with running(tmp_path, port):
        assert b"jwks_uri" in fetch_url(f"http://127.0.0.1:{port}/.well-known/openid-configuration")
        taken = f"cannot listen on port {port}.*VERIFY_DEVISSUER_PORT"
        with pytest.raises(ConfigurationError, match=taken), running(tmp_path, port):
            pass
    with pytest.raises(OSError):
        fetch_url(f"http://127.0.0.1:{port}/jwks")


def test_its_fault_is_said_by_who_started_it(tmp_path):
    signing_key(tmp_path)
    (tmp_path / "devissuer" / "key.pem").chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"), running(tmp_path, free_port()):
        pass


PARENT = """
import sys, time
from pathlib import Path
from verify_service.devissuer.serving import running
with running(Path(sys.argv[1]), int(sys.argv[2])):
    print("running", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_it_ends_with_its_parent_however_that_ends(tmp_path, end):
    port = free_port()
    command = [sys.executable, "-c", PARENT, str(tmp_path), str(port)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=root, start_new_session=True
    ) as parent:
        assert parent.stdout.readline() == b"running\n"
        fetch_url(f"http://127.0.0.1:{port}/jwks")
        # As Ctrl-C does, the interrupt reaches the whole group; the kill only the parent.
        os.killpg(parent.pid, end) if end == signal.SIGINT else parent.kill()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            fetch_url(f"http://127.0.0.1:{port}/jwks")
        except OSError:
            return
        time.sleep(0.05)
    pytest.fail("The issuer outlived its parent.")
