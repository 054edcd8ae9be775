"""Script the encounter: what each agent claims, shows and refuses, and what the officer does about it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from verify_service.clock import SystemClock, parse_rfc3339

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from verify_service.demo.client import Client

INCIDENT = "261124001234"
STALE_AGENCY = "DOJ-DEA"
STALE_SECONDS = 15
SEEN = {"face_covered": True, "plain_clothes": True, "agency_marking_visible": False, "vehicle_marked": False}


@dataclass(frozen=True)
class Scene:
    """One agent's part: what happened in a line, and the last answer."""

    label: str
    happened: str
    answer: dict[str, Any]


@dataclass(frozen=True)
class Street:
    """What the officer and the dispatcher can do."""

    client: Client
    dispatched: list[str] = field(default_factory=list)

    def submit(self, label: str, agency: str, identification: str = "presented", /, **more: Any) -> dict[str, Any]:
        """Submit an agent's claim."""
        body = {
            "incident_number": INCIDENT,
            "agent_label": label,
            "requested_by": "person_subject_to_enforcement",
            "agent": {"claimed_agency": agency, **SEEN},
            "identification": identification,
            **more,
        }
        return self.client.post("officer", "/v1/verifications", body)

    def add(self, answer: dict[str, Any], kind: str, part: str, **facts: Any) -> dict[str, Any]:
        """Add an event to a verification."""
        return self.client.post("officer", f"/v1/verifications/{answer['id']}/events", {"kind": kind, part: facts})

    def _enter(self) -> None:
        """Put the dispatcher on the incident by entering its number, once."""
        if not self.dispatched:
            self.client.post("dispatcher", f"/v1/incidents/{INCIDENT}/events", {"kind": "officer_assigned"})
            self.dispatched.append(INCIDENT)

    def call_back(self, answer: dict[str, Any], result: str) -> dict[str, Any]:
        """Call the agency's held number; where it confirms the person, carry the words from mouth to mouth."""
        if result != "person_confirmed":
            return self.add(answer, "agency_callback", "agency_callback", result=result)
        path = f"/v1/verifications/{answer['id']}"
        self._enter()
        words = self.client.post("dispatcher", f"{path}/callback-word", {})
        # The agency reads the words back to dispatch, passes them to its agent, and the agent says them.
        read_back = {"kind": "callback_word_read_back", "callback_word_read_back": {"word_id": words["word_id"]}}
        self.client.post("dispatcher", f"{path}/events", read_back)
        heard = {"word_id": words["word_id"], "words_heard": words["words"].upper()}
        return self.add(answer, "agency_callback", "agency_callback", result=result, **heard)


def play(client: Client, registry: Path, *, rosters: bool, say: Callable[[str], None]) -> Iterator[Scene]:
    """Play every agent's part in turn."""
    street = Street(client)
    scene = {"kind": "scene_facts", "scene_facts": {"agents_present": 7 if rosters else 4, "place_type": "street"}}
    parts = _with_rosters(street, registry, say) if rosters else _without_rosters(street)
    for number, part in enumerate(parts):
        yield part
        if number == 0:
            client.post("officer", f"/v1/incidents/{INCIDENT}/events", scene)


def _with_rosters(street: Street, registry: Path, say: Callable[[str], None]) -> Iterator[Scene]:
    known = _Known(registry)
    answer = street.submit("Agent 1", "DHS-ICE", identifier=known("DHS-ICE", "badge", "active"))
    answer = street.call_back(answer, "person_confirmed")
    yield Scene("Agent 1", "The agency confirmed this person on its held number, and the words came back.", answer)

    shown = {"result": "matches", "face_seen": True, "credential_number_matches": True}
    answer = street.submit("Agent 2", "DHS-CBP", identifier=known("DHS-CBP", "badge", "active"), photo_credential=shown)
    yield Scene("Agent 2", "Listed; the uncovered face and the number fit the credential.", answer)

    answer = street.submit("Agent 3", "DHS-ICE", identifier=known("DHS-ICE", "credential", "active"))
    yield Scene("Agent 3", "Listed, and nothing more.", answer)

    answer = street.submit("Agent 4", "DHS-ICE", identifier=known("DHS-ICE", "badge", "absent"))
    yield Scene("Agent 4", "A number that the agency's complete roster does not have.", answer)

    answer = street.submit("Agent 5", "DHS-ICE", identifier=known("DHS-ICE", "badge", "suspended"))
    yield Scene("Agent 5", "An entry that the agency lists as not active.", answer)

    yield Scene("Agent 6", "Asked to identify, and declined.", street.submit("Agent 6", "none_stated", "declined"))

    _wait_until_stale(street.client, say)
    answer = street.submit("Agent 7", STALE_AGENCY, identifier=known(STALE_AGENCY, "badge", "active"))
    yield Scene("Agent 7", "The agency's roster went out of date meanwhile.", answer)


def _without_rosters(street: Street) -> Iterator[Scene]:
    agencies = json.loads(street.client.get("officer", "/v1/agencies"))["agencies"]
    callable_ones = [agency["agency"] for agency in agencies if agency["held_number"]]
    silent = next(agency["agency"] for agency in agencies if not agency["held_number"])
    shown = {"identifier": {"kind": "badge", "value": "B 12345"}}

    answer = street.call_back(street.submit("Agent 1", callable_ones[0], **shown), "person_confirmed")
    yield Scene("Agent 1", "The agency confirmed this person on its held number, and the words came back.", answer)

    answer = street.call_back(street.submit("Agent 2", callable_ones[1], **shown), "operation_confirmed")
    yield Scene("Agent 2", "The agency confirmed an operation here, not the person.", answer)

    answer = street.call_back(street.submit("Agent 3", callable_ones[2], **shown), "unreachable")
    yield Scene("Agent 3", "Nobody answered on the held number.", answer)

    answer = street.call_back(street.submit("Agent 4", silent, **shown), "not_possible")
    yield Scene("Agent 4", "The agency has no held number.", answer)


class _Known:
    """The synthetic registry's known identifiers, by agency, kind and status."""

    def __init__(self, registry: Path) -> None:
        document = json.loads((registry / "known-identifiers.json").read_text("utf-8"))
        self._identifiers = document["identifiers"]

    def __call__(self, agency: str, kind: str, status: str) -> dict[str, str]:
        wanted = (agency, kind, status)
        for known in self._identifiers:
            if (known["agency"], known["kind"], known["status"]) == wanted:
                return {"kind": kind, "value": known["value"]}
        raise LookupError(f"the synthetic registry names no {wanted}")


def _wait_until_stale(client: Client, say: Callable[[str], None]) -> None:
    agencies = json.loads(client.get("officer", "/v1/registry"))["agencies"]
    role = next(agency["role"] for agency in agencies if agency["agency"] == STALE_AGENCY)
    left = (parse_rfc3339(role["expires"]) - SystemClock().now()).total_seconds()
    if left > 0:
        say(f"Waiting {left:.0f} s until the roster of {STALE_AGENCY} goes out of date …")
        time.sleep(left + 0.1)
