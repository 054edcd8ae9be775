"""Serve the registry: the agencies with their levels and held numbers, the edition with its freshness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verify_service.clock import rfc3339
from verify_service.errors import Unavailable
from verify_service.registry.alert import TOP_LEVEL
from verify_service.registry.check import fresh_until
from verify_service.web import described, replies
from verify_service.web.api import Reply, Routes
from verify_service.web.backend import current_backend

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Response

    from verify_service.caller import Caller
    from verify_service.registry.edition import AgencyState, Edition, SignedFile
    from verify_service.registry.status import RegistryStatus

routes = Routes("registry", "The signed agency registry that claims are checked against.")


@routes.operation("listAgencies", "GET", "/v1/agencies", reply=Reply(200, described.AGENCIES), refusals=(Unavailable,))
def list_agencies(caller: Caller) -> Response:
    """List agencies.

    Each agency's signed profile: its name, enrolment level and held number. No registry, no agencies.
    """
    edition = current_backend().registry.edition(caller.department)
    states = {} if edition is None else edition.agencies
    agencies = [_agency(state) for _, state in sorted(states.items())]
    return replies.plain({"edition": None if edition is None else edition.number, "agencies": agencies})


@routes.operation("getRegistry", "GET", "/v1/registry", reply=Reply(200, described.REGISTRY), refusals=(Unavailable,))
def get_registry(caller: Caller) -> Response:
    """Read the registry's state.

    What has expired, was not taken, and expires next, in words; the edition that answers quote, and until when it, and
    each agency's roster, can be relied on.
    """
    backend = current_backend()
    return replies.plain(_status(backend.registry.status(caller.department, backend.clock.now())))


def _agency(state: AgencyState) -> dict[str, Any]:
    profile = state.profile
    callback = profile.callback
    return {
        "agency": profile.agency,
        "name": profile.name,
        "enrolment_level": profile.level,
        "kinds": list(profile.kinds),
        "formats": dict(profile.formats),
        "held_number": callback
        and {"number": callback.number, "source": callback.source, "tested_on": str(callback.tested_on)},
        "synthetic": profile.synthetic,
    }


def _status(status: RegistryStatus) -> dict[str, Any]:
    edition, at = status.edition, status.at
    files = {} if edition is None else {name: getattr(edition, name) for name in TOP_LEVEL}
    return {
        "edition": None if edition is None else edition.number,
        "synthetic": edition is not None and edition.synthetic,
        "refreshed_at": None if edition is None else rfc3339(edition.refreshed_at),
        "timestamp_age_seconds": None if edition is None else status.age_seconds(edition.refreshed_at),
        "alerts": [alert.document() for alert in status.alerts],
        "last_cycle": status.last and status.last.document(),
        "metadata": {name: _signed(file, at) for name, file in files.items()} or None,
        "agencies": []
        if edition is None
        else [_standing(code, state, edition, status) for code, state in sorted(edition.agencies.items())],
    }


def _standing(code: str, state: AgencyState, edition: Edition, status: RegistryStatus) -> dict[str, Any]:
    setback = status.setbacks.get(code)
    return {
        "agency": code,
        "enrolment_level": state.profile.level,
        "role": state.role and _signed(state.role, status.at),
        "roster": state.roster
        and {
            "sha256": state.roster.sha256,
            "seq": state.roster.seq,
            "issued_at": rfc3339(state.roster.issued_at),
            "age_seconds": status.age_seconds(state.roster.issued_at),
            "coverage": dict(state.roster.coverage),
        },
        "fresh_until": rfc3339(fresh_until(edition, state)),
        "setback": setback and {**setback.document(), "stands": status.stands(setback)},
        "synthetic": state.profile.synthetic,
    }


def _signed(file: SignedFile, now: datetime) -> dict[str, Any]:
    return {
        "version": file.version,
        "sha256": file.sha256,
        "expires": rfc3339(file.expires),
        "expired": file.expires <= now,
    }
