"""Name some identifiers of a synthetic registry in clear, for demonstrations and tests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from verify_service.registry.roster import COMPLETE
from verify_service.registry.synthetic_entries import ENDED, SAMPLES, SHARED_PLACE, absent_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from random import Random

    from verify_service.registry.roster import RosterEntry
    from verify_service.registry.synthetic_agency import SyntheticAgency

VERSION = "known-identifiers/v1"
ABSENT, EXPIRED = "absent", "expired"


def known_identifiers(
    agency: SyntheticAgency, entries: Sequence[RosterEntry], shared_badge: str | None, source: Random
) -> list[dict[str, Any]]:
    """Return, for each kind of an agency, its sample entries and a value that its complete roster does not have."""
    known = []
    for kind, coverage in agency.coverage.items():
        values = [entry.identifier.value for entry in entries if entry.identifier.kind == kind]
        for place, ((status, span), value) in enumerate(zip(SAMPLES, values, strict=False)):
            shared = kind == "badge" and value == shared_badge
            # An op_code has no dates, so none of them ever ends.
            ended = span == ENDED and kind != "op_code"
            if place < SHARED_PLACE or shared:
                known.append(_row(agency, kind, value, EXPIRED if ended else status, shared=shared))
        if coverage == COMPLETE:
            known.append(_row(agency, kind, absent_value(kind, agency.badge_digits, set(values), source), ABSENT))
    return known


def known_identifiers_file(known: Iterable[dict[str, Any]]) -> bytes:
    """Write the plain file, one identifier a line, since people read it."""
    rows = ",\n".join(json.dumps(row) for row in known)
    return f'{{"v": "{VERSION}", "synthetic": true, "identifiers": [\n{rows}\n]}}\n'.encode()


def _row(agency: SyntheticAgency, kind: str, value: str, status: str, *, shared: bool = False) -> dict[str, Any]:
    note = {
        ABSENT: "synthetic; not in this roster, which is complete for its kind",
        EXPIRED: "synthetic; listed active, but its time has run out",
    }.get(status, "synthetic; the same number is active at another agency" if shared else "synthetic")
    return {"agency": agency.profile.agency, "kind": kind, "value": value, "status": status, "note": note}
