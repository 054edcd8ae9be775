"""Let through to an operation only whom the policy lets, and write down whom it does not."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

from flask import Response, after_this_request, request
from werkzeug.exceptions import HTTPException

from verify_service.access import policy
from verify_service.access.event import LONGEST_OBJECT
from verify_service.errors import Expunged, NotAllowed, NotAuthenticated, NotFound, ServiceError, Unavailable
from verify_service.web.arguments import document
from verify_service.web.backend import current_backend
from verify_service.web.client_address import client_address
from verify_service.web.dpop import Shown
from verify_service.web.idempotency import HEADER, retry_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from verify_service.access.policy import Rule
    from verify_service.caller import Caller
    from verify_service.web.auth import Admitted
    from verify_service.web.backend import Backend


@dataclass(frozen=True)
class Gate:
    """Stands before one operation: nothing that was sent is read before its caller is let in."""

    operation: str
    keyed: bool = False
    body: bool = False
    step_up: bool = False

    def before(self, view: Callable[..., Any]) -> Callable[..., Any]:
        """Return the view with the gate before it; a public operation needs none."""
        if policy.rule(self.operation).public:
            return view

        @wraps(view)
        def let_in(**parts: Any) -> Any:
            backend = current_backend()
            admitted = self._admit(backend)
            try:
                return self._answer(backend, admitted, view, parts)
            except (NotAuthenticated, NotAllowed, NotFound, Expunged) as refusal:
                about = _named_object(policy.rule(self.operation), request.view_args)
                backend.refusals.refused(admitted.caller, self.operation, about, refusal.code, client_address())
                raise

        return let_in

    def _admit(self, backend: Backend) -> Admitted:
        try:
            admitted = backend.authenticator.admit(_shown(backend))
        except (NotAuthenticated, NotAllowed):
            backend.refusals.unknown(self.operation)
            raise
        if admitted.nonce is not None:
            after_this_request(partial(_with_nonce, admitted.nonce))
        return admitted

    def _answer(self, backend: Backend, admitted: Admitted, view: Callable[..., Any], parts: Mapping[str, Any]) -> Any:
        if not self.keyed:
            backend.authenticator.spend(admitted)
            self._check(backend, admitted.caller)
            return view(caller=admitted.caller, **parts)
        try:
            self._check(backend, admitted.caller)
            sent = document(request) if self.body else None
            header = request.headers.get(HEADER)
            key = retry_key(backend.vault, admitted.caller, self.operation, request.path, header, sent)
            return view(caller=admitted.caller, key=replace(key, spends=admitted.proof), **parts)
        except (ServiceError, HTTPException) as refusal:
            # What was refused before it came to the log has not spent its proof there; spent twice is no harm. Whether
            # something was recorded is for the first error to say.
            if not isinstance(refusal, Unavailable):
                with suppress(ServiceError):
                    backend.authenticator.spend(admitted)
            raise

    def _check(self, backend: Backend, caller: Caller) -> None:
        policy.check(self.operation, caller)
        if self.step_up:
            backend.step_up.check(caller, backend.clock.now())


def _named_object(rule: Rule, parts: Mapping[str, Any] | None) -> str | None:
    """Return the object that an address names, by the first of its parts, as access events name it."""
    if rule.of is None or not parts:
        return None
    return f"{rule.of.name}:{next(iter(parts.values()))}"[:LONGEST_OBJECT]


def _shown(backend: Backend) -> Shown:
    """Return what the request shows of its sender; its address is the one that the operator gave the service."""
    headers = request.headers
    return Shown(
        headers.get("Authorization"), headers.get("DPoP"), request.method, f"{backend.public_url}{request.path}"
    )


def _with_nonce(nonce: str, response: Response) -> Response:
    response.headers["DPoP-Nonce"] = nonce
    return response
