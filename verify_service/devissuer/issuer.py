"""Sign access tokens for invented people, in the form that a department's identity provider uses (RFC 9068)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jwt
from jwt.algorithms import ECAlgorithm

from verify_service.access import policy
from verify_service.clock import uuid7
from verify_service.errors import ConfigurationError
from verify_service.signing import canonical_bytes, sha256_hex

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

ALGORITHM = "ES256"
CLIENT = "development"
# Phishing-resistant (OpenID Connect Extended Authentication Profile ACR Values 1.0 §4).
ACR = "phr"
LIFETIME = timedelta(hours=1)


@dataclass(frozen=True)
class Person:
    """An invented person of one role: the department's number for them, their unit, and what they may do."""

    serial: str
    command: str | None
    scopes: tuple[str, ...]


SUBMITTER = (policy.SUBMIT, policy.READ)
PEOPLE: Mapping[str, Person] = {
    policy.OFFICER: Person("38211", "Central Area", SUBMITTER),
    policy.DISPATCHER: Person("52104", "Communications Division", SUBMITTER),
    policy.SUPERVISOR: Person("27415", "Central Area", (*SUBMITTER, policy.DECIDE, policy.EXPORT)),
    policy.AUDITOR: Person("10007", "Inspector General", (policy.READ, policy.AUDIT, policy.EXPORT)),
    # A partner is an agency, so its code stands where others have a number.
    policy.PARTNER: Person("DHS-ICE", None, (policy.CHANGES, policy.ACTIVATE)),
    policy.OPERATOR: Person("60001", "Technology Bureau", (policy.OPERATE,)),
}


class DevelopmentIssuer:
    """An issuer at ``url`` that vouches for whatever it is asked to, and so must never leave loopback."""

    def __init__(self, url: str, key: EllipticCurvePrivateKey, random_bytes: Callable[[int], bytes]) -> None:
        self.url = url
        self._key = key
        self._random_bytes = random_bytes
        self._jwk: dict[str, Any] = json.loads(ECAlgorithm.to_jwk(key.public_key()))
        # RFC 7638: the thumbprint of the key names it, so another key never has the same name.
        self._jwk["kid"] = sha256_hex(canonical_bytes({name: self._jwk[name] for name in ("crv", "kty", "x", "y")}))

    def configuration(self) -> dict[str, Any]:
        """Return the discovery document (OpenID Connect Discovery 1.0 §3), as far as an API or a partner reads it."""
        return {
            "issuer": self.url,
            "jwks_uri": f"{self.url}/jwks",
            "token_endpoint": f"{self.url}/token",
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": [ALGORITHM, "EdDSA"],
            "grant_types_supported": ["client_credentials"],
            "dpop_signing_alg_values_supported": [ALGORITHM, "EdDSA"],
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "response_types_supported": [],
            "subject_types_supported": ["public"],
        }

    def key_set(self) -> dict[str, Any]:
        """Return the public key as a JWK set (RFC 7517)."""
        return {"keys": [self._jwk | {"use": "sig", "alg": ALGORITHM}]}

    def issue_token(
        self,
        role: str,
        department: str,
        audience: str,
        now: datetime,
        *,
        lifetime: timedelta = LIFETIME,
        serial: str | None = None,
        command: str | None = None,
        jkt: str | None = None,
        acr: str | None = ACR,
        auth_time: datetime | None = None,
    ) -> str:
        """Sign an access token for the invented person of a role, under another number or unit where one is given.

        It is bound to the key whose thumbprint ``jkt`` is (RFC 9449 §6.1), to none without one. ``acr`` and
        ``auth_time``, without which it is now, are how and when the person signed in.
        Raises ConfigurationError for a role that does not exist.
        """
        person = PEOPLE.get(role)
        if person is None:
            raise ConfigurationError(f"There is no role {role}: choose one of {', '.join(PEOPLE)}.")
        number = serial or person.serial
        unit = command or person.command
        claims = {
            "iss": self.url,
            "sub": f"{department}/{role}/{number}",
            "aud": audience,
            "iat": int(now.timestamp()),
            "exp": int((now + lifetime).timestamp()),
            "jti": uuid7(now, self._random_bytes),
            "client_id": CLIENT,
            "department": department,
            "serial": number,
            "role": role,
            "scope": " ".join(person.scopes),
            "auth_time": int((auth_time or now).timestamp()),
            **({"acr": acr} if acr else {}),
            **({"command": unit} if unit else {}),
            **({"cnf": {"jkt": jkt}} if jkt else {}),
        }
        return jwt.encode(claims, self._key, ALGORITHM, headers={"typ": "at+jwt", "kid": self._jwk["kid"]})
