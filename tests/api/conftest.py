"""An app with its real authenticator, an issuer on loopback, and a clock that stands still."""

from __future__ import annotations

import json
from datetime import timedelta

import jwt
import pytest

from tests.api.served_issuer import ServedIssuer
from tests.api.trial import trial
from tests.fakes.backend import WITHOUT_DOMAIN
from tests.fakes.clock import SetClock
from tests.fakes.denials import MemoryDenials
from tests.fakes.keys import sealed_vault, seeded_bytes
from tests.fakes.proofs import MemoryProofs
from tests.street import memory_logs
from verify_service.access.deny import DenyList
from verify_service.access.event import AccessEvents
from verify_service.access.refusals import Refusals
from verify_service.web.access_token import Audience
from verify_service.web.app import SHELL, create_app
from verify_service.web.auth import Authenticator
from verify_service.web.backend import Backend
from verify_service.web.dpop import Nonces
from verify_service.web.issuer_keys import IssuerKeys
from verify_service.web.spent_proofs import SpentProofs
from verify_service.web.step_up import StepUp

AUDIENCE = "https://verify.example.gov"
PUBLIC_URL = "https://verify.example.gov"


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def served_issuer(tmp_path):
    served = ServedIssuer(tmp_path, seeded_bytes(2))
    yield served
    served.stop()


@pytest.fixture
def keys(served_issuer, clock):
    # A refresh in the background is done at once, so that a test sees its end.
    return IssuerKeys(served_issuer.url, clock, start=lambda work: work())


@pytest.fixture
def denials():
    return MemoryDenials()


@pytest.fixture
def admitting(keys, clock, denials):
    """Make an authenticator of an issuer, which takes tokens that are bound to no key too."""

    def make(issuer, **options):
        bearer = options.pop("bearer", True)
        audience = Audience(issuer, AUDIENCE, frozenset({"LAPD"}), bearer=bearer, claims=options.pop("claims", {}))
        spent = {"LAPD": SpentProofs("LAPD", MemoryProofs())}
        denied = {"LAPD": DenyList("LAPD", denials)}
        known = options.pop("keys", keys)
        at = options.pop("clock", clock)
        return Authenticator(audience, known, Nonces(sealed_vault()), spent, denied, at, **options)

    return make


@pytest.fixture
def authenticator(served_issuer, admitting):
    return admitting(served_issuer.url)


@pytest.fixture
def refusals(tmp_path, clock):
    logs, _ = memory_logs(tmp_path, clock)
    return Refusals(AccessEvents(logs, sealed_vault(), clock), clock)


@pytest.fixture
def backend(authenticator, refusals, clock):
    return Backend(
        authenticator=authenticator,
        vault=sealed_vault(),
        clock=clock,
        random_bytes=seeded_bytes(3),
        readiness={"identity provider": authenticator.check_ready},
        synthetic=lambda: True,
        public_url=PUBLIC_URL,
        step_up=StepUp(("phr", "phrh"), timedelta(minutes=15)),
        refusals=refusals,
        **WITHOUT_DOMAIN,
    )


@pytest.fixture
def app(backend):
    return create_app(backend, [*SHELL, trial])


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def token(served_issuer, clock):
    def issue(role="officer", department="LAPD", **options):
        return served_issuer.issuer.issue_token(role, department, AUDIENCE, clock.now(), **options)

    return issue


@pytest.fixture
def bearer(token):
    def header(role="officer", **options):
        return {"Authorization": f"Bearer {token(role, **options)}"}

    return header


@pytest.fixture
def sign(served_issuer, clock):
    """Sign claims that differ from an officer's by what is given; None leaves a claim out."""

    def make(headers=None, key=None, algorithm="ES256", **changed):
        issuer = served_issuer.issuer
        now = int(clock.now().timestamp())
        claims = {
            "iss": issuer.url,
            "sub": "u1",
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + 300,
            "jti": "j1",
            "client_id": "phone",
            "department": "LAPD",
            "command": "Central Area",
            "serial": "38211",
            "role": "officer",
            "scope": "verify:submit case:read",
            **changed,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"typ": "at+jwt", "kid": issuer._jwk["kid"], **(headers or {})}
        signature = jwt.PyJWS()
        body = json.dumps(claims).encode()
        return signature.encode(body, key or issuer._key, algorithm, headers=header)

    return make
