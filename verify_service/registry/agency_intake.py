"""Take in one agency after another, so that what is wrong with one of them harms no other."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from verify_service.clock import rfc3339
from verify_service.errors import RegistryRefused
from verify_service.registry.cycle import Notice, Refusal
from verify_service.registry.edition import AgencyState
from verify_service.registry.high_water import raised
from verify_service.registry.intake import KeptFile
from verify_service.registry.profile import profile_of
from verify_service.registry.roster_lines import RosterReader
from verify_service.registry.roster_review import Held, RosterReview

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from verify_service.registry.edition import Edition, RosterRef, SignedFile
    from verify_service.registry.hold import Hold
    from verify_service.registry.intake import IngestStore, Mark
    from verify_service.registry.keyring import Keyring
    from verify_service.registry.profile import Profile
    from verify_service.registry.publication import Publication, PublishedTarget
    from verify_service.registry.roster import RosterHeader

# Clocks of publishers run a little ahead; an "as of" hours ahead would tell an officer what nobody can know yet.
CLOCK_TOLERANCE = timedelta(minutes=5)


class AgencyIntake:
    """The agencies of one publication as they are checked; ``before`` is the edition that stands.

    Fills ``states``, ``files``, ``marks``, ``loaded``, ``refusals``, ``holds`` and ``notices``.
    """

    def __init__(
        self,
        department: str,
        publication: Publication,
        before: Edition | None,
        marks: Mapping[str, Mark],
        store: IngestStore,
        keyring: Keyring,
        at: datetime,
    ) -> None:
        self._department = department
        self._publication = publication
        self._before: Mapping[str, AgencyState] = {} if before is None else before.agencies
        self._store = store
        self._keyring = keyring
        self._at = at
        self._review = RosterReview(department, store, at)
        self.marks = dict(marks)
        self.states: dict[str, AgencyState] = {}
        self.files: list[KeptFile] = []
        self.loaded: list[tuple[str, int]] = []
        self.refusals: list[Refusal] = []
        self.holds: list[Hold] = []
        self.notices: list[Notice] = []

    def take(self, agency: str) -> None:
        """Check an agency's profile and roster; where either is refused, go on with the last good one."""
        old = self._before.get(agency)
        try:
            profile, sha256 = self._profile(agency)
            if old is not None and old.profile.held_number != profile.held_number:
                self.notices.append(Notice(agency, self._at, old.profile.held_number, profile.held_number))
        except RegistryRefused as refusal:
            self.refusals.append(Refusal(agency, refusal.detail))
            if old is None:
                return
            profile, sha256 = old.profile, old.profile_sha256
        not_taken = True
        try:
            role, roster = self._role(agency, None if old is None else old.roster)
            not_taken = False
        except RegistryRefused as refusal:
            self.refusals.append(Refusal(agency, refusal.detail))
            role, roster = self._last_good(agency, old)
        except Held as held:
            self.holds.append(held.hold)
            role, roster = self._last_good(agency, old)
        self.states[agency] = AgencyState(profile, sha256, role, roster, not_taken)

    def _last_good(self, agency: str, old: AgencyState | None) -> tuple[SignedFile | None, RosterRef | None]:
        """Return the role and roster that stand, and none once the keys that signed for them were taken away.

        Else what a thief signed before his keys were revoked would answer until it expires.
        """
        if old is None or old.role is None:
            return None, None
        try:
            self._publication.require_signed(agency, self._store.file(self._department, old.role.sha256) or b"")
        except RegistryRefused as refusal:
            self.refusals.append(Refusal(agency, refusal.detail))
            return None, None
        return old.role, old.roster

    def _profile(self, agency: str) -> tuple[Profile, str]:
        target = self._publication.profile(agency)
        content = self._store.file(self._department, target.sha256) or self._fetched(target)
        profile = profile_of(agency, content)
        self.files.append(KeptFile(target.sha256, "profile", content))
        return profile, target.sha256

    def _role(self, agency: str, old: RosterRef | None) -> tuple[SignedFile | None, RosterRef | None]:
        verified, target = self._publication.role(agency)
        if verified is None:
            return None, None
        # The mark rises before the roster is looked at: what was signed was signed, be the roster good or not.
        self.marks[agency] = raised(self.marks.get(agency), verified)
        roster = None if target is None else self._roster(agency, target, old)
        self.files.append(KeptFile(verified.signed.sha256, agency, verified.content))
        return verified.signed, roster

    def _roster(self, agency: str, target: PublishedTarget, old: RosterRef | None) -> RosterRef:
        if old is not None and old.sha256 == target.sha256:
            return old
        # What was withdrawn was taken all the same: its number and its epoch are used up.
        last = self._store.last_roster(self._department, agency)
        if last is not None and last.sha256 == target.sha256:
            return last
        held = self._store.find_roster(self._department, agency, target.sha256)
        if held is None:
            held = self._load(agency, target, last)
        else:
            _check_sequence(held, last)
        self._review.require_takeable(last, held, len(self._publication.signed[agency].keys))
        return held

    def _load(self, agency: str, target: PublishedTarget, last: RosterRef | None) -> RosterRef:
        with self._publication.opened(target) as stream:
            reader = RosterReader(stream)
            self._check_header(agency, reader.header, last)
            ref = self._store.load_roster(self._department, reader.header, target.sha256, reader.blocks())
        self.loaded.append((agency, ref.count))
        return ref

    def _check_header(self, agency: str, header: RosterHeader, last: RosterRef | None) -> None:
        header.require_agency(agency)
        key = self._keyring.key(self._department, agency, header.epoch)
        if key is None or key.key_id != header.key_id:
            raise RegistryRefused(
                f"The key that {agency} blinded its roster with (epoch {header.epoch}, {header.key_id}) is not held: "
                "take in the agency's key file."
            )
        if header.issued_at > self._at + CLOCK_TOLERANCE:
            raise RegistryRefused(f"The roster of {agency} is of {rfc3339(header.issued_at)}, which has not come yet.")
        _check_sequence(header, last)
        if last is not None and header.seq == last.seq + 1 and header.prev_sha256 != last.sha256:
            raise RegistryRefused(f"The roster of {agency} does not follow the one that is held.")

    def _fetched(self, target: PublishedTarget) -> bytes:
        with self._publication.opened(target) as stream:
            return stream.read()


def _check_sequence(new: RosterHeader | RosterRef, last: RosterRef | None) -> None:
    if last is None:
        return
    if new.seq <= last.seq:
        raise RegistryRefused(
            f"The roster of {last.agency} has number {new.seq}, but number {last.seq} is held: "
            "an old one is being played back."
        )
    if new.epoch < last.epoch:
        raise RegistryRefused(
            f"The roster of {last.agency} is of key epoch {new.epoch}, but epoch {last.epoch} is held: "
            "a retired key may be in other hands, so the agency has to use a new one."
        )
