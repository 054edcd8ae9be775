"""Call the service over HTTP as the people of the scene do, each with a token of their own."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any

from verify_service.clock import SystemClock, uuid7
from verify_service.errors import ServiceError
from verify_service.log_keeping import random_bytes
from verify_service.wiring import Service

if TYPE_CHECKING:
    from verify_service.settings import Settings

TIMEOUT_SECONDS = 10


class Refused(ServiceError):
    """The service answered with a problem; its words say which."""

    code = "demo_refused"
    title = "The service refused the demo's request"


class Client:
    """An officer, a dispatcher and a supervisor, each with an access token of the development issuer."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._tokens: dict[str, str] = {}

    def post(self, role: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send a recording request with a fresh Idempotency-Key and return the answer."""
        key = uuid7(self._clock.now(), random_bytes)
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        answer: dict[str, Any] = json.loads(self._call(role, "POST", path, json.dumps(body), headers))
        return answer

    def get(self, role: str, path: str) -> bytes:
        """Return the exact bytes at a path."""
        return self._call(role, "GET", path, None, {})

    def _call(self, role: str, method: str, path: str, body: str | None, headers: dict[str, str]) -> bytes:
        headers = {**headers, "Authorization": f"Bearer {self._token(role)}"}
        connection = http.client.HTTPConnection(*self._settings.bind, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status >= http.client.BAD_REQUEST:
            raise Refused(f"{method} {path}: {answer.status} {content.decode(errors='replace')}")
        return content

    def _token(self, role: str) -> str:
        if role not in self._tokens:
            self._tokens[role] = Service(self._settings).token(role)
        return self._tokens[role]
