"""Write answers as JSON: once, as the bytes that a retry gets again, with the checklist joined from ready pieces."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson
from flask import Response

from verify_service.clock import rfc3339
from verify_service.verification.callback import WORDS_LAST
from verify_service.verification.checklist import checklist
from verify_service.verification.event import said

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from verify_service.access.reading import EventPlace
    from verify_service.record_log.append import Appended, Placed
    from verify_service.verification.answer import Answer
    from verify_service.verification.case import Case
    from verify_service.verification.desk import IssuedWords
    from verify_service.verification.incident import Incident

JSON = "application/json"
SAY = (
    "This is {department} dispatch. Someone at a scene says they are your agent. I give you two words: read "
    "them back to me, then pass them to your agent, who says them to our officer. The words hold for five minutes."
)


def verification_url(verification: str) -> str:
    """Return the path of a verification."""
    return f"/v1/verifications/{verification}"


def incident_url(incident: str) -> str:
    """Return the path of an incident by its id."""
    return f"/v1/incidents/{incident}"


def requester_urls(code: str) -> dict[str, str]:
    """Return the paths of the requester's page and of its address as a QR code."""
    return {"requester_receipt": f"/r/{code}", "requester_receipt_qr": f"/r/{code}/qr"}


def verification_document(answer: Answer, events: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a verification as callers see it, without its checklist."""
    case = answer.case
    observed, told = said(case.submitted, "observed"), said(case.submitted, "told_by_agent")
    return {
        "id": case.id,
        "incident": {"id": answer.incident.id, "number": answer.incident.number},
        "agent_label": observed["agent_label"],
        "claimed_agency": told["claimed_agency"],
        "home_agency": told["home_agency"],
        "identification": observed["identification"],
        "outcome": case.outcome,
        "computed_outcome": answer.computed.outcome,
        "explanation": case.explanation,
        "next_steps": list(case.next_steps),
        "registry_checks": [dict(check) for check in case.checks],
        "events": list(events),
        "opened_at": case.opened_at,
        "released": case.released == case.outcome,
        "synthetic": case.synthetic,
    }


def summary(case: Case) -> dict[str, Any]:
    """Return a verification as one line of a list."""
    return {
        "id": case.id,
        "incident_id": case.incident,
        "agent_label": said(case.submitted, "observed")["agent_label"],
        "claimed_agency": case.agency,
        "identification": case.identification,
        "outcome": case.outcome,
        "explanation": case.explanation,
        "opened_at": case.opened_at,
        "synthetic": case.synthetic,
    }


def incident_document(incident: Incident, events: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return an incident as callers see it, without its agents and checklist."""
    return {
        "id": incident.id,
        "number": incident.number,
        "opened_at": incident.opened_at,
        "assigned": list(incident.assigned),
        "scene": dict(incident.scene),
        "supervisor_requested_at": incident.supervisor_requested_at,
        "supervisor_arrived_at": incident.supervisor_arrived_at,
        "events": list(events),
    }


def placed_events(url: str, origin: str, placed: Iterable[Placed]) -> list[dict[str, Any]]:
    """Return where the records that a request appended can be had."""
    return [_event(url, origin, p.logged.seq or 0, p.logged.kind, p.index) for p in placed if hasattr(p.logged, "kind")]


def standing_events(url: str, origins: Mapping[str, str], places: Iterable[EventPlace]) -> list[dict[str, Any]]:
    """Return where every event of a subject can be had."""
    return [_event(url, origins[place.log], place.seq, place.kind, place.index) for place in places]


def words_document(issued: IssuedWords, department: str) -> dict[str, Any]:
    """Return what a dispatcher is told of words that were issued."""
    return {
        "word_id": issued.word_id,
        "words": issued.phrase,
        "agency": issued.agency,
        "held_number": {
            "number": issued.callback.number,
            "source": issued.callback.source,
            "tested_on": issued.callback.tested_on,
            "outdated_since": issued.outdated_since and rfc3339(issued.outdated_since),
        },
        "valid_seconds": int(WORDS_LAST.total_seconds()),
        "say": SAY.format(department=department),
    }


def kept(location: str, document: Mapping[str, Any], applying: Iterable[str], answers: Mapping[str, Any]) -> bytes:
    """Write a reply as it is kept: its Location, what joins the checklist to it, and its body without that."""
    return b"\n".join((location.encode(), _joins(applying, answers), orjson.dumps(document)))


def created(appended: Appended) -> Response:
    """Return the 201 of a kept reply, the same bytes every time."""
    location, joins, document = appended.reply.split(b"\n", 2)
    return Response(_joined(document, joins), 201, {"Location": location.decode()}, content_type=JSON)


def read(document: Mapping[str, Any], applying: Iterable[str], answers: Mapping[str, Any], etag: str) -> Response:
    """Return the 200 of something read, with its version as entity tag."""
    body = _joined(orjson.dumps(document), _joins(applying, answers))
    return Response(body, 200, {"ETag": f'"{etag}"'}, content_type=JSON)


def plain(document: Mapping[str, Any], status: int = 200) -> Response:
    """Return a document that needs nothing joined."""
    return Response(orjson.dumps(document), status, content_type=JSON)


def _joins(applying: Iterable[str], answers: Mapping[str, Any]) -> bytes:
    """Write what the checklist is joined by: its version, what applies and what was answered."""
    return orjson.dumps({"version": checklist().version, "applies": sorted(applying), "answers": answers})


def _joined(document: bytes, joins: bytes) -> bytes:
    return b'%b,"checklist":%b}' % (document[:-1], _attached(joins))


@lru_cache(maxsize=1024)
def _attached(joins: bytes) -> bytes:
    """Return the checklist's JSON; agents of one scene mostly get the same."""
    known = orjson.loads(joins)
    return checklist(known["version"]).attached(frozenset(known["applies"]), known["answers"]).encode()


def _event(url: str, origin: str, seq: int, kind: str, index: int) -> dict[str, Any]:
    place = f"{url}/events/{seq}"
    return {
        "seq": seq,
        "kind": kind,
        "log": {"origin": origin, "index": index},
        "record": f"{place}/record",
        "receipt": f"{place}/receipt",
    }
