"""Compose what a submission appends: the incident if it is new, the agent's case, the requester's statement."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from verify_service.clock import uuid7
from verify_service.record_log.append import Composition, Draft
from verify_service.verification.answer import answered, settled
from verify_service.verification.event import body, event
from verify_service.verification.fact import photo_body
from verify_service.verification.incident import incident_followed, incident_opened
from verify_service.verification.sealing import SealedFields
from verify_service.verification.statement import new_link, stated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from verify_service.record_log.append import Link, Placed
    from verify_service.record_log.log import Subject
    from verify_service.record_log.record import Record
    from verify_service.verification.answer import Render, Settled
    from verify_service.verification.claim import Claim, GivenIdentifier
    from verify_service.verification.event import Reporter
    from verify_service.verification.incident import Incident


@dataclass(frozen=True)
class SearchKey:
    """A verification's identifier as its blind index, so that it can be found without lying in clear."""

    verification: str
    index: bytes
    ref: None = None
    alias: None = None


@dataclass(frozen=True)
class Checked:
    """What the registry said about a claim, before anything is recorded.

    ``given`` is the identifier as typed, ``canonical`` as it was looked up, ``search_key`` its blind index; ``checks``
    are JSON-ready registry checks, ``tags`` the tag asked of each agency; ``held_numbers`` the agencies that can be
    called.
    """

    given: GivenIdentifier | None

    checks: tuple[Mapping[str, Any], ...]
    tags: Mapping[str, Any]
    canonical: str | None
    search_key: bytes | None
    held_numbers: tuple[str, ...]
    checked_at: str

    def identifier(self, sealed: SealedFields) -> dict[str, Any] | None:
        """Return the identifier as a body holds it: its kind in clear, its values as digests."""
        if self.given is None:
            return None
        return {
            "kind": self.given.kind,
            "typed": sealed.seal(self.given.value),
            "canonical": sealed.seal(self.canonical),
        }

    def computed(self, sealed: SealedFields) -> dict[str, Any]:
        """Return what a body holds of the registry's answer."""
        return {
            "checks": list(self.checks),
            "tags": sealed.seal(self.tags or None),
            "held_numbers": list(self.held_numbers),
        }


@dataclass(frozen=True)
class Submission:
    """One claim, checked and ready to be recorded."""

    claim: Claim
    by: Reporter
    checked: Checked
    zone: ZoneInfo
    random_bytes: Callable[[int], bytes]
    render: Render
    id: str
    incident_name: str

    def compose(self, subjects: Mapping[str, Subject]) -> Composition:
        """Return the records of this submission on top of the incident as it stands."""
        subject = subjects[self.incident_name]
        incident, scene = self._on_scene(subject)
        final, records = self._case(incident)
        case = final.case
        link, code = new_link(self.id, self.random_bytes)
        link, statement = stated(case, link, self.by.caller.department, case.opened_at)

        told = answered(case, final.facts, final.computed, incident)

        def reply(placed: Sequence[Placed], _: Mapping[str, Subject]) -> bytes:
            return self.render(told.of(placed, code))

        links: list[Link] = [link]
        if self.checked.search_key is not None:
            links.append(SearchKey(self.id, self.checked.search_key))
        return Composition((*scene, *records, *statement), reply, tuple(links), f"verification:{self.id}")

    def _on_scene(self, subject: Subject) -> tuple[Incident, list[Draft]]:
        """Open the incident where it is new; put the officer on it where they are not."""
        incident: Incident | None = subject.state
        drafts: list[Draft] = []
        if incident is None:
            number = self.claim.incident_number
            new_id = uuid7(self.by.moments.received_at, self.random_bytes)
            ref = self.incident_name if number is None else f"incident:{new_id}"
            content = body(observed={"number": number, "provisional": number is None})
            record = self._event("incident_opened", ref, content)
            return incident_opened(record), [Draft(record, alias=self.incident_name)]
        for serial in dict.fromkeys((self.by.relayed_by, self.by.caller.serial)):
            if serial is not None and serial not in incident.assigned:
                record = self._event("officer_assigned", subject.ref, body(computed={"serial": serial}))
                incident = incident_followed(incident, record)
                drafts.append(Draft(record))
        return incident, drafts

    def _case(self, incident: Incident) -> tuple[Settled, list[Draft]]:
        sealed = SealedFields(self.random_bytes)
        record = self._event("submitted", f"verification:{self.id}", self._submitted(incident, sealed))
        final = settled(replace(record, checked_at=self.checked.checked_at), None, self.zone)
        drafts = [Draft(final.record, tuple(sealed.fields), final.case)]
        if self.claim.photo_compared and self.claim.photo_credential is not None:
            compared = photo_body(self.claim.photo_credential, relayed=self.by.relayed)
            record = self._event("photo_credential_compared", str(record.subject), compared)
            # Its place follows the submission's.
            final = settled(record.at(1, None), final.case, self.zone)
            drafts.append(Draft(final.record, state=final.case))
        return final, drafts

    def _submitted(self, incident: Incident, sealed: SealedFields) -> dict[str, Any]:
        claim, agent = self.claim, self.claim.agent
        shown = "compared" if claim.photo_compared else claim.photo_credential and claim.photo_credential.result
        video = claim.body_worn_video
        return body(
            relayed=self.by.relayed,
            observed={
                "agent_label": claim.agent_label,
                "requested_by": claim.requested_by,
                "identification": claim.identification,
                "face_covered": agent.face_covered,
                "plain_clothes": agent.plain_clothes,
                "agency_marking_visible": agent.agency_marking_visible,
                "vehicle_marked": agent.vehicle_marked,
                "photo_credential": shown,
                "body_worn_video": video and {"reference": video.reference, "offset_ms": video.offset_ms},
                "note": sealed.seal(claim.note),
            },
            told_by_agent={
                "claimed_agency": agent.claimed_agency,
                "home_agency": agent.home_agency,
                "role": agent.role,
                "identifier": self.checked.identifier(sealed),
            },
            computed={"incident": incident.id, **self.checked.computed(sealed)},
        )

    def _event(self, kind: str, subject: str, content: dict[str, Any]) -> Record:
        return event(kind, subject, content, by=self.by)
