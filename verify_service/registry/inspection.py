"""Check a published registry whole, as anyone can who has its root and none of its keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verify_service.clock import rfc3339
from verify_service.errors import RegistryRefused
from verify_service.registry.profile import profile_of
from verify_service.registry.roster_lines import RosterReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from verify_service.registry.edition import SignedFile
    from verify_service.registry.profile import Profile
    from verify_service.registry.publication import Publication


@dataclass(frozen=True)
class AgencyFinding:
    """What one agency publishes; ``fault`` says what is wrong with it, None where nothing is."""

    agency: str
    level: int | None
    role: SignedFile | None
    roster_sha256: str | None
    entries: int
    synthetic: bool
    fault: str | None

    def document(self) -> dict[str, Any]:
        """Return the finding as a JSON document."""
        return {**vars(self), "role": None if self.role is None else _document(self.role)}


@dataclass(frozen=True)
class Inspection:
    """What was found of a whole registry."""

    metadata: dict[str, SignedFile]
    agencies: Sequence[AgencyFinding]

    @property
    def faults(self) -> list[str]:
        """What is wrong, a sentence each."""
        return [finding.fault for finding in self.agencies if finding.fault is not None]

    def document(self) -> dict[str, Any]:
        """Return the inspection as a JSON document."""
        return {
            "ok": not self.faults,
            "synthetic": any(finding.synthetic for finding in self.agencies),
            "metadata": {role: _document(file) for role, file in self.metadata.items()},
            "entries": sum(finding.entries for finding in self.agencies),
            "agencies": [finding.document() for finding in self.agencies],
        }


def inspect(publication: Publication, progress: Callable[[str, int, int], None] = lambda *_: None) -> Inspection:
    """Read every profile, role and roster of a verified publication."""
    findings = []
    for done, agency in enumerate(publication.agencies):
        progress(agency, done, len(publication.agencies))
        findings.append(_finding(publication, agency))
    progress("", len(publication.agencies), len(publication.agencies))
    return Inspection({role: file.signed for role, file in publication.top_level.items()}, findings)


def _finding(publication: Publication, agency: str) -> AgencyFinding:
    profile: Profile | None = None
    role: SignedFile | None = None
    sha256, entries = None, 0
    fault = None
    try:
        with publication.opened(publication.profile(agency)) as stream:
            profile = profile_of(agency, stream.read())
        verified, target = publication.role(agency)
        role = None if verified is None else verified.signed
        if target is not None:
            sha256 = target.sha256
            with publication.opened(target) as stream:
                reader = RosterReader(stream)
                reader.header.require_agency(agency)
                entries = sum(len(rows) for rows in reader.blocks())
    except RegistryRefused as refusal:
        fault = f"{agency}: {refusal.detail}"
    return AgencyFinding(
        agency=agency,
        level=None if profile is None else profile.level,
        role=role,
        roster_sha256=sha256,
        entries=entries,
        synthetic=profile is not None and profile.synthetic,
        fault=fault,
    )


def _document(file: SignedFile) -> dict[str, Any]:
    return {"version": file.version, "sha256": file.sha256, "expires": rfc3339(file.expires)}
