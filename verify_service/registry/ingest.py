"""Fetch the registry, check it agency by agency, and swap in one edition; the last good one stays otherwise."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from verify_service.clock import rfc3339
from verify_service.errors import ConfigurationError, RegistryRefused
from verify_service.registry.agency_intake import AgencyIntake
from verify_service.registry.cycle import CycleEnd, Fetched, Notice, Refusal
from verify_service.registry.edition import Edition
from verify_service.registry.high_water import raised
from verify_service.registry.intake import Intake, KeptFile
from verify_service.registry.publication import Publication
from verify_service.registry.source import open_source
from verify_service.signing import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from verify_service.clock import Clock
    from verify_service.registry.blinding import BlindingKey
    from verify_service.registry.hold import Hold
    from verify_service.registry.intake import IngestStore, Mark
    from verify_service.registry.keyring import Keyring
    from verify_service.registry.source import Patience, Source


@dataclass(frozen=True)
class CycleReport:
    """What one cycle did: the edition that stands, what was loaded, whose new keys it took in, and how it ended."""

    number: int
    started_at: datetime
    edition: Edition
    changed: bool
    loaded: Sequence[tuple[str, int]]
    keyed: Sequence[str]
    end: CycleEnd

    @property
    def refusals(self) -> Sequence[Refusal]:
        """What was refused of single agencies."""
        return self.end.refusals

    @property
    def holds(self) -> Sequence[Hold]:
        """The rosters that wait for a person to decide about them."""
        return self.end.holds

    def document(self) -> dict[str, Any]:
        """Return the JSON document that ``--json`` prints."""
        return {
            "cycle": self.number,
            "started_at": rfc3339(self.started_at),
            "ended_at": rfc3339(self.end.ended_at),
            "edition": self.edition.number,
            "changed": self.changed,
            "agencies": len(self.edition.agencies),
            "synthetic": self.edition.synthetic,
            "fetched": vars(self.end.fetched),
            "loaded": [{"agency": agency, "entries": entries} for agency, entries in self.loaded],
            "refused": [vars(refusal) for refusal in self.refusals],
            "held": [hold.document() for hold in self.holds],
            "blinding_keys_of": list(self.keyed),
            "changed_trust": [notice.document() for notice in self.end.notices],
        }


class Ingest:
    """The one program that brings a department's registry up to date.

    ``location`` is a folder or an http(s) address; ``pinned_root`` the bytes of a root that was had in a trusted
    way; ``folder`` is private to this and keeps what TUF trusted last, under the SHA-256 of the pinned root;
    ``offered`` are blinding keys to be taken in where they are new.
    """

    def __init__(
        self,
        department: str,
        location: str,
        pinned_root: bytes,
        folder: Path,
        store: IngestStore,
        keyring: Keyring,
        clock: Clock,
        patience: Patience | None = None,
        offered: Sequence[BlindingKey] = (),
    ) -> None:
        self._department = department
        self._location = location
        self._pinned_root = pinned_root
        self._pin = sha256_hex(pinned_root)
        self._folder = folder
        self._store = store
        self._keyring = keyring
        self._clock = clock
        self._patience = patience
        self._offered = offered

    def run(self, progress: Callable[[str, int, int], None] = lambda *_: None) -> CycleReport:
        """Run one cycle; ``progress`` is told the agency, how many are done and how many there are.

        Raises RegistryRefused where nothing was accepted, or where another ingest is at work, and ConfigurationError
        where the registry is at no such place. What was refused or held of single agencies is in the report: each of
        them keeps its last good roster until that expires.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with _alone(self._folder / "ingest.lock"):
            started_at = self._clock.now()
            cycle = self._store.begin_cycle(self._department, started_at)
            source = None
            try:
                source = open_source(self._location, self._patience)
                return self._accept(cycle, source, started_at, progress)
            except (RegistryRefused, ConfigurationError) as refusal:
                fetched = Fetched() if source is None else source.fetcher.fetched
                end = CycleEnd(self._clock.now(), fetched, refusals=[Refusal(None, refusal.detail)])
                self._store.refuse(self._department, cycle, end)
                raise

    def _accept(
        self, cycle: int, source: Source, at: datetime, progress: Callable[[str, int, int], None]
    ) -> CycleReport:
        before = self._store.current(self._department)
        if before is not None and at < before.refreshed_at:
            raise RegistryRefused(
                f"This machine's clock says {rfc3339(at)}, but the registry was found good at "
                f"{rfc3339(before.refreshed_at)}: set the clock. With a clock that is behind, what has expired "
                "would pass for fresh."
            )
        # Another pinned root is another registry: what TUF trusted under the one before would refuse it.
        publication = Publication(source, self._pinned_root, self._folder / self._pin, at)
        marks = self._marks(before)
        for verified in publication.top_level.values():
            marks[verified.role] = raised(marks.get(verified.role), verified)
        keyed, conflicts = self._take_in_keys()
        agencies = AgencyIntake(self._department, publication, before, marks, self._store, self._keyring, at)
        for done, agency in enumerate(publication.agencies):
            progress(agency, done, len(publication.agencies))
            agencies.take(agency)
        progress("", len(publication.agencies), len(publication.agencies))
        notices = [*self._newly_pinned(before, at), *agencies.notices]
        refusals = [*conflicts, *agencies.refusals]
        fetched = source.fetcher.fetched
        end = CycleEnd(self._clock.now(), fetched, publication.signed, refusals, agencies.holds, notices)
        edition = self._store.swap(self._department, cycle, _intake(self._pin, publication, agencies, at, end))
        changed = before is None or edition.number != before.number
        return CycleReport(cycle, at, edition, changed, agencies.loaded, keyed, end)

    def _take_in_keys(self) -> tuple[list[str], list[Refusal]]:
        """Take in each agency's new keys and return whose they are, and what was refused.

        A file is bound to no agency: whoever hands one over may name another's epoch in it, and must not stop all.
        """
        keyed, refusals = [], []
        for agency in sorted({key.agency for key in self._offered}):
            try:
                if self._keyring.take_in(self._department, [key for key in self._offered if key.agency == agency]):
                    keyed.append(agency)
            except RegistryRefused as refusal:
                refusals.append(Refusal(agency, refusal.detail))
        return keyed, refusals

    def _marks(self, before: Edition | None) -> dict[str, Mark]:
        """Return the marks to be kept to; a root of the same chain that is pinned instead goes on from its marks."""
        marks = self._store.marks(self._department, self._pin)
        if not marks and before is not None and self._followed():
            marks = self._store.marks(self._department, before.pinned_root)
        return dict(marks)

    def _followed(self) -> bool:
        return self._store.file(self._department, self._pin) is not None

    def _newly_pinned(self, before: Edition | None, at: datetime) -> Iterator[Notice]:
        # An edition of an earlier release does not say what was pinned; a root that was followed then is no news.
        if before is None or before.pinned_root == self._pin or (not before.pinned_root and self._followed()):
            return
        yield Notice(None, at, before.pinned_root or None, self._pin)


def _intake(pin: str, publication: Publication, agencies: AgencyIntake, at: datetime, end: CycleEnd) -> Intake:
    top = publication.top_level
    files = [KeptFile(verified.signed.sha256, role, verified.content) for role, verified in top.items()]
    files += [KeptFile(sha256_hex(root), "root", root) for root in publication.roots]
    edition = Edition(
        number=0,
        agencies=agencies.states,
        refreshed_at=at,
        pinned_root=pin,
        **{role: verified.signed for role, verified in top.items()},
    )
    return Intake(edition, [*files, *agencies.files], agencies.marks, end)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold the folder's lock, or refuse at once: a second ingest has nothing to add to the first."""
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RegistryRefused("Another ingest is at work on this registry: let it finish.") from error
        yield
