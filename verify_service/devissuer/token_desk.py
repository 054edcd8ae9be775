"""Give partners' programs access tokens by client credentials, `private_key_jwt` (RFC 7523) and DPoP (RFC 9449 §5)."""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt

from verify_service.access import policy
from verify_service.signing import canonical_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from verify_service.clock import Clock
    from verify_service.devissuer.issuer import DevelopmentIssuer

FILE_NAME = "clients.json"
SCHEME = "DPoP"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
KEY_TYPES = {"ES256": "EC", "EdDSA": "OKP"}
THUMBPRINT_MEMBERS = ("crv", "kty", "x", "y")
LONGEST_ASSERTION = 300
CLOCKS_DIFFER = 300


class Refused(Exception):
    """The request gets an OAuth error: its code (RFC 6749 §5.2, RFC 9449 §5) and a sentence."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error


@dataclass(frozen=True)
class Client:
    """A partner's program: the department that it works with, its agency, and its public key as a JWK."""

    department: str
    agency: str
    jwk: Mapping[str, Any]


def clients_in(directory: Path) -> Callable[[], Mapping[str, Client]]:
    """Return what reads the clients registered in a state directory, by client_id, anew each time."""

    def read() -> Mapping[str, Client]:
        try:
            listed = json.loads((directory / FILE_NAME).read_text("utf-8"))
        except FileNotFoundError:
            return {}
        return {name: Client(**client) for name, client in listed.items()}

    return read


class TokenDesk:
    """The token endpoint: each assertion serves once while the process lasts."""

    def __init__(self, issuer: DevelopmentIssuer, clients: Callable[[], Mapping[str, Client]], clock: Clock) -> None:
        self.url = f"{issuer.url}/token"
        self._issuer = issuer
        self._clients = clients
        self._clock = clock
        self._used: dict[str, float] = {}

    def token(self, form: Mapping[str, str], proof: str | None) -> dict[str, Any]:
        """Answer a token request for the API named as ``resource`` (RFC 8707); raise Refused."""
        now = self._clock.now()
        if form.get("grant_type") != "client_credentials":
            raise Refused("unsupported_grant_type", "Send grant_type=client_credentials.")
        if form.get("client_assertion_type") != ASSERTION:
            raise Refused("invalid_client", f"Send client_assertion_type={ASSERTION}.")
        client = self._client(form.get("client_assertion", ""), now)
        if not form.get("resource"):
            raise Refused("invalid_target", "Name the API that the token is for as resource.")
        jkt = self._key(proof or "", now)
        token = self._issuer.issue_token(
            policy.PARTNER, client.department, form["resource"], now, serial=client.agency, jkt=jkt
        )
        return {"access_token": token, "token_type": SCHEME, "expires_in": 3600}

    def _client(self, assertion: str, now: datetime) -> Client:
        """Return whose assertion it is (RFC 7523 §3)."""
        try:
            claims = jwt.decode(assertion, options={"verify_signature": False})
            client = self._clients()[str(claims.get("sub"))]
            signed = _verified(assertion, client.jwk)
        except (jwt.PyJWTError, LookupError, TypeError, ValueError) as error:
            raise Refused("invalid_client", "The assertion is not signed with a registered client's key.") from error
        ends, moment = signed.get("exp"), now.timestamp()
        if not isinstance(ends, int | float) or not moment < ends <= moment + LONGEST_ASSERTION:
            raise Refused("invalid_client", f"The assertion must end within {LONGEST_ASSERTION} seconds from now.")
        audience = signed.get("aud")
        named = audience if isinstance(audience, list) else [audience]
        if signed.get("iss") != signed.get("sub") or not {self.url, self._issuer.url} & set(map(str, named)):
            raise Refused("invalid_client", f"The assertion's iss must be its sub, and its aud {self._issuer.url}.")
        self._used = {used: until for used, until in self._used.items() if until > moment}
        mark = f"{signed['sub']} {signed.get('jti')}"
        if not signed.get("jti") or mark in self._used:
            raise Refused("invalid_client", "The assertion needs a jti that was not used before.")
        self._used[mark] = ends
        return client

    def _key(self, proof: str, now: datetime) -> str:
        """Return the thumbprint (RFC 7638) of the key that a DPoP proof for this endpoint shows."""
        try:
            jwk = dict(jwt.get_unverified_header(proof)["jwk"])
            claims = _verified(proof, jwk)
            made = float(claims["iat"])
        except (jwt.PyJWTError, LookupError, TypeError, ValueError) as error:
            raise Refused("invalid_dpop_proof", "Send a DPoP proof that is signed with its own jwk.") from error
        fits = claims.get("htm") == "POST" and claims.get("htu") == self.url
        if not fits or abs(made - now.timestamp()) > CLOCKS_DIFFER:
            raise Refused("invalid_dpop_proof", f"Make the DPoP proof now, for POST {self.url}.")
        members = {name: jwk[name] for name in THUMBPRINT_MEMBERS if name in jwk}
        return urlsafe_b64encode(hashlib.sha256(canonical_bytes(members)).digest()).rstrip(b"=").decode()


def _verified(signed: str, jwk: Mapping[str, Any]) -> dict[str, Any]:
    algorithm = jwt.get_unverified_header(signed).get("alg", "")
    if KEY_TYPES.get(algorithm) != jwk.get("kty"):
        raise ValueError("is no algorithm of this key")
    payload = jwt.PyJWS([algorithm]).decode(signed, jwt.PyJWK(dict(jwk), algorithm).key, [algorithm])
    return dict(json.loads(payload))
