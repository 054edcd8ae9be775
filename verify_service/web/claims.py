"""Turn what came over the wire into the domain's own shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verify_service.errors import InvalidRequest, NotAllowed
from verify_service.verification.callback import AgencyCallback, WordReadBack
from verify_service.verification.claim import Agent, Claim, GivenIdentifier, PhotoCredential, VideoReference
from verify_service.verification.correction import Corrected
from verify_service.verification.event import Moments, Reporter
from verify_service.verification.fact import (
    Concluded,
    DisputeAnswered,
    Disputed,
    HoldLifted,
    HoldPlaced,
    Interrupted,
    PhotoCompared,
    Released,
    Sealing,
    Unsealing,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from verify_service.caller import Caller
    from verify_service.verification.fact import Fact

# The part that each kind of event brings along; a release needs none.
PARTS = {
    "photo_credential_compared": "photo_credential",
    "agency_callback": "agency_callback",
    "callback_word_read_back": "callback_word_read_back",
    "interrupted": "interrupted",
    "corrected": "corrected",
    "concluded": "concluded",
    "sealed": "sealed",
    "unsealed": "unsealed",
    "hold_placed": "hold_placed",
    "hold_lifted": "hold_lifted",
    "disputed": "disputed",
    "dispute_answered": "dispute_answered",
}
GROUNDED = {act.kind: act for act in (Sealing, Unsealing, HoldPlaced, HoldLifted)}
NOTED = ("photo_credential_compared", "agency_callback", "interrupted")


def reporter(body: Mapping[str, Any], caller: Caller, received_at: datetime) -> Reporter:
    """Return who reports; raise InvalidRequest where somebody but a dispatcher relays."""
    relayed_by = body["relayed_by"]
    if relayed_by is not None and caller.role != "dispatcher":
        raise InvalidRequest.at("/relayed_by", "Only a dispatcher relays what an officer radioed: leave this out.")
    moments = Moments(
        received_at=received_at,
        occurred_at=body["occurred_at"],
        device_at=body["device_at"],
        offline=body["offline"],
    )
    return Reporter(caller, moments, relayed_by)


def claim(body: Mapping[str, Any]) -> Claim:
    """Read a submission; raise InvalidRequest where it cannot be meant."""
    if body["incident_number"] is not None and body["incident_id"] is not None:
        raise InvalidRequest.at("/incident_id", "Send the incident's number or its id, not both.")
    return Claim(
        agent_label=body["agent_label"],
        requested_by=body["requested_by"],
        agent=Agent(**body["agent"]),
        identification=body["identification"],
        incident_number=body["incident_number"],
        incident_id=body["incident_id"],
        identifier=_part(GivenIdentifier, body["identifier"]),
        photo_credential=_part(PhotoCredential, body["photo_credential"]),
        body_worn_video=_part(VideoReference, body["body_worn_video"]),
        note=body["note"],
    )


def fact(body: Mapping[str, Any]) -> Fact:
    """Read one more event; raise InvalidRequest where its part is missing or another one came along."""
    kind: str = body["kind"]
    needed = PARTS.get(kind)
    if needed is not None and body[needed] is None:
        raise InvalidRequest.at(f"/{needed}", f"An event of kind `{kind}` needs this part.")
    for part in PARTS.values():
        if part != needed and body[part] is not None:
            raise InvalidRequest.at(f"/{part}", f"This does not belong to an event of kind `{kind}`: leave it out.")
    if body["note"] is not None and kind not in NOTED:
        raise InvalidRequest.at("/note", f"An event of kind `{kind}` takes no note: leave it out.")
    return _fact(kind, body[needed] if needed else {}, body["note"])


def check_may_append(given: Fact, caller: Caller, *, relayed: bool) -> None:
    """Raise NotAllowed unless the caller's role and scope append this kind of event."""
    if given.by_partner and caller.role == "partner":
        return
    if given.by_supervisor and (caller.role != "supervisor" or "case:decide" not in caller.scopes):
        raise NotAllowed(f"Only a supervisor, with the scope case:decide, appends an event of kind `{given.kind}`.")
    if caller.role == "dispatcher" and not relayed and getattr(given, "words_heard", None) is not None:
        raise NotAllowed("The officer who heard the words enters them, or you with the `relayed_by` of that officer.")
    if not given.by_supervisor and "verify:submit" not in caller.scopes:
        raise NotAllowed("Your token lacks the scope verify:submit: sign in again and ask for it.")


def _fact(kind: str, part: Mapping[str, Any], note: str | None) -> Fact:
    match kind:
        case "photo_credential_compared":
            made: Fact = PhotoCompared(PhotoCredential(**part), note)
        case "agency_callback":
            made = AgencyCallback(note=note, **part)
        case "callback_word_read_back":
            made = WordReadBack(**part)
        case "interrupted":
            made = Interrupted(note=note, **part)
        case "corrected":
            made = Corrected(part["corrects_seq"], _corrected_facts(part["facts"]), part["withdrawn"])
        case "concluded":
            made = Concluded(part["outcome"], tuple(part["facts_relied_on"]), part["reason"])
        case "sealed" | "unsealed" | "hold_placed" | "hold_lifted":
            made = GROUNDED[kind](**part)
        case "disputed":
            made = Disputed(**part)
        case "dispute_answered":
            made = DisputeAnswered(**part)
        case _:
            made = Released()
    return made


def _corrected_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the corrected facts by the names that a record has, the agent's among them."""
    flat = {name: value for name, value in facts.items() if name != "agent"} | dict(facts.get("agent", {}))
    if flat.get("identifier") is not None:
        flat["identifier"] = GivenIdentifier(**flat["identifier"])
    return flat


def _part(shape: Any, part: Mapping[str, Any] | None) -> Any:
    return None if part is None else shape(**part)
