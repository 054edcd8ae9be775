"""Judge an OAuth access token (RFC 9068): first its signature, then what it claims, at a given moment."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from verify_service.access.policy import ROLES
from verify_service.caller import Caller
from verify_service.errors import NotAllowed, NotAuthenticated
from verify_service.web.compact import COMPACT, header_of, verified_claims
from verify_service.web.dpop import THUMBPRINT
from verify_service.web.issuer_keys import ALGORITHMS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from verify_service.web.issuer_keys import IssuerKey

# Clocks differ by some seconds, so a token may seem to come from the near future. It ends when it says, without
# leeway: tokens are short so that a dismissed officer is locked out on time, and a fresh one is easily had.
LEEWAY = timedelta(seconds=30)
LONGEST_TOKEN = 8192
LONGEST_CLAIM = 256
ACCESS_TOKEN_TYPES = {"at+jwt", "application/at+jwt"}
PRINTABLE = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
# What stands in records and indexes as it is.
SERIAL = re.compile(r"[A-Za-z0-9._-]{1,64}")
COMMAND = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,64}")
CLAIM_NAMES = ("department", "command", "serial", "role", "scope")
UNREADABLE = "The access token cannot be read: sign in again."


@dataclass(frozen=True)
class Audience:
    """Whose tokens are taken, and for whom: ``departments`` are those that this deployment serves.

    With ``bearer`` a token that is bound to no key is taken too, which only the development issuer on loopback gives.
    ``claims`` maps department, command, serial, role and scope to the claims in which this issuer has them, where those
    have other names.
    """

    issuer: str
    name: str
    departments: frozenset[str]
    bearer: bool = False
    claims: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Verified:
    """A token whose signature and claims hold, the key that signed it, and when it ends (seconds since 1970)."""

    caller: Caller
    key: IssuerKey
    expires: float

    def check_still_valid(self, now: datetime) -> None:
        """Raise NotAuthenticated once the token has ended."""
        over = now.timestamp() - self.expires
        if over >= 0:
            raise NotAuthenticated(f"The access token expired {_in_words(over)} ago: sign in again.")


def verify(token: str, audience: Audience, find_key: Callable[[str, str], IssuerKey | None], now: datetime) -> Verified:
    """Verify a compact JWT as RFC 9068 §4 asks; raise NotAuthenticated, or NotAllowed for whom we do not serve.

    1. The header says at+jwt, an algorithm of ours, and no extension that we would have to understand.
    2. The issuer publishes the key that the header names, and the signature fits.
    3. Issuer and audience are the expected ones, and the moment lies between the token's times.
    4. The claims say who calls, for a department and in a role that exist here.
    """
    if len(token) > LONGEST_TOKEN or not COMPACT.fullmatch(token):
        raise NotAuthenticated(UNREADABLE)
    # 1
    try:
        key_id, algorithm = _check_header(header_of(token.partition(".")[0]))
    except ValueError as error:
        raise NotAuthenticated(UNREADABLE) from error
    # 2
    key = find_key(key_id, algorithm)
    if key is None:
        raise NotAuthenticated("The access token is signed with a key that the issuer does not publish: sign in again.")
    try:
        claims = verified_claims(token, key.public, algorithm)
    except ValueError as error:
        raise NotAuthenticated("The signature of the access token does not fit: sign in again.") from error
    # 3
    _check_audience(claims, audience)
    verified = Verified(_caller(claims, audience), key, _moment(claims, "exp"))
    _check_times(claims, now)
    verified.check_still_valid(now)
    # 4
    _check_served(verified.caller, audience)
    return verified


def _check_header(header: Mapping[str, Any]) -> tuple[str, str]:
    # RFC 9068 §4: an ID token, which the same issuer signs, must not pass for an access token.
    if str(header.get("typ")).lower() not in ACCESS_TOKEN_TYPES:
        raise NotAuthenticated("This is not an access token: its typ must be at+jwt (RFC 9068).")
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise NotAuthenticated(f"The access token must be signed with one of {', '.join(ALGORITHMS)}.")
    if "crit" in header:
        raise NotAuthenticated("The access token asks for extensions that are not known here.")
    return _text(header, "kid"), algorithm


def _check_audience(claims: Mapping[str, Any], audience: Audience) -> None:
    if claims.get("iss") != audience.issuer:
        raise NotAuthenticated("The access token is another issuer's: sign in where this service expects it.")
    named = claims.get("aud")
    if audience.name not in (named if isinstance(named, list) else [named]):
        raise NotAuthenticated(f"The access token is for another service: ask for one with aud {audience.name}.")


def _check_times(claims: Mapping[str, Any], now: datetime) -> None:
    for name in ("iat", "nbf"):
        early = _moment(claims, name) - now.timestamp() if name == "iat" or name in claims else 0
        if early > LEEWAY.total_seconds():
            raise NotAuthenticated(f"The access token is valid only in {_in_words(early)}: check the clock, or wait.")


def _caller(claims: Mapping[str, Any], audience: Audience) -> Caller:
    name = {claim: audience.claims.get(claim, claim) for claim in CLAIM_NAMES}
    scope = claims.get(name["scope"], "")
    if not isinstance(scope, str):
        raise NotAuthenticated(f"The {name['scope']} claim of the access token must be one text, separated by spaces.")
    acr, signed_in_at = claims.get("acr"), claims.get("auth_time")
    # RFC 9068 §2.2 asks for jti; a list of withdrawn tokens names them by it.
    _text(claims, "jti")
    return Caller(
        issuer=audience.issuer,
        subject=_text(claims, "sub"),
        serial=_text(claims, name["serial"], SERIAL, " (1 to 64 of A-Z a-z 0-9 . _ -)"),
        department=_text(claims, name["department"]),
        command=None
        if claims.get(name["command"]) is None
        else _text(claims, name["command"], COMMAND, " (1 to 64 characters)"),
        role=_text(claims, name["role"]),
        scopes=frozenset(scope.split()),
        client_id=_text(claims, "client_id"),
        jkt=_bound_to(claims),
        acr=acr if isinstance(acr, str) else None,
        signed_in_at=None if signed_in_at is None else _moment(claims, "auth_time"),
    )


def _bound_to(claims: Mapping[str, Any]) -> str | None:
    """Return the thumbprint of the key that the token is bound to (RFC 9449 §6.1), None where it is bound to none."""
    bound = claims.get("cnf")
    if bound is None:
        return None
    # RFC 8705 §3 too: a token that is bound in another way must not pass as if it were not.
    jkt = bound.get("jkt") if isinstance(bound, dict) and len(bound) == 1 else None
    if not isinstance(jkt, str) or not THUMBPRINT.fullmatch(jkt):
        raise NotAuthenticated("The access token is bound in a way that is not known here: ask for one with cnf.jkt.")
    return jkt


def _check_served(caller: Caller, audience: Audience) -> None:
    if caller.department not in audience.departments:
        raise NotAllowed("Your department is not served here: use its own service.")
    if caller.role not in ROLES:
        raise NotAllowed(f"Your role is not known here: it must be one of {', '.join(ROLES)}.")


def _text(members: Mapping[str, Any], name: str, form: re.Pattern[str] = PRINTABLE, words: str = "") -> str:
    value = members.get(name)
    if not isinstance(value, str) or len(value) > LONGEST_CLAIM or not form.fullmatch(value):
        raise NotAuthenticated(f"The access token lacks a usable {name}{words}: ask your identity provider for one.")
    return value


def _moment(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise NotAuthenticated(f"The access token lacks a usable {name}: ask your identity provider to add it.")
    return value


def _in_words(seconds: float) -> str:
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{int(seconds)} seconds" if int(seconds) != 1 else "1 second"
