"""Describe what an officer or dispatcher submits, and refuse what cannot be meant."""

from __future__ import annotations

from dataclasses import dataclass

from verify_service.errors import InvalidRequest

NO_AGENCY = ("other", "none_stated")
REQUESTERS = ("person_subject_to_enforcement", "bystander", "dispatch", "officer", "supervisor")
IDENTIFICATIONS = ("presented", "declined", "unreadable", "exemption_claimed", "not_required", "interrupted")
IDENTIFIER_KINDS = ("badge", "credential", "minted", "op_code")
AGENT_ROLES = ("lead", "team_member")
PHOTO_RESULTS = ("matches", "does_not_match", "not_shown")
NOTE_LENGTH = 280


@dataclass(frozen=True)
class GivenIdentifier:
    """An identifier as it was typed."""

    kind: str
    value: str


@dataclass(frozen=True)
class PhotoCredential:
    """A comparison of a face with the photo on a credential; raise InvalidRequest where it cannot be meant."""

    result: str
    face_seen: bool | None = None
    credential_number_matches: bool | None = None

    def __post_init__(self) -> None:
        if self.result != "matches":
            return
        if self.face_seen is not True:
            raise InvalidRequest.at(
                "/photo_credential/face_seen",
                "A match needs the uncovered face: send `face_seen: true`, or `not_shown` where it stayed covered.",
            )
        if self.credential_number_matches is not True:
            raise InvalidRequest.at(
                "/photo_credential/credential_number_matches",
                "A match needs the same number on the credential: where it bears another one, check that number.",
            )


@dataclass(frozen=True)
class VideoReference:
    """Where the body-worn video shows it; the picture itself is never stored here."""

    reference: str
    offset_ms: int | None = None


@dataclass(frozen=True, kw_only=True)
class Agent:
    """What the officer saw of one agent and what the agent said; None where nobody said."""

    claimed_agency: str
    home_agency: str | None = None
    role: str | None = None
    face_covered: bool | None = None
    plain_clothes: bool | None = None
    agency_marking_visible: bool | None = None
    vehicle_marked: bool | None = None

    @property
    def agencies(self) -> tuple[str, ...]:
        """The claimed and home agencies that a registry check asks; none where no agency was stated."""
        stated = [code for code in (self.claimed_agency, self.home_agency) if code and code not in NO_AGENCY]
        return tuple(dict.fromkeys(stated))


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One agent's claim at one incident, as submitted.

    ``incident_number`` None opens a provisional incident unless ``incident_id`` names one. Raises InvalidRequest
    where an identifier and ``identification`` contradict each other.
    """

    agent_label: str
    requested_by: str
    agent: Agent
    identification: str
    incident_number: str | None = None
    incident_id: str | None = None
    identifier: GivenIdentifier | None = None
    photo_credential: PhotoCredential | None = None
    body_worn_video: VideoReference | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        presented = self.identification == "presented"
        if presented and self.identifier is None:
            raise InvalidRequest.at(
                "/identifier", "`presented` needs the identifier; send `unreadable` or `declined` where there is none."
            )
        if not presented and self.identifier is not None:
            raise InvalidRequest.at(
                "/identifier", f"With `{self.identification}` no identifier is sent; send `presented`."
            )
        if self.photo_compared and not presented:
            raise InvalidRequest.at(
                "/photo_credential/result", "A comparison needs the number that the credential bears."
            )

    @property
    def photo_compared(self) -> bool:
        """Whether a photo comparison was sent along, which becomes an event of its own."""
        return self.photo_credential is not None and self.photo_credential.result != "not_shown"
