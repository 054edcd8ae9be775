"""Correct what was recorded: a new event that lies over the old one, which stays as it was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from verify_service.errors import InvalidRequest, PreconditionFailed
from verify_service.verification.claim import Agent, GivenIdentifier
from verify_service.verification.event import said
from verify_service.verification.fact import OfficerFact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from verify_service.verification.case import Case, CaseEvent
    from verify_service.verification.event import Moments
    from verify_service.verification.sealing import SealedFields
    from verify_service.verification.submission import Checked

OBSERVED = ("agent_label", "requested_by", "identification", "body_worn_video")
SEEN_OF_AGENT = ("face_covered", "plain_clothes", "agency_marking_visible", "vehicle_marked")
TOLD = ("claimed_agency", "home_agency", "role")
# A correction of any of these asks the registry anew.
CHECKED = ("identification", "claimed_agency", "home_agency", "identifier")
FACTS = "/corrected/facts"
LIFTED_BY = {"sealed": "unsealed", "unsealed": "sealed", "hold_placed": "hold_lifted", "hold_lifted": "hold_placed"}


def claim_of(case: Case) -> tuple[Any, str]:
    """Return what the registry is asked about, to tell whether it has changed since."""
    return dict(said(case.submitted, "told_by_agent")), case.identification


@dataclass(frozen=True)
class Corrected(OfficerFact):
    """New facts for an earlier event, or its withdrawal.

    ``facts`` names facts as the submission does, those of the agent included; ``checked`` is the registry's answer
    to the corrected claim, given by the desk where ``asks_registry``, and ``made_on`` the claim that stood then.
    """

    corrects_seq: int
    facts: Mapping[str, Any] = field(default_factory=dict)
    withdrawn: bool = False
    checked: Checked | None = None
    made_on: Any = None
    kind: ClassVar[str] = "corrected"

    @property
    def asks_registry(self) -> bool:
        """Whether the registry has to be asked anew."""
        return any(name in self.facts for name in CHECKED)

    def claim_after(self, case: Case, identifier: GivenIdentifier | None) -> tuple[Agent, GivenIdentifier | None]:
        """Return the agent's claim and identifier as they stand once corrected.

        ``identifier`` is what stands now. Raises InvalidRequest where identifier and identification contradict.
        """
        told = {**said(case.submitted, "told_by_agent"), **{n: v for n, v in self.facts.items() if n in TOLD}}
        identification = self.facts.get("identification", case.identification)
        identifier = self.facts.get("identifier", identifier if identification == "presented" else None)
        if (identifier is not None) != (identification == "presented"):
            raise InvalidRequest.at(f"{FACTS}/identifier", "An identifier goes with `presented`, and only with it.")
        return Agent(**{name: told[name] for name in TOLD}), identifier

    def body(self, case: Case, sealed: SealedFields, moments: Moments, *, relayed: bool) -> dict[str, Any]:  # noqa: ARG002
        """Return the body; raise InvalidRequest where the event cannot be corrected so."""
        event = next((event for event in case.events if event.seq == self.corrects_seq), None)
        if event is None or event.kind in {"corrected", "expunged"}:
            raise InvalidRequest.at("/corrected/corrects_seq", "No event that can be corrected stands at this `seq`.")
        if self.checked is not None and self.made_on != claim_of(case):
            raise PreconditionFailed(
                "This claim was corrected meanwhile: read it again, then correct what still is wrong."
            )
        if self.withdrawn:
            return {"corrects_seq": event.seq, "facts": self._withdrawal(event)}
        if event.kind != "submitted" or not self.facts:
            raise InvalidRequest.at(FACTS, "Facts are corrected on the submission; any other event is withdrawn.")
        return {"corrects_seq": event.seq, "facts": self._groups(sealed)}

    def _withdrawal(self, event: CaseEvent) -> dict[str, Any]:
        if event.kind in LIFTED_BY:
            lifted_by = LIFTED_BY[event.kind]
            raise InvalidRequest.at("/corrected/withdrawn", f"This is not withdrawn: append an event `{lifted_by}`.")
        if event.kind == "submitted" or self.facts:
            raise InvalidRequest.at("/corrected/withdrawn", "A submission is never withdrawn; correct its facts.")
        return {"withdrawn": True}

    def _groups(self, sealed: SealedFields) -> dict[str, Any]:
        groups: dict[str, Any] = {
            "observed": {name: self.facts[name] for name in (*OBSERVED, *SEEN_OF_AGENT) if name in self.facts},
            "told_by_agent": {name: self.facts[name] for name in TOLD if name in self.facts},
        }
        if self.checked is not None:
            groups["told_by_agent"]["identifier"] = self.checked.identifier(sealed)
            groups["computed"] = self.checked.computed(sealed)
        return {source: group for source, group in groups.items() if group}
