"""A partner's program gets a token with its own key, and calls with proofs of another."""

from __future__ import annotations

import json
from datetime import timedelta
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import jwt
import pytest

from tests.api.conftest import AUDIENCE, PUBLIC_URL
from tests.api.test_devissuer import free_port
from tests.dpop_key import DpopKey
from tests.fakes.keys import sealed_vault
from verify_service.clock import SystemClock
from verify_service.devissuer.serving import running
from verify_service.devissuer.token_desk import ASSERTION
from verify_service.web.dpop import Nonces, Shown
from verify_service.web.issuer_keys import IssuerKeys, fetch_url

CLOCK = SystemClock()
FORM = "application/x-www-form-urlencoded"


class Partner:
    """A registered client of a development issuer that runs in a process of its own."""

    def __init__(self, issuer, home):
        self.issuer, self.token_url = (
            issuer,
            json.loads(fetch_url(f"{issuer}/.well-known/openid-configuration"))["token_endpoint"],
        )
        self.own, self.bound = DpopKey("EdDSA"), DpopKey()
        client = {"department": "LAPD", "agency": "DHS-ICE", "jwk": self.own.jwk}
        (home / "devissuer" / "clients.json").write_text(json.dumps({"dhs-ice": client}))
        self.count = 0

    def assertion(self, key=None, **changed):
        self.count += 1
        now = CLOCK.now().timestamp()
        claims = {"iss": "dhs-ice", "sub": "dhs-ice", "aud": self.issuer, "exp": now + 60, "jti": f"a{self.count}"}
        return jwt.encode({**claims, **changed}, (key or self.own).private, "EdDSA")

    def proof(self, **changed):
        return self.bound.proof("", "POST", self.token_url, CLOCK.now(), **changed)

    def ask(self, assertion=None, proof=None, **changed):
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION,
            "client_assertion": assertion or self.assertion(),
            "resource": AUDIENCE,
            **changed,
        }
        host = urlsplit(self.token_url)
        connection = HTTPConnection(host.hostname, host.port, timeout=10)
        headers = {"DPoP": self.proof() if proof is None else proof, "Content-Type": FORM}
        connection.request("POST", host.path, urlencode(form), headers)
        answer = connection.getresponse()
        said = json.loads(answer.read())
        connection.close()
        assert answer.status == (400 if "error" in said else 200)
        return said.get("error", said)


@pytest.fixture(scope="module")
def partner(tmp_path_factory):
    home, port = tmp_path_factory.mktemp("issuer"), free_port()
    with running(home, port):
        yield Partner(f"http://127.0.0.1:{port}", home)


def test_a_partners_token_and_proofs_are_taken(partner, admitting):
    answer = partner.ask()
    assert (answer["token_type"], answer["expires_in"]) == ("DPoP", 3600)
    authenticator = admitting(partner.issuer, keys=IssuerKeys(partner.issuer, CLOCK), clock=CLOCK, bearer=False)
    token, now, url = answer["access_token"], CLOCK.now(), f"{PUBLIC_URL}/v1/registry"
    proof = partner.bound.proof(token, "GET", url, now, Nonces(sealed_vault()).current("LAPD", now))
    caller = authenticator.admit(Shown(f"DPoP {token}", proof, "GET", url)).caller
    assert (caller.role, caller.serial, caller.department, caller.jkt) == (
        "partner",
        "DHS-ICE",
        "LAPD",
        partner.bound.jkt,
    )


def test_what_another_could_send_gets_no_token(partner):
    used = partner.assertion()
    assert isinstance(partner.ask(used), dict)
    for refused in (
        used,
        "x",
        partner.assertion(DpopKey("EdDSA")),
        partner.assertion(sub="nobody"),
        partner.assertion(iss="nobody"),
        partner.assertion(aud="https://elsewhere.example"),
        partner.assertion(exp=(CLOCK.now() - timedelta(seconds=1)).timestamp()),
        partner.assertion(exp=(CLOCK.now() + timedelta(hours=1)).timestamp()),
        partner.assertion(jti=""),
        jwt.encode({"iss": "dhs-ice", "sub": "dhs-ice"}, "x" * 32, "HS256"),
    ):
        assert partner.ask(refused) == "invalid_client"
    for proof in ("", "x", partner.proof(htm="GET"), partner.proof(htu=partner.issuer), partner.proof(iat=0)):
        assert partner.ask(proof=proof) == "invalid_dpop_proof"
    assert partner.ask(grant_type="password") == "unsupported_grant_type"
    assert partner.ask(client_assertion_type="x") == "invalid_client"
    assert partner.ask(resource="") == "invalid_target"
