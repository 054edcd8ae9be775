"""Judge a DPoP proof (RFC 9449): that whoever sends an access token holds the key that the token is bound to."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlsplit

import jwt

from verify_service.errors import NotAuthenticated
from verify_service.record_log.append import SpentProof
from verify_service.signing import canonical_bytes
from verify_service.web import issuer_keys
from verify_service.web.compact import COMPACT, header_of, verified_claims

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from verify_service.vault import Vault

ALGORITHMS = {name: issuer_keys.ALGORITHMS[name] for name in ("ES256", "EdDSA")}
# What RFC 7638 §3.2 and RFC 8037 §2 make the thumbprint of.
COORDINATES = {"EC": ("x", "y"), "OKP": ("x",)}
PRIVATE = frozenset({"d", "k", "p", "q", "dp", "dq", "qi", "oth"})
LONGEST_PROOF = 4096
LONGEST_JTI = 256
THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")
DEFAULT_PORTS = {"https": 443, "http": 80}
# A phone's clock may be wrong by minutes; that a proof is fresh follows from its nonce, by the service's own clock.
CLOCKS_DIFFER = 300
NONCE_SECONDS = 60
NONCE_BYTES = 16
INVALID = "invalid_dpop_proof"


@dataclass(frozen=True)
class Shown:
    """What a request shows of its sender, and what for: its Authorization and DPoP headers, method and address."""

    authorization: str | None
    proof: str | None = None
    method: str = "GET"
    url: str = ""


@dataclass(frozen=True)
class Nonces:
    """The nonces of RFC 9449 §8: each host of a deployment makes the same, from the vault's keys and the minute.

    One serves for one to two minutes, and in the minute before too, since the clocks of hosts differ.
    """

    vault: Vault

    def current(self, department: str, now: datetime) -> str:
        """Return the nonce to be used now."""
        return self._of(department, _window(now))

    def window(self, department: str, nonce: str, now: datetime) -> int | None:
        """Return the minute of a nonce, None for one that does not serve now."""
        latest = _window(now) + 1
        for window in (latest - 1, latest - 2, latest):
            if hmac.compare_digest(self._of(department, window).encode(), nonce.encode("utf-8", "surrogatepass")):
                return window
        return None

    def _of(self, department: str, window: int) -> str:
        return base64url(self.vault.index(department, "dpop-nonce", str(window))[:NONCE_BYTES])


@dataclass(frozen=True)
class Binding:
    """What a token asks of its proof: the token itself, the thumbprint of its key (RFC 7638), and its department."""

    token: str
    jkt: str
    department: str


def check_proof(shown: Shown, binding: Binding, nonces: Nonces, now: datetime) -> tuple[SpentProof, str | None]:
    """Check a request's proof as RFC 9449 §4.3 asks; return how it is spent, and a newer nonce where there is one.

    1. There is one proof, a compact JWT of its own type, with an algorithm of ours.
    2. It is signed with the public key in its header, which is the key that the token is bound to.
    3. It was made for this method, this address and this token.
    4. Its nonce is ours and serves now; without one, the refusal gives one.
    5. It was made now, as far as its clock can tell.

    Raises NotAuthenticated. That it serves once is for whoever spends it.
    """
    # 1
    proof = shown.proof
    if not proof:
        raise _invalid("The header DPoP is missing: send a proof that is made for this request (RFC 9449).")
    if len(proof) > LONGEST_PROOF or not COMPACT.fullmatch(proof):
        raise _invalid("The header DPoP must be one proof in the form of a JWT (RFC 9449 §4.2).")
    try:
        algorithm, jkt, key = _read_header(proof.partition(".")[0])
    except ValueError as error:
        raise _invalid("The DPoP proof cannot be read.") from error
    # 2
    if jkt != binding.jkt:
        raise NotAuthenticated("The DPoP proof is signed with another key than the access token is bound to.")
    try:
        claims = verified_claims(proof, key, algorithm)
    except ValueError as error:
        raise _invalid("The signature of the DPoP proof does not fit.") from error
    # 3
    _check_purpose(claims, shown, binding.token)
    # 4
    nonce = claims.get("nonce")
    window = nonces.window(binding.department, nonce, now) if isinstance(nonce, str) else None
    if window is None:
        raise NotAuthenticated(
            "Make the DPoP proof again, with the nonce of the header DPoP-Nonce.",
            "use_dpop_nonce",
            nonce=nonces.current(binding.department, now),
        )
    # 5
    return _spent(claims, binding.jkt, window, now), (
        None if window == _window(now) else nonces.current(binding.department, now)
    )


def thumbprint(jwk: Mapping[str, str]) -> str:
    """Return the SHA-256 thumbprint (RFC 7638) of the members that make it."""
    return base64url(hashlib.sha256(canonical_bytes(dict(jwk))).digest())


def base64url(content: bytes) -> str:
    """Write bytes in base64url without padding (RFC 7515 §2)."""
    return urlsafe_b64encode(content).rstrip(b"=").decode()


@lru_cache(4096)
def _read_header(encoded: str) -> tuple[str, str, Any]:
    """Return the algorithm, the key's thumbprint and the key; a client's header is the same in each of its proofs.

    Raises ValueError where it cannot be read, NotAuthenticated where it is not a proof's.
    """
    algorithm, jwk = _check_header(header_of(encoded))
    try:
        return algorithm, thumbprint(jwk), jwt.PyJWK(dict(jwk), algorithm).key
    except (jwt.PyJWTError, LookupError, TypeError, ValueError) as error:
        raise _invalid("The jwk of the DPoP proof is no public key.") from error


def _check_header(header: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return the algorithm, and of the key the members that make its thumbprint, which are all that is used of it."""
    if str(header.get("typ")).lower() not in {"dpop+jwt", "application/dpop+jwt"}:
        raise _invalid("This is no DPoP proof: its typ must be dpop+jwt.")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise _invalid(f"The DPoP proof must be signed with one of {', '.join(ALGORITHMS)}.")
    if "crit" in header:
        raise _invalid("The DPoP proof asks for extensions that are not known here.")
    jwk, (key_type, curve) = header.get("jwk"), ALGORITHMS[algorithm]
    if not isinstance(jwk, dict) or jwk.get("kty") != key_type or jwk.get("crv") != curve:
        raise _invalid(f"The DPoP proof must carry its public {curve} key as jwk.")
    if not PRIVATE.isdisjoint(jwk):
        raise _invalid("The DPoP proof gives its private key away: make a new key, and never send that part.")
    members = {"crv": curve, "kty": key_type, **{name: jwk.get(name) for name in COORDINATES[key_type]}}
    if not all(isinstance(value, str) and len(value) <= LONGEST_JTI for value in members.values()):
        raise _invalid(f"The DPoP proof must carry its public {curve} key as jwk.")
    return algorithm, {name: str(value) for name, value in members.items()}


def _check_purpose(claims: Mapping[str, Any], shown: Shown, token: str) -> None:
    if claims.get("htm") != shown.method:
        raise _invalid("The DPoP proof was made for another method.")
    address = claims.get("htu")
    if address != shown.url and not (isinstance(address, str) and _normalised(address) == _normalised(shown.url)):
        raise _invalid(f"The DPoP proof was made for another address: its htu must be {shown.url}.")
    if claims.get("ath") != base64url(hashlib.sha256(token.encode()).digest()):
        raise _invalid("The DPoP proof was made for another access token: its ath must be the token's SHA-256.")


def _normalised(url: str) -> tuple[str, str, int | None, bytes] | None:
    """Bring a URL without query and fragment to one form (RFC 3986 §6.2.2 and §6.2.3), None where it is none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or parts.username is not None:
        return None
    # Escapes are undone, as they are before a request is routed.
    return parts.scheme, host, port or DEFAULT_PORTS.get(parts.scheme), unquote_to_bytes(parts.path or "/")


def _spent(claims: Mapping[str, Any], jkt: str, window: int, now: datetime) -> SpentProof:
    made = claims.get("iat")
    if not isinstance(made, int | float) or isinstance(made, bool):
        raise _invalid("The DPoP proof lacks a usable iat.")
    if abs(made - now.timestamp()) > CLOCKS_DIFFER:
        raise _invalid(f"The DPoP proof was made more than {CLOCKS_DIFFER // 60} minutes from now: set the clock.")
    name = claims.get("jti")
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_JTI:
        raise _invalid("The DPoP proof lacks a usable jti.")
    mark = hashlib.sha256(f"{jkt} {name}".encode("utf-8", "surrogatepass")).digest()
    return SpentProof(mark, (window + 2) * NONCE_SECONDS)


def _window(now: datetime) -> int:
    return int(now.timestamp()) // NONCE_SECONDS


def _invalid(detail: str) -> NotAuthenticated:
    return NotAuthenticated(detail, INVALID)
