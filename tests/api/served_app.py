"""What a served process makes: an app without an identity provider, and one that cannot be made."""

from __future__ import annotations

from datetime import timedelta

from tests.fakes.backend import WITHOUT_DOMAIN
from tests.fakes.keys import sealed_vault, seeded_bytes
from verify_service.clock import SystemClock
from verify_service.errors import ConfigurationError
from verify_service.web.access_token import Audience
from verify_service.web.app import SHELL, create_app
from verify_service.web.auth import Authenticator
from verify_service.web.backend import Backend
from verify_service.web.dpop import Nonces
from verify_service.web.issuer_keys import IssuerKeys
from verify_service.web.step_up import StepUp

ISSUER = "http://127.0.0.1:9"


def application():
    clock = SystemClock()
    audience = Audience(ISSUER, "verify", frozenset({"LAPD"}))
    authenticator = Authenticator(audience, IssuerKeys(ISSUER, clock), Nonces(sealed_vault()), {}, {}, clock)
    return create_app(
        Backend(
            authenticator=authenticator,
            vault=sealed_vault(),
            clock=clock,
            random_bytes=seeded_bytes(),
            readiness={"keys": authenticator.check_ready},
            synthetic=lambda: False,
            step_up=StepUp((), timedelta()),
            refusals=None,
            public_url="https://verify.example.gov",
            **WITHOUT_DOMAIN,
        ),
        SHELL,
    )


def broken():
    raise ConfigurationError("VERIFY_KEYS holds no keys.")
