"""Write the page on top of an export, which a person reads and prints."""

from __future__ import annotations

from html import escape
from importlib.resources import files
from string import Template
from typing import TYPE_CHECKING, Any

from verify_service.clock import parse_rfc3339
from verify_service.verification.checklist import checklist
from verify_service.verification.event import said
from verify_service.verification.texts import texts

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from verify_service.verification.case import Case

FORMS = {
    "evidence": "Evidence of one verification",
    "discovery": "One verification, for discovery",
    "public-records": "Public record of one verification",
}


def cover(
    case: Case, incident_number: str | None, events: Iterable[dict[str, Any]], form: str, at: datetime, zone: ZoneInfo
) -> bytes:
    """Return the page as HTML of its own; ``events`` have ``name``, ``kind`` and ``received_at``."""
    rows = "\n".join(
        f"<tr><td>{escape(event['name'])}</td><td>{escape(event['kind'].replace('_', ' '))}</td>"
        f"<td>{_moment(parse_rfc3339(event['received_at']), zone)}</td></tr>"
        for event in events
    )
    page = Template(files(__package__).joinpath("texts", "cover.html").read_text("utf-8"))
    return page.substitute(
        title=FORMS[form],
        outcome=escape(texts()[f"outcome_{case.outcome}"].capitalize()),
        explanation=escape(case.explanation),
        agency=escape(case.agency),
        label=escape(said(case.submitted, "observed")["agent_label"]),
        incident=escape(incident_number or "none yet"),
        opened=_moment(parse_rfc3339(case.opened_at), zone),
        verification=escape(case.id),
        made=_moment(at, zone),
        approval=escape(checklist().approval),
        events=rows,
    ).encode()


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}"
