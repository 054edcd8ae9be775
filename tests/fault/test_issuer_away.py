"""The issuer goes away, comes back and changes its key while phones call: no good token is refused, no other taken."""

from __future__ import annotations

import http.client
import json
import threading
import time

import pytest

from tests.api.served_issuer import ServedIssuer
from tests.deployment import AUDIENCE
from tests.dpop_key import DpopKey
from tests.fakes.keys import seeded_bytes
from tests.served import Served
from verify_service.clock import SystemClock

pytestmark = pytest.mark.long
CLOCK = SystemClock()
PATH = "/v1/registry"


class Phone:
    """Calls with a token of its own key; a refusal for want of a nonce, or a 503, is answered by calling again."""

    def __init__(self, served, issuer):
        self.served, self.issuer, self.key, self.nonce = served, issuer, DpopKey(), None
        self.sign_in()

    def sign_in(self):
        self.signer = self.issuer.issuer
        self.token = self.signer.issue_token("officer", "LAPD", AUDIENCE, CLOCK.now(), jkt=self.key.jkt)

    def ask(self):
        url = f"http://127.0.0.1:{self.served.port}"
        proof = self.key.proof(self.token, "GET", f"{url}{PATH}", CLOCK.now(), self.nonce)
        connection = http.client.HTTPConnection("127.0.0.1", self.served.port, timeout=30)
        try:
            connection.request("GET", PATH, headers={"Authorization": f"DPoP {self.token}", "DPoP": proof})
            answer = connection.getresponse()
            said = answer.read()
        finally:
            connection.close()
        self.nonce = answer.headers.get("DPoP-Nonce", self.nonce)
        if answer.status == 401 and "use_dpop_nonce" in answer.headers["WWW-Authenticate"]:
            return self.ask()
        return answer.status, said

    def answered(self, within=45):
        """Ask until it is neither put off nor, as the case may be, refused; return every status on the way."""
        met, deadline = [], time.monotonic() + within
        while time.monotonic() < deadline:
            met.append(self.ask()[0])
            if met[-1] != 503:
                return met
            time.sleep(0.2)
        return met


class Crowd:
    """Phones that call until they are told to stop, each signing in anew now and then."""

    def __init__(self, served, issuer, count=6):
        self.met, self.over = [], threading.Event()
        phones = [Phone(served, issuer) for _ in range(count)]
        self.threads = [threading.Thread(target=self._call, args=[phone]) for phone in phones]

    def _call(self, phone):
        while not self.over.is_set():
            phone.sign_in()
            for _ in range(5):
                self.met.append((phone.signer, phone.answered()[-1]))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(60)


def away(environ, start_response):
    start_response("503 Away", [("Content-Length", "0")])
    return []


def test_no_good_token_is_refused_and_no_withdrawn_key_taken(tmp_path):
    issuer = ServedIssuer(tmp_path / "issuer", seeded_bytes(2))
    served = Served(tmp_path, f"sqlite:///{tmp_path / 'verify.db'}", issuer=issuer.url, VERIFY_WORKERS="2")
    try:
        served.start()
        before = Phone(served, issuer)
        assert before.ask()[0] == 200
        with Crowd(served, issuer) as crowd:
            time.sleep(2)
            issuer.answer = away
            time.sleep(3)
            issuer.answer = None
            issuer.rotate()
            time.sleep(8)
        new = [status for signer, status in crowd.met if signer is issuer.issuer]
        assert set(new) == {200}
        assert len(new) > 20
        # What was signed with the old key is refused once that is withdrawn.
        assert {status for signer, status in crowd.met if signer is not issuer.issuer} <= {200, 401}
        refused = [before.answered()[-1] for _ in range(10)]
        assert refused == [401] * 10
        assert json.loads(before.ask()[1])["detail"].startswith("The access token is signed with a key that the issuer")
    finally:
        served.stop()
        issuer.stop()
