"""Turn what a request shows of its sender into a caller."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_service.errors import NotAuthenticated
from verify_service.web.access_token import Audience, Verified, verify
from verify_service.web.dpop import Binding, Nonces, Shown, check_proof

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from verify_service.access.deny import DenyList
    from verify_service.caller import Caller
    from verify_service.clock import Clock
    from verify_service.record_log.append import SpentProof
    from verify_service.web.issuer_keys import IssuerKeys
    from verify_service.web.spent_proofs import SpentProofs

# About one kilobyte each.
MOST_REMEMBERED = 4096
WITH_PROOF = "Send an access token in the header Authorization: DPoP …, and a proof in the header DPoP."
WITHOUT_PROOF = "Send an access token in the header Authorization: Bearer …, or DPoP … with a proof in the header DPoP."


@dataclass(frozen=True)
class Admitted:
    """Who sent a request; the proof it came with, which is not spent yet, and the nonce its next one should quote."""

    caller: Caller
    proof: SpentProof | None = None
    nonce: str | None = None


class Authenticator:
    """Verifies access tokens and the DPoP proofs they come with, and remembers the tokens it verified until they end.

    A remembered token is still refused once it has ended, or once the issuer no longer publishes its key.
    """

    def __init__(
        self,
        audience: Audience,
        keys: IssuerKeys,
        nonces: Nonces,
        spent: Mapping[str, SpentProofs],
        denied: Mapping[str, DenyList],
        clock: Clock,
        remember: int = MOST_REMEMBERED,
    ) -> None:
        self._audience = audience
        self._keys = keys
        self._nonces = nonces
        self._spent = spent
        self._denied = denied
        self._clock = clock
        self._remember = remember
        self._verified: OrderedDict[bytes, Verified] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def bearer(self) -> bool:
        """Whether a token that is bound to no key is taken."""
        return self._audience.bearer

    def admit(self, shown: Shown) -> Admitted:
        """Return who sent a request.

        Raises NotAuthenticated, NotAllowed for a department or role that is not served here, and Unavailable
        where the issuer's keys or the deny list are not known.
        """
        scheme, _, token = (shown.authorization or "").partition(" ")
        scheme, token = scheme.lower(), token.strip()
        if not token or (scheme != "dpop" and not (scheme == "bearer" and self.bearer)):
            raise NotAuthenticated(WITHOUT_PROOF if self.bearer else WITH_PROOF, error=None)
        now = self._clock.now()
        caller = self._verify(token, now).caller
        self._denied[caller.department].check(caller, now)
        if scheme == "bearer":
            if caller.jkt is not None:
                raise NotAuthenticated(
                    "The access token is bound to a key: send it as Authorization: DPoP …, with a proof in DPoP."
                )
            return Admitted(caller)
        if caller.jkt is None:
            raise NotAuthenticated("The access token is bound to no key: ask your identity provider for one by DPoP.")
        proof, nonce = check_proof(shown, Binding(token, caller.jkt, caller.department), self._nonces, now)
        self._spent[caller.department].forget(now)
        return Admitted(caller, proof, nonce)

    def spend(self, admitted: Admitted) -> None:
        """Use up the proof that a request came with, where it came with one; raise NotAuthenticated where it was."""
        if admitted.proof is not None:
            self._spent[admitted.caller.department].spend(admitted.proof)

    def check_ready(self) -> None:
        """Raise Unavailable unless tokens can be verified now."""
        self._keys.check()

    def _verify(self, token: str, now: datetime) -> Verified:
        # The token itself is not kept: whoever reads this memory should find nothing to sign in with.
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        verified = self._recall(digest)
        if verified is not None and self._keys.holds(verified.key):
            verified.check_still_valid(now)
            return verified
        verified = verify(token, self._audience, self._keys.find, now)
        self._keep(digest, verified)
        return verified

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
