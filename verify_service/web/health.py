"""Tell operators whether the process lives, and whether it should be sent requests."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from verify_service.errors import ServiceError
from verify_service.web.api import Reply, Routes
from verify_service.web.backend import current_backend
from verify_service.web.fields import Document, Flag, Many, Part, Text
from verify_service.web.problems import Kind, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response

logger = logging.getLogger(__name__)

NOT_READY = Kind("not_ready", "The service is not ready", 503, ("Retry-After",))
RETRY_AFTER = "5"

routes = Routes("health", "Whether the service lives and is ready.")


class Life(Document):
    """The answer of a living process."""

    alive = Flag(required=True)


class Check(Document):
    """One thing that must work."""

    name = Text(60, required=True)
    ready = Flag(required=True)
    reason = Text(500, allow_none=True, required=True, metadata={"description": "What is wrong, null where nothing."})


class Readiness(Document):
    """Everything that must work."""

    ready = Flag(required=True)
    checks = Many(Part(Check()), most=50, required=True)


@routes.operation("getHealth", "GET", "/healthz", reply=Reply(200, Life(), examples={"alive": {"alive": True}}))
def health() -> dict[str, Any]:
    """Tell whether the process lives.

    Nothing else is asked: a process must not be restarted because its database is down.
    """
    return {"alive": True}


@routes.operation(
    "getReadiness",
    "GET",
    "/readyz",
    reply=Reply(
        200,
        Readiness(),
        examples={"ready": {"ready": True, "checks": [{"name": "database", "ready": True, "reason": None}]}},
    ),
    refusals=[NOT_READY],
)
def readiness() -> dict[str, Any] | Response:
    """Tell whether the service should be sent requests, and what keeps it from it.

    While it should not, the answer is a 503 problem document of type `not_ready` with the same `checks`.
    """
    checks = [_check(name, check) for name, check in current_backend().readiness.items()]
    failed = [check["name"] for check in checks if not check["ready"]]
    if not failed:
        return {"ready": True, "checks": checks}
    detail = f"Not ready: {', '.join(failed)}. The diagnostics say why."
    return Problem(NOT_READY, detail, {"Retry-After": RETRY_AFTER}, {"checks": checks}).response()


def _check(name: str, check: Callable[[], None]) -> dict[str, Any]:
    try:
        check()
    except ServiceError as error:
        logger.warning("Not ready, %s: %s", name, error.diagnosis)
        return {"name": name, "ready": False, "reason": error.title}
    except Exception as error:  # noqa: BLE001 - A check that breaks is a check that fails.
        logger.error("The readiness check %s broke: %s", name, type(error).__name__)  # noqa: TRY400 - No message: it may quote a secret.
        return {"name": name, "ready": False, "reason": "The check itself failed"}
    return {"name": name, "ready": True, "reason": None}
