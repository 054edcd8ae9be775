"""Keep the signing keys of the OIDC issuer at hand, so that neither its outage nor its slowness stops the service."""

from __future__ import annotations

import logging
import threading
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import jwt

from verify_service import __version__
from verify_service.errors import ServiceError, Unavailable
from verify_service.loopback import is_loopback, is_safe_url
from verify_service.signing import canonical_bytes, sha256_hex
from verify_service.web.json_body import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from verify_service.clock import Clock

logger = logging.getLogger(__name__)

# Algorithm → key type and curve (RFC 7518, RFC 8037). No shared secret and no "none" can enter here.
ALGORITHMS: Mapping[str, tuple[str, str | None]] = {
    "ES256": ("EC", "P-256"),
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
    "EdDSA": ("OKP", "Ed25519"),
}
SMALLEST_RSA_BITS = 2048

FRESH_FOR = timedelta(minutes=5)
# A key that the issuer withdrew is refused after this, even while the issuer cannot be asked.
STALE_FOR = timedelta(hours=24)
PAUSE = timedelta(seconds=10)
UNKNOWN_KEY_PAUSE = timedelta(seconds=30)
# Two requests are made in turn, so that a caller who must wait for them waits three seconds at most.
TIMEOUT_SECONDS = 1.5
# How long others wait for a caller who is fetching already, before they are told to come back.
OTHERS_WAIT_SECONDS = 0.25
LARGEST_ANSWER = 256 * 1024


@dataclass(frozen=True)
class IssuerKey:
    """A public key for one algorithm; ``fingerprint`` recognises it when the issuer's keys are read again."""

    public: Any
    fingerprint: str


@dataclass(frozen=True)
class _Known:
    keys: Mapping[tuple[str, str], IssuerKey]
    fingerprints: frozenset[str]
    at: datetime


def in_background(work: Callable[[], None]) -> None:
    """Do some work in a thread that does not keep the process alive."""
    threading.Thread(target=work, name="issuer-keys", daemon=True).start()


class IssuerKeys:
    """The keys of one issuer by OpenID Connect Discovery 1.0 and its JWK set (RFC 7517).

    They are fetched when first needed, and refreshed in the background every ``FRESH_FOR``; while the issuer is down,
    the last ones serve for ``stale_for``. ``fetch`` gets a URL; ``start`` runs a refresh aside.
    """

    def __init__(
        self,
        issuer: str,
        clock: Clock,
        *,
        stale_for: timedelta = STALE_FOR,
        fetch: Callable[[str], bytes] | None = None,
        start: Callable[[Callable[[], None]], None] = in_background,
    ) -> None:
        self._issuer = issuer
        self._clock = clock
        self._stale_for = stale_for
        self._fetch = fetch or fetch_url
        self._start = start
        self._fetching = threading.Lock()
        self._known: _Known | None = None
        self._tried_at: datetime | None = None
        self._sought_unknown_at: datetime | None = None
        # Ids that the issuer was asked for lately and does not publish.
        self._absent: dict[tuple[str, str], datetime] = {}

    def find(self, key_id: str, algorithm: str) -> IssuerKey | None:
        """Return a key by its id and algorithm, None where the issuer does not publish it.

        An id that is not known asks the issuer again, but not more often than every ``UNKNOWN_KEY_PAUSE``,
        since anybody can invent ids. Raises Unavailable where no keys are known or only ones that are too old, and
        where the id was not asked for yet: it may be a new key's, so a good token must not be called a bad one.
        """
        wanted = key_id, algorithm
        key = self._current().keys.get(wanted)
        if key is None and self._elapsed(self._sought_unknown_at, UNKNOWN_KEY_PAUSE):
            before, self._sought_unknown_at = self._known, self._clock.now()
            self._refresh_in_turn(due=True)
            known = self._current()
            key = known.keys.get(wanted)
            self._absent = {one: at for one, at in self._absent.items() if not self._elapsed(at, FRESH_FOR)}
            # An issuer that did not answer has not said that it is no key of its.
            if key is None and known is not before:
                self._absent[wanted] = known.at
        if key is None and wanted not in self._absent:
            raise Unavailable("The key that signed the access token is not known yet: send the request again.")
        return key

    def holds(self, key: IssuerKey) -> bool:
        """Say whether the issuer still publishes a key; raise Unavailable as ``find`` does."""
        return key.fingerprint in self._current().fingerprints

    def check(self) -> None:
        """Raise Unavailable unless tokens can be verified now."""
        self._current()

    def keep_fresh(self, sleep: Callable[[float], None]) -> None:
        """Fetch the keys now and every ``FRESH_FOR``, for ever: an outage then finds every worker with fresh ones."""
        while True:
            with suppress(Unavailable):
                self._current()
            sleep(FRESH_FOR.total_seconds())

    def _current(self) -> _Known:
        known = self._known
        due = self._elapsed(self._tried_at, PAUSE)
        if known is None or self._elapsed(known.at, self._stale_for):
            self._refresh_in_turn(due=due)
            known = self._known
        elif due and self._elapsed(known.at, FRESH_FOR):
            self._start(lambda: self._refresh_in_turn(due=True))
        if known is None or self._elapsed(known.at, self._stale_for):
            raise Unavailable("The identity provider cannot be asked for its keys, so nobody can be signed in now.")
        return known

    def _elapsed(self, since: datetime | None, span: timedelta) -> bool:
        return since is None or self._clock.now() - since >= span

    def _refresh_in_turn(self, *, due: bool) -> None:
        """Refresh if that is due, or wait a little for whoever does so already."""
        if due and self._fetching.acquire(blocking=False):
            try:
                self._refresh()
            finally:
                self._fetching.release()
        elif self._fetching.acquire(timeout=OTHERS_WAIT_SECONDS):
            self._fetching.release()

    def _refresh(self) -> None:
        self._tried_at = now = self._clock.now()
        try:
            keys = self._read()
        except (OSError, HTTPException, ValueError, ServiceError) as error:
            # The words of the error may quote what the issuer sent.
            logger.warning("The keys of %s could not be read: %s", self._issuer, type(error).__name__)
        else:
            self._known = _Known(keys, frozenset(key.fingerprint for key in keys.values()), now)

    def _read(self) -> dict[tuple[str, str], IssuerKey]:
        configuration = parse(self._fetch(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"))
        # OpenID Connect Discovery 1.0 §4.3: another issuer's document must not be taken for this one's.
        if not isinstance(configuration, dict) or configuration.get("issuer") != self._issuer:
            raise ValueError("The discovery document is another issuer's.")
        address = configuration.get("jwks_uri")
        if not isinstance(address, str) or not is_safe_url(address):
            raise ValueError("The discovery document has no safe jwks_uri.")
        published = parse(self._fetch(address))
        keys = dict(pair for jwk in published["keys"] for pair in _usable(jwk)) if _is_set(published) else {}
        if not keys:
            raise ValueError("The JWK set has no key that can be used.")
        return keys


def _is_set(published: Any) -> bool:
    return isinstance(published, dict) and isinstance(published.get("keys"), list)


def _usable(jwk: Any) -> list[tuple[tuple[str, str], IssuerKey]]:
    """Return a published key once for each algorithm it may verify, none for what is not ours to use."""
    if not isinstance(jwk, dict) or not isinstance(jwk.get("kid"), str) or jwk.get("use", "sig") != "sig" or "d" in jwk:
        return []
    usable = []
    for algorithm, (key_type, curve) in ALGORITHMS.items():
        if jwk.get("kty") != key_type or jwk.get("alg", algorithm) != algorithm or jwk.get("crv") != curve:
            continue
        try:
            public = jwt.PyJWK(jwk, algorithm).key
        except (jwt.PyJWTError, LookupError, TypeError, ValueError):
            # One key that we cannot read must not cost us the others.
            continue
        if key_type != "RSA" or public.key_size >= SMALLEST_RSA_BITS:
            usable.append(((jwk["kid"], algorithm), IssuerKey(public, sha256_hex(canonical_bytes([algorithm, jwk])))))
    return usable


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Follow nothing: a redirect could lead from https to anywhere."""


def fetch_url(url: str) -> bytes:
    """GET a document of the issuer; raise OSError where it is not there, too slow, or too large."""
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    if is_loopback(urlsplit(url).hostname or ""):
        # A proxy for the outside world cannot reach this machine's own addresses.
        handlers.append(urllib.request.ProxyHandler({}))
    headers = {"Accept": "application/json", "User-Agent": f"verify-service/{__version__}"}
    asked = urllib.request.Request(url, headers=headers)  # noqa: S310 - Settings and is_safe_url allow no other scheme.
    with urllib.request.build_opener(*handlers).open(asked, timeout=TIMEOUT_SECONDS) as answer:
        content: bytes = answer.read(LARGEST_ANSWER + 1)
    if len(content) > LARGEST_ANSWER:
        raise OSError(f"{url} is larger than {LARGEST_ANSWER} bytes.")
    return content
