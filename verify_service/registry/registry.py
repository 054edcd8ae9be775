"""Answer what a department's registry knows: blind an identifier for each agency and ask for all tags at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verify_service.errors import InvalidRequest
from verify_service.registry.check import CheckResult, answer, can_be_asked
from verify_service.registry.confusable import alternates
from verify_service.registry.identifier import Identifier
from verify_service.registry.minted import check_character_fits
from verify_service.registry.status import RegistryStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from verify_service.registry.edition import AgencyState, Edition, Entry, RosterRef
    from verify_service.registry.keyring import Keyring
    from verify_service.registry.status import StatusStore

CLAIMED_AGENCY = "/agent/claimed_agency"
IDENTIFIER_VALUE = "/identifier/value"
UNKNOWN_AGENCY = (
    "This agency is not in the registry{meant}: use a code from GET /v1/agencies, `other` or `none_stated`."
)
MOST_MEANT = 3


class Registry:
    """The registry as the rest of the service sees it; safe to share between threads."""

    def __init__(self, store: StatusStore, keyring: Keyring) -> None:
        self._store = store
        self._keyring = keyring

    def edition(self, department: str) -> Edition | None:
        """Return the edition that stands, None before the first ingest."""
        return self._store.current(department)

    def status(self, department: str, at: datetime) -> RegistryStatus:
        """Tell how the registry stands at a moment."""
        return RegistryStatus.read(self._store, department, at)

    def agencies(self, department: str) -> Mapping[str, AgencyState]:
        """Return what is known of each agency, by code in order; nothing before the first ingest."""
        edition = self._store.current(department)
        return {} if edition is None else edition.agencies

    def check(
        self,
        department: str,
        identifier: Identifier | None,
        agencies: Sequence[str] | None,
        at: datetime,
        pointers: Mapping[str, str] | None = None,
    ) -> CheckResult:
        """Check an identifier with the agencies named, or with every one that has a roster where ``agencies`` is None.

        Without an identifier nothing is checked, and only the agencies named are answered for.
        ``pointers`` gives the JSON Pointer at which an agency was named, where that is not the claimed one. Raises
        InvalidRequest for an unknown agency, and where the value fits the declared format of none that was named.
        Keys, tags and the one statement are the same work whether a number exists or not: those that it may have been
        misread from are always asked for too.
        """
        question = _Question(self._keyring, department, identifier, agencies, pointers or {})
        edition, found = self._store.look_up(department, question.tags)
        if edition is None:
            return CheckResult(tuple(answer(code, None, _kind(identifier), None, False, at) for code in agencies or ()))
        return CheckResult(
            checks=tuple(
                answer(code, edition, _kind(identifier), *question.found(code, found), at) for code in question.codes
            ),
            tags={code: asked.document() for code, asked in question.asked.items()},
            edition=edition,
        )


@dataclass(frozen=True)
class _Asked:
    """What one agency's roster is asked for: the tag of the number as typed, and those of what it may have been."""

    epoch: int
    roster: int
    tag: bytes
    alternates: Sequence[bytes]

    def document(self) -> dict[str, Any]:
        """Return what is sealed into the record."""
        return {"epoch": self.epoch, "tag": self.tag.hex(), "alternates": [tag.hex() for tag in self.alternates]}


class _Question:
    """What is asked of an edition: ``asked`` is, by agency, what its roster is asked for."""

    def __init__(
        self,
        keyring: Keyring,
        department: str,
        identifier: Identifier | None,
        agencies: Sequence[str] | None,
        pointers: Mapping[str, str],
    ) -> None:
        self._keyring = keyring
        self._department = department
        self._identifier = identifier
        self._agencies = agencies
        self._pointers = pointers
        self.codes: list[str] = []
        self.asked: dict[str, _Asked] = {}

    def tags(self, edition: Edition | None) -> list[tuple[int, bytes]]:
        """Make the tags for an edition; raise InvalidRequest where it knows no such agency or number."""
        self.asked = {}
        if edition is None:
            return []
        self.codes = list(dict.fromkeys(self._agencies or ()))
        _require_known(edition, self.codes, self._pointers)
        if self._identifier is None:
            return []
        if self._agencies is None:
            self.codes = _enrolled(edition)
        else:
            _require_format(self._identifier, [edition.agencies[code] for code in self.codes])
        for code in self.codes:
            agency = edition.agencies[code]
            if agency.roster is not None and can_be_asked(agency, self._identifier.kind):
                self.asked[code] = self._of(agency, agency.roster, self._identifier)
        return [(asked.roster, tag) for asked in self.asked.values() for tag in (asked.tag, *asked.alternates)]

    def found(self, code: str, found: Mapping[tuple[int, bytes], Entry]) -> tuple[Entry | None, bool]:
        """Return an agency's entry under the number as typed, and whether one stands under what it may have been."""
        asked = self.asked.get(code)
        if asked is None:
            return None, False
        return found.get((asked.roster, asked.tag)), any((asked.roster, tag) in found for tag in asked.alternates)

    def _of(self, agency: AgencyState, roster: RosterRef, identifier: Identifier) -> _Asked:
        key = self._keyring.held(self._department, roster.agency, roster.epoch)
        # Where every agency is asked, no match concludes anything, so neither could a number that is close to one.
        near = [] if self._agencies is None else _alternates(agency, identifier)
        return _Asked(roster.epoch, roster.number, key.tag(identifier), [key.tag(other) for other in near])


def _alternates(agency: AgencyState, identifier: Identifier) -> list[Identifier]:
    declared = agency.profile.value_format(identifier.kind)

    def fits(value: str) -> bool:
        return check_character_fits(identifier.kind, value) and (declared is None or declared.matches(value))

    return [Identifier(identifier.kind, value) for value in alternates(identifier.value, fits)]


def _kind(identifier: Identifier | None) -> str | None:
    return None if identifier is None else identifier.kind


def _enrolled(edition: Edition) -> list[str]:
    return [code for code, agency in edition.agencies.items() if agency.roster is not None]


def _require_known(edition: Edition, codes: Iterable[str], pointers: Mapping[str, str]) -> None:
    faults = {
        pointers.get(code, CLAIMED_AGENCY): [UNKNOWN_AGENCY.format(meant=_meant(code, edition))]
        for code in codes
        if code not in edition.agencies
    }
    if faults:
        raise InvalidRequest(faults)


def _meant(code: str, edition: Edition) -> str:
    """Ask whether an agency was meant whose code is made of this one, as DHS-ICE is of ICE."""
    meant = [known for known in edition.agencies if code in known.split("-")]
    return f" (did you mean {' or '.join(meant[:MOST_MEANT])}?)" if meant else ""


def _require_format(identifier: Identifier, agencies: Sequence[AgencyState]) -> None:
    """Refuse a value that none of the agencies can have issued, since then a character was misread.

    An agency that declares no format for the kind may have issued anything.
    """
    formats = [(agency.profile.agency, agency.profile.value_format(identifier.kind)) for agency in agencies]
    if any(declared is None or declared.matches(identifier.value) for _, declared in formats):
        return
    known = "; ".join(f"{code} {identifier.kind}: {declared.words()}" for code, declared in formats if declared)
    if known:
        raise InvalidRequest.at(
            IDENTIFIER_VALUE,
            f"This does not look like a number of that agency ({known}): read it again. "
            "If it is what was shown, send `unreadable` and describe it in the note.",
        )
