"""A client's key for DPoP proofs (RFC 9449), as a phone or a partner has one, which can also be used wrongly."""

from __future__ import annotations

import hashlib
import itertools
import json

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from verify_service.web.dpop import base64url, thumbprint


class DpopKey:
    def __init__(self, algorithm="ES256"):
        self.algorithm = algorithm
        elliptic = algorithm == "ES256"
        self.private = ec.generate_private_key(ec.SECP256R1()) if elliptic else ed25519.Ed25519PrivateKey.generate()
        whole = json.loads(jwt.get_algorithm_by_name(algorithm).to_jwk(self.private.public_key()))
        self.jwk = {name: whole[name] for name in ("crv", "kty", "x", "y") if name in whole}
        self.jkt = thumbprint(self.jwk)
        self._numbers = itertools.count()

    def proof(self, token, method, url, now, nonce=None, headers=None, algorithm=None, key=None, **changed):
        """Sign a proof that differs from a good one by what is given; None leaves a member out."""
        claims = {
            "jti": f"{self.jkt} {next(self._numbers)}",
            "htm": method,
            "htu": url,
            "iat": int(now.timestamp()),
            "ath": base64url(hashlib.sha256(token.encode()).digest()),
            "nonce": nonce,
            **changed,
        }
        header = {"typ": "dpop+jwt", "jwk": self.jwk, **(headers or {})}
        body = json.dumps({name: value for name, value in claims.items() if value is not None}).encode()
        signing = jwt.PyJWS()
        return signing.encode(body, key or self.private, algorithm or self.algorithm, headers=header)
