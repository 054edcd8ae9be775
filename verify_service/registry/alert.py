"""Say in words what of a registry has expired, was not taken, or will expire next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from verify_service.clock import rfc3339
from verify_service.registry.check import CLOCKS_APART
from verify_service.registry.profile import OP_CODES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from verify_service.registry.cycle import CycleRow, Notice, Setback
    from verify_service.registry.edition import Edition

TOP_LEVEL = ("root", "timestamp", "snapshot", "targets")
# Cycles run every ten minutes; when none was good for so long, several went wrong.
LONGEST_SILENCE = timedelta(hours=1)

# Nobody has to miss what happened on a weekend.
TOLD_FOR = timedelta(hours=72)

KINDS = ("never_ingested", "clock_behind", "expired", "refused", "silent", "changed", "held", "expires_next")
NEVER, BEHIND, EXPIRED, REFUSED, SILENT, CHANGED, HELD, NEXT = KINDS


@dataclass(frozen=True)
class Alert:
    """A line to be read first: of which agency (None: of all), since or until when, in words that anybody may read.

    ``for_operator`` says why and what to do; it may name keys, files, hosts and people.
    """

    kind: str
    agency: str | None
    at: datetime | None
    sentence: str
    for_operator: str = ""

    def document(self) -> dict[str, Any]:
        """Return what any caller may read as a JSON document."""
        at = None if self.at is None else rfc3339(self.at)
        return {"kind": self.kind, "agency": self.agency, "at": at, "sentence": self.sentence}


def never_ingested() -> Alert:
    """Return the line for a department that has no registry."""
    sentence = "No registry was ever taken in, so nobody is known to be listed or not."
    return Alert(NEVER, None, None, sentence, "Run `verify-service ingest`.")


def clock_behind(edition: Edition, at: datetime) -> Iterator[Alert]:
    """Yield a line where this machine's clock is behind the one of the last good ingest, as ``check`` judges it."""
    good = edition.refreshed_at
    if at < good - CLOCKS_APART:
        sentence = f"CLOCK BEHIND: it says {rfc3339(at)}, but the registry was found good at {rfc3339(good)}."
        what = "With it, what has expired would pass for fresh, so every answer says registry_stale."
        yield Alert(BEHIND, None, good, f"{sentence} {what}", "Set the clock of this machine.")


def expired(edition: Edition, at: datetime) -> Iterator[Alert]:
    """Yield a line for each role that has expired and that answers rest on."""
    for subject, agency, expires in _expiries(edition):
        if expires <= at:
            whose = "Every answer" if agency is None else f"Every answer about {agency}"
            sentence = f"EXPIRED {rfc3339(expires)}: {subject}. {whose} says registry_stale."
            yield Alert(EXPIRED, agency, expires, sentence, "Ask its signers to publish it anew, then ingest.")


def refused(last: CycleRow | None) -> Iterator[Alert]:
    """Yield a line where the last cycle took nothing."""
    if last is not None and last.ended_at is not None and last.edition is None:
        sentence = f"REFUSED {rfc3339(last.ended_at)}: the registry whole. What was taken in before answers."
        yield Alert(REFUSED, None, last.ended_at, sentence, " ".join(refusal.reason for refusal in last.refusals))


def silent(edition: Edition, at: datetime) -> Iterator[Alert]:
    """Yield a line where no cycle has been good for long."""
    since = edition.refreshed_at
    if at - since > LONGEST_SILENCE:
        sentence = f"SILENT since {rfc3339(since)}: no ingest has found the registry good."
        yield Alert(SILENT, None, since, sentence, "See that its timer runs, and what the last one said.")


def changed(notice: Notice) -> Alert:
    """Return the line for what was taken and a thief would change too."""
    sentence = f"CHANGED {rfc3339(notice.at)}: {notice.subject}."
    return Alert(CHANGED, notice.agency, notice.at, sentence, notice.sentence)


def not_taken(setback: Setback, edition: Edition) -> Alert:
    """Return the line for what an agency published newest and was refused or held."""
    agency = edition.agencies.get(setback.agency)
    answers = (
        "Nothing answers for it."
        if agency is None or agency.role is None
        else f"What was taken before answers until {rfc3339(agency.role.expires)}."
    )
    word, what = (
        ("HELD", "published newest, since a person has to decide")
        if setback.held
        else ("REFUSED", "published or handed over newest, since it cannot be accepted")
    )
    sentence = f"{word} {rfc3339(setback.at)}: what {setback.agency} {what}. {answers}"
    decide = " Decide: see `verify-service ingest holds`." if setback.held else ""
    return Alert(HELD if setback.held else REFUSED, setback.agency, setback.at, sentence, f"{setback.reason}{decide}")


def expires_next(edition: Edition, at: datetime) -> Iterator[Alert]:
    """Yield a line about what expires first of all that has not."""
    coming = [expiry for expiry in _expiries(edition) if expiry[2] > at]
    if coming:
        subject, agency, expires = min(coming, key=lambda expiry: expiry[2])
        hours, rest = divmod(int((expires - at).total_seconds()), 3600)
        sentence = f"Next to expire, in {hours} h {rest // 60} min, at {rfc3339(expires)}: {subject}."
        yield Alert(NEXT, agency, expires, sentence)


def _expiries(edition: Edition) -> Iterator[tuple[str, str | None, datetime]]:
    """Yield what answers rest on: in words, whose it is (None: everybody's), and when it expires.

    The role of an agency that publishes no roster carries nothing, as in ``check.fresh_until``.
    """
    for role in TOP_LEVEL:
        yield f"the registry's {role}", None, getattr(edition, role).expires
    for code, agency in edition.agencies.items():
        if agency.role is not None and agency.profile.level >= OP_CODES:
            yield f"the roster of {code}", code, agency.role.expires
