"""Turn the Authorization header of a request into a caller."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from verify_service.errors import NotAuthenticated
from verify_service.web.access_token import Audience, Verified, verify

if TYPE_CHECKING:
    from verify_service.caller import Caller
    from verify_service.clock import Clock
    from verify_service.web.issuer_keys import IssuerKeys

# About one kilobyte each.
MOST_REMEMBERED = 4096


class Authenticator:
    """Verifies bearer tokens (RFC 6750), and remembers the ones it verified until they end.

    A remembered token is still refused once it has ended, or once the issuer no longer publishes its key.
    """

    def __init__(self, audience: Audience, keys: IssuerKeys, clock: Clock, remember: int = MOST_REMEMBERED) -> None:
        self._audience = audience
        self._keys = keys
        self._clock = clock
        self._remember = remember
        self._verified: OrderedDict[bytes, Verified] = OrderedDict()
        self._lock = threading.Lock()

    def caller(self, authorization: str | None) -> Caller:
        """Return who sent an Authorization header.

        Raises NotAuthenticated, NotAllowed for a department or role that is not served here, and Unavailable
        where the issuer's keys are not known.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise NotAuthenticated("Send an access token in the header Authorization: Bearer ….", error=None)
        token = token.strip()
        # The token itself is not kept: whoever reads this memory should find nothing to sign in with.
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        now = self._clock.now()
        verified = self._recall(digest)
        if verified is not None and self._keys.holds(verified.key):
            verified.check_still_valid(now)
        else:
            verified = verify(token, self._audience, self._keys.find, now)
            self._keep(digest, verified)
        return verified.caller

    def check_ready(self) -> None:
        """Raise Unavailable unless tokens can be verified now."""
        self._keys.check()

    def _recall(self, digest: bytes) -> Verified | None:
        with self._lock:
            verified = self._verified.get(digest)
            if verified is not None:
                self._verified.move_to_end(digest)
            return verified

    def _keep(self, digest: bytes, verified: Verified) -> None:
        with self._lock:
            self._verified[digest] = verified
            if len(self._verified) > self._remember:
                self._verified.popitem(last=False)
