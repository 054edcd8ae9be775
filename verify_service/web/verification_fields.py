"""The wire shapes of a submission and of what follows it."""

from __future__ import annotations

from verify_service.registry.identifier import KINDS
from verify_service.verification.callback import CALLBACK_RESULTS
from verify_service.verification.claim import (
    AGENT_ROLES,
    IDENTIFICATIONS,
    PHOTO_RESULTS,
    REQUESTERS,
)
from verify_service.verification.fact import DISPUTE_ANSWERS, DISPUTE_SOURCES, INTERRUPTIONS
from verify_service.verification.outcome import CONCLUSIONS, OUTCOMES
from verify_service.web.fields import Code, Document, Flag, Many, Moment, Note, Part, QueryWhole, Text, Whole

INCIDENT_NUMBER = r"[A-Z0-9-]{1,20}"
AGENCY = r"[A-Z0-9][A-Z0-9-]{0,30}|other|none_stated"
ID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
SERIAL = r"[A-Za-z0-9._-]{1,64}"
MOST_EVENTS = 2**31 - 1
DAY_MS = 86_400_000
MOST_LISTED = 100


class Occasion(Document):
    """When and how something was reported; the two times are the client's claims."""

    occurred_at = Moment(load_default=None, allow_none=True)
    device_at = Moment(load_default=None, allow_none=True)
    offline = Flag(load_default=False)
    relayed_by = Text(64, pattern=SERIAL, expects="the officer's serial", load_default=None, allow_none=True)


class IdentifierPart(Document):
    """An identifier as it was given."""

    kind = Code(KINDS, required=True)
    value = Text(64, required=True)


class PhotoCredentialPart(Document):
    """A comparison of the uncovered face with a photo credential."""

    result = Code(PHOTO_RESULTS, required=True)
    face_seen = Flag(load_default=None, allow_none=True)
    credential_number_matches = Flag(load_default=None, allow_none=True)


class VideoPart(Document):
    """Where the body-worn video shows it."""

    reference = Text(120, required=True)
    offset_ms = Whole(0, DAY_MS, load_default=None, allow_none=True)


class AgentPart(Document):
    """What was seen of the agent, and which agency was claimed; null where nobody said."""

    claimed_agency = Text(31, pattern=AGENCY, expects="an agency's code, `other` or `none_stated`", required=True)
    home_agency = Text(31, pattern=AGENCY, expects="an agency's code", load_default=None, allow_none=True)
    role = Code(AGENT_ROLES, load_default=None, allow_none=True)
    face_covered = Flag(load_default=None, allow_none=True)
    plain_clothes = Flag(load_default=None, allow_none=True)
    agency_marking_visible = Flag(load_default=None, allow_none=True)
    vehicle_marked = Flag(load_default=None, allow_none=True)


class SubmissionDocument(Occasion):
    """One agent's claim at one incident."""

    incident_number = Text(
        20, pattern=INCIDENT_NUMBER, expects="the incident number", load_default=None, allow_none=True
    )
    incident_id = Text(36, pattern=ID, expects="an incident's id", load_default=None, allow_none=True)
    agent_label = Note(40, required=True)
    requested_by = Code(REQUESTERS, required=True)
    agent = Part(AgentPart(), required=True)
    identification = Code(IDENTIFICATIONS, required=True)
    identifier = Part(IdentifierPart(), load_default=None, allow_none=True)
    photo_credential = Part(PhotoCredentialPart(), load_default=None, allow_none=True)
    body_worn_video = Part(VideoPart(), load_default=None, allow_none=True)
    note = Note(lines=True, load_default=None, allow_none=True)


class CallbackPart(Document):
    """What came of the call to the agency's held number."""

    result = Code(CALLBACK_RESULTS, required=True)
    agency = Text(31, pattern=AGENCY, expects="an agency's code", load_default=None, allow_none=True)
    word_id = Text(36, pattern=ID, expects="the `word_id`", load_default=None, allow_none=True)
    words_heard = Text(80, load_default=None, allow_none=True)


class ReadBackPart(Document):
    """The words that the agency read back."""

    word_id = Text(36, pattern=ID, expects="the `word_id`", required=True)


class InterruptedPart(Document):
    """Why the check stopped."""

    reason = Code(INTERRUPTIONS, required=True)


class CorrectedAgentPart(AgentPart):
    """The facts of the agent that are corrected; those left out stay."""

    claimed_agency = Text(31, pattern=AGENCY, expects="an agency's code, `other` or `none_stated`")
    home_agency = Text(31, pattern=AGENCY, expects="an agency's code", allow_none=True)
    role = Code(AGENT_ROLES, allow_none=True)
    face_covered = Flag(allow_none=True)
    plain_clothes = Flag(allow_none=True)
    agency_marking_visible = Flag(allow_none=True)
    vehicle_marked = Flag(allow_none=True)


class CorrectedFactsPart(Document):
    """The facts that are corrected; those left out stay."""

    agent_label = Note(40)
    requested_by = Code(REQUESTERS)
    identification = Code(IDENTIFICATIONS)
    identifier = Part(IdentifierPart(), allow_none=True)
    body_worn_video = Part(VideoPart(), allow_none=True)
    agent = Part(CorrectedAgentPart())


class CorrectedPart(Document):
    """A correction: new facts for the submission, or an event withdrawn."""

    corrects_seq = Whole(0, MOST_EVENTS, required=True)
    facts = Part(CorrectedFactsPart(), load_default=dict)
    withdrawn = Flag(load_default=False)


class ConcludedPart(Document):
    """A supervisor's conclusion with the events it relies on."""

    outcome = Code(CONCLUSIONS, required=True)
    facts_relied_on = Many(Whole(0, MOST_EVENTS), most=100, least=1, required=True)
    reason = Note(lines=True, required=True)


class GroundPart(Document):
    """The ground of an act and the reference of its paper."""

    ground = Note(required=True)
    reference = Text(120, load_default=None, allow_none=True)


class DisputedPart(Document):
    """Who disputes the check, and what they say."""

    source = Code(DISPUTE_SOURCES, required=True)
    statement = Note(lines=True, load_default=None, allow_none=True)


class DisputeAnsweredPart(Document):
    """The answer to a dispute."""

    disputes_seq = Whole(0, MOST_EVENTS, required=True)
    answer = Code(DISPUTE_ANSWERS, required=True)
    reason = Note(lines=True, required=True)


EVENT_KINDS = (
    "photo_credential_compared",
    "agency_callback",
    "callback_word_read_back",
    "interrupted",
    "corrected",
    "concluded",
    "released",
    "sealed",
    "unsealed",
    "hold_placed",
    "hold_lifted",
    "disputed",
    "dispute_answered",
)


class EventDocument(Occasion):
    """One more event on a verification: its ``kind`` and the part of that kind."""

    kind = Code(EVENT_KINDS, required=True)
    note = Note(lines=True, load_default=None, allow_none=True)
    photo_credential = Part(PhotoCredentialPart(), load_default=None, allow_none=True)
    agency_callback = Part(CallbackPart(), load_default=None, allow_none=True)
    callback_word_read_back = Part(ReadBackPart(), load_default=None, allow_none=True)
    interrupted = Part(InterruptedPart(), load_default=None, allow_none=True)
    corrected = Part(CorrectedPart(), load_default=None, allow_none=True)
    concluded = Part(ConcludedPart(), load_default=None, allow_none=True)
    sealed = Part(GroundPart(), load_default=None, allow_none=True)
    unsealed = Part(GroundPart(), load_default=None, allow_none=True)
    hold_placed = Part(GroundPart(), load_default=None, allow_none=True)
    hold_lifted = Part(GroundPart(), load_default=None, allow_none=True)
    disputed = Part(DisputedPart(), load_default=None, allow_none=True)
    dispute_answered = Part(DisputeAnsweredPart(), load_default=None, allow_none=True)


class CallbackWordDocument(Occasion):
    """Which agency is to be called; the claimed one where it is left out."""

    agency = Text(31, pattern=AGENCY, expects="an agency's code", load_default=None, allow_none=True)


class ListQuery(Document):
    """What a list is narrowed to."""

    outcome = Code(OUTCOMES, load_default=None)
    agency = Text(31, pattern=AGENCY, expects="an agency's code", load_default=None)
    incident = Text(36, pattern=f"{INCIDENT_NUMBER}|{ID}", expects="an incident's number or id", load_default=None)
    officer = Text(64, pattern=SERIAL, expects="an officer's serial", load_default=None)
    opened_from = Moment(load_default=None)
    opened_before = Moment(load_default=None)
    after = QueryWhole(0, 2**53, load_default=None)
    limit = QueryWhole(1, MOST_LISTED, load_default=25)


class SearchDocument(Document):
    """What is searched for; an identifier stands here alone, never in a URL."""

    identifier = Part(IdentifierPart(), load_default=None, allow_none=True)
    outcome = Code(OUTCOMES, load_default=None, allow_none=True)
    agency = Text(31, pattern=AGENCY, expects="an agency's code", load_default=None, allow_none=True)
    incident = Text(
        36, pattern=f"{INCIDENT_NUMBER}|{ID}", expects="an incident's number or id", load_default=None, allow_none=True
    )
    officer = Text(64, pattern=SERIAL, expects="an officer's serial", load_default=None, allow_none=True)
    opened_from = Moment(load_default=None, allow_none=True)
    opened_before = Moment(load_default=None, allow_none=True)
    after = Whole(0, 2**53, load_default=None, allow_none=True)
    limit = Whole(1, MOST_LISTED, load_default=25)
