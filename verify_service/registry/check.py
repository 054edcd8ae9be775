"""Say what the registry knows of an identifier at one moment, per agency, and on which signed bytes that rests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from verify_service.clock import rfc3339
from verify_service.registry.profile import OP_CODES, ROSTER
from verify_service.registry.roster import PARTIAL

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from verify_service.registry.edition import AgencyState, Edition, Entry, SignedFile

MATCH_ACTIVE = "match_active"
MATCH_INACTIVE = "match_inactive"
POSSIBLE_MATCH = "possible_match"
NO_MATCH = "no_match"
AGENCY_NOT_ENROLLED = "agency_not_enrolled"
REGISTRY_STALE = "registry_stale"
NOT_CHECKED = "not_checked"
RESULTS = (
    MATCH_ACTIVE,
    MATCH_INACTIVE,
    POSSIBLE_MATCH,
    NO_MATCH,
    AGENCY_NOT_ENROLLED,
    REGISTRY_STALE,
    NOT_CHECKED,
)
ACTIVE = "active"
OP_CODE = "op_code"
# How far the clocks of the machine that fetches and of one that answers may be apart.
CLOCKS_APART = timedelta(minutes=5)


@dataclass(frozen=True)
class RegistryCheck:
    """One agency's answer, in values that stand in JSON as they are; times are RFC 3339 texts, None is absent.

    ``metadata`` names version and SHA-256 of ``root``, ``timestamp``, ``snapshot``, ``targets`` and the agency's
    ``role``. The answer holds until ``fresh_until``, when the first of them that it rests on expires. ``coverage`` is
    what the roster's header says of the kind, and ``partial`` at most while a newer roster was refused or is held.
    """

    agency: str
    enrolment_level: int | None
    result: str
    kind: str | None
    coverage: str | None
    edition: int | None
    profile_sha256: str | None
    roster_sha256: str | None
    roster_issued_at: str | None
    refreshed_at: str | None
    metadata: Mapping[str, Mapping[str, Any] | None] | None
    checked_at: str
    fresh_until: str | None
    synthetic: bool
    op_code_activated: bool | None

    def document(self) -> dict[str, Any]:
        """Return the check as a JSON document."""
        return dict(vars(self))


@dataclass(frozen=True)
class CheckResult:
    """The answers, and per agency the ``epoch`` and the ``tag`` and ``alternates`` (hexadecimal) that were asked for.

    The latter are to be sealed.

    ``edition`` is what was asked, None before the first ingest.
    """

    checks: tuple[RegistryCheck, ...]
    tags: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    edition: Edition | None = None


def can_be_asked(agency: AgencyState, kind: str) -> bool:
    """Tell whether the agency is enrolled for a kind and a roster that has this kind is held."""
    needed = OP_CODES if kind == OP_CODE else ROSTER
    return agency.profile.level >= needed and agency.roster is not None and kind in agency.roster.coverage


def answer(
    code: str, edition: Edition | None, kind: str | None, entry: Entry | None, near: bool, at: datetime
) -> RegistryCheck:
    """Put together one agency's answer; ``entry`` is what was found under the identifier's tag, if anything.

    ``near`` says that something was found under a number that it may have been misread from. ``kind`` is None where no
    identifier was given. Without an edition nothing is known of any agency.
    """
    if edition is None:
        return _nothing_known(code, kind, at)
    agency = edition.agencies[code]
    roster = agency.roster
    result = NOT_CHECKED if kind is None else _result(edition, agency, kind, entry, near, at)
    matched = result in {MATCH_ACTIVE, MATCH_INACTIVE}
    return RegistryCheck(
        agency=code,
        enrolment_level=agency.profile.level,
        result=result,
        kind=kind,
        coverage=_coverage(agency, kind),
        edition=edition.number,
        profile_sha256=agency.profile_sha256,
        roster_sha256=None if roster is None else roster.sha256,
        roster_issued_at=None if roster is None else rfc3339(roster.issued_at),
        refreshed_at=rfc3339(edition.refreshed_at),
        metadata=_quoted(edition, agency),
        checked_at=rfc3339(at),
        fresh_until=rfc3339(fresh_until(edition, agency)),
        synthetic=agency.profile.synthetic or (roster is not None and roster.synthetic),
        op_code_activated=False if matched and kind == OP_CODE else None,
    )


def _coverage(agency: AgencyState, kind: str | None) -> str | None:
    if agency.roster is None or kind is None or kind not in agency.roster.coverage:
        return None
    # Whoever is missing here may be in the newer one, so this one does not list everybody any more.
    return PARTIAL if agency.newer_not_taken else agency.roster.coverage[kind]


def _result(edition: Edition, agency: AgencyState, kind: str, entry: Entry | None, near: bool, at: datetime) -> str:
    # By a clock that is behind, what has expired would pass for fresh.
    if at < edition.refreshed_at - CLOCKS_APART or fresh_until(edition, agency) <= at:
        return REGISTRY_STALE
    if not can_be_asked(agency, kind):
        return AGENCY_NOT_ENROLLED
    if entry is None:
        return POSSIBLE_MATCH if near else NO_MATCH
    begun = entry.not_before is None or entry.not_before <= at
    ended = entry.expires is not None and entry.expires < at
    return MATCH_ACTIVE if entry.status == ACTIVE and begun and not ended else MATCH_INACTIVE


def fresh_until(edition: Edition, agency: AgencyState) -> datetime:
    """Return when the first of the metadata expires that an answer about this agency rests on."""
    return min(file.expires for file in _ground(edition, agency))


def _ground(edition: Edition, agency: AgencyState) -> tuple[SignedFile, ...]:
    """Return the metadata that an answer about this agency rests on.

    The role of an agency that publishes no roster carries nothing, so it may expire without making its profile stale.
    """
    top = (edition.root, edition.timestamp, edition.snapshot, edition.targets)
    return top if agency.role is None or agency.profile.level < OP_CODES else (*top, agency.role)


def _quoted(edition: Edition, agency: AgencyState) -> dict[str, dict[str, Any] | None]:
    files = {
        "root": edition.root,
        "timestamp": edition.timestamp,
        "snapshot": edition.snapshot,
        "targets": edition.targets,
        "role": agency.role,
    }
    return {
        name: None if file is None else {"version": file.version, "sha256": file.sha256} for name, file in files.items()
    }


def _nothing_known(code: str, kind: str | None, at: datetime) -> RegistryCheck:
    return RegistryCheck(
        agency=code,
        enrolment_level=None,
        result=NOT_CHECKED if kind is None else REGISTRY_STALE,
        kind=kind,
        coverage=None,
        edition=None,
        profile_sha256=None,
        roster_sha256=None,
        roster_issued_at=None,
        refreshed_at=None,
        metadata=None,
        checked_at=rfc3339(at),
        fresh_until=None,
        synthetic=False,
        op_code_activated=None,
    )
