"""An identity provider and a DPoP client that nobody here wrote, with the real service between them."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import jwt
import pytest

from tests.deploy.tools import ROOT, tool
from tests.deployment import AUDIENCE, claim
from tests.dpop_key import DpopKey
from tests.served import Served, free_port
from verify_service.access import policy
from verify_service.clock import SystemClock

pytestmark = pytest.mark.long
FOLDER = ROOT / "tests/third_party/identity"
PHONE = {"department": "LAPD", "serial": "38211", "role": "officer", "command": "Central Area"}
AGENCY = {"department": "LAPD", "serial": "DHS-ICE", "role": "partner"}
SCOPES = {"phone": f"{policy.SUBMIT} {policy.READ}", "dhs-ice": f"{policy.CHANGES} {policy.ACTIVATE}"}


class Provider:
    """The issuer in a process of its own, whose signing key can be changed and which can go away."""

    def __init__(self):
        self.url = f"http://127.0.0.1:{free_port()}"
        self.clients = {"phone": DpopKey(), "dhs-ice": DpopKey()}
        self.process = None

    def start(self):
        clients = [
            {"client_id": "phone", "jwk": self.clients["phone"].jwk, "claims": PHONE},
            {"client_id": "dhs-ice", "jwk": self.clients["dhs-ice"].jwk, "claims": AGENCY},
        ]
        told = {
            "issuer": self.url,
            "audience": AUDIENCE,
            "scope": " ".join(policy.SCOPES),
            "clients": clients,
            "keys": [private(DpopKey()) | {"use": "sig"}],
        }
        self.process = subprocess.Popen(
            [tool("node"), "issuer.mjs"], cwd=FOLDER, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.process.stdin.write(json.dumps(told))
        self.process.stdin.close()
        assert self.process.stdout.readline() == "ready\n"

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()

    def call(self, client, *requests, algorithm="ES256"):
        """Let the client ask the provider for a token and the service for the rest; return what it was told."""
        told = {
            "issuer": self.url,
            "client_id": client,
            "jwk": private(self.clients[client]),
            "algorithm": algorithm,
            "scope": SCOPES[client],
            "resource": AUDIENCE,
            "requests": requests,
        }
        command = [tool("node"), "client.mjs"]
        ran = subprocess.run(
            command, check=False, cwd=FOLDER, text=True, input=json.dumps(told), capture_output=True, timeout=60
        )
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)


def private(key):
    return jwt.algorithms.ECAlgorithm.to_jwk(key.private, as_dict=True)


@contextmanager
def provided(tmp_path):
    provider = Provider()
    provider.start()
    served = Served(tmp_path, f"sqlite:///{tmp_path / 'verify.db'}", issuer=provider.url, VERIFY_WORKERS="2")
    try:
        yield provider, served.start()
    finally:
        served.stop()
        provider.stop()


def test_a_phone_and_a_partner_are_served_through_rotation_and_outage(tmp_path):
    with provided(tmp_path) as (provider, served):
        api = f"http://127.0.0.1:{served.port}/v1"
        body = claim("DHS-ICE", served.sample.known("DHS-ICE").value)
        registry = {"method": "GET", "url": f"{api}/registry"}
        submit = {"method": "POST", "url": f"{api}/verifications", "body": body, "headers": {"Idempotency-Key": "1"}}
        made = provider.call("phone", registry, submit, registry)
        assert [one["status"] for one in made["said"]] == [200, 201, 200]
        # The first request alone had no nonce to quote.
        assert made["asked"] == 4
        bound = jwt.decode(made["token"], options={"verify_signature": False})
        (event,) = [one for one in made["said"][1]["body"]["events"] if one["kind"] == "submitted"]
        read = provider.call("phone", {"method": "GET", "url": f"http://127.0.0.1:{served.port}{event['record']}"})
        assert read["said"][0]["body"]["client"] == {"id": "phone", "jkt": bound["cnf"]["jkt"]}
        asked = [{"method": "GET", "url": f"{api}/agencies"}, {"method": "GET", "url": f"{api}/verifications"}]
        assert [one["status"] for one in provider.call("dhs-ice", *asked)["said"]] == [200, 403]
        # A token that was stolen without its key.
        assert served.ask("GET", "/v1/registry", token=made["token"])[0] == 401
        _through_rotation_and_outage(provider, served)


def _through_rotation_and_outage(provider, served):
    before = Held(provider)
    assert before.ask(served) == 200
    provider.stop()
    # Its last keys serve on, and the token with them.
    assert [before.ask(served) for _ in range(20)] == [200] * 20
    provider.start()
    # It has another signing key now, which no request has to wait for.
    assert [Held(provider).ask(served) for _ in range(5)] == [200] * 5


class Held:
    """A token of the provider's for a key that the test holds itself."""

    def __init__(self, provider):
        self.key, now = DpopKey(), SystemClock().now()
        own, url = provider.clients["phone"], f"{provider.url}/token"
        made = {"iss": "phone", "sub": "phone", "aud": provider.url, "jti": self.key.jkt, "exp": now.timestamp() + 60}
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode(made, own.private, "ES256"),
            "scope": SCOPES["phone"],
            "resource": AUDIENCE,
        }
        headers = {"DPoP": self.key.proof("", "POST", url, now), "Content-Type": "application/x-www-form-urlencoded"}
        _, _, said = _send(provider.url, "POST", "/token", urlencode(form), headers)
        self.token, self.nonce = json.loads(said)["access_token"], None

    def ask(self, served):
        url = f"http://127.0.0.1:{served.port}"
        for _ in range(2):
            proof = self.key.proof(self.token, "GET", f"{url}/v1/registry", SystemClock().now(), self.nonce)
            headers = {"Authorization": f"DPoP {self.token}", "DPoP": proof}
            status, answered, _ = _send(url, "GET", "/v1/registry", None, headers)
            self.nonce = answered.get("DPoP-Nonce", self.nonce)
            if status != 401:
                break
        return status


def _send(origin, method, path, body, headers):
    connection = HTTPConnection(urlsplit(origin).netloc, timeout=30)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()
