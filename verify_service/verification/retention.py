"""Say what must be kept: the holds that supervisors placed, and those that facts of a case place by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from verify_service.verification.case import Case
    from verify_service.verification.incident import Incident

# Policy ground §3: holds on force, complaint, crime report, `contradicted`, conclusion, claim or records request. The
# last two are placed by hand.
BY_EVENT = {"concluded": "a supervisor concluded", "disputed": "the check was disputed"}
BY_ANSWER = {"crime-report": "a crime report was taken", "report-force": "force was reported"}
DONE = "done"


@dataclass(frozen=True)
class LegalHold:
    """Why a verification must be kept.

    One that a supervisor placed has their ground, the reference of its paper where there is one, and when it was
    placed; a fact of the case places one by itself, and has the fact as its ground.
    """

    ground: str
    reference: str | None = None
    placed_at: str | None = None

    @property
    def words(self) -> str:
        """The hold as a few words."""
        if self.placed_at is None:
            return self.ground
        return "a supervisor placed a hold" + ("" if self.reference is None else f" ({self.reference})")


def legal_holds(case: Case, incident: Incident) -> list[LegalHold]:
    """Return the holds on a verification that are in force, those placed by hand first."""
    return [*_by_hand(case), *map(LegalHold, _of_facts(case, incident))]


def holds(case: Case, incident: Incident) -> list[str]:
    """Return why a verification must be kept, each as a few words; nothing where it need not."""
    return [hold.words for hold in legal_holds(case, incident)]


def _by_hand(case: Case) -> list[LegalHold]:
    standing: list[LegalHold] = []
    for event in case.events:
        if event.kind == "hold_placed":
            standing.append(LegalHold(event.body["ground"], event.body["reference"], event.received_at))
        elif event.kind == "hold_lifted":
            standing = [hold for hold in standing if hold.reference != event.body["reference"]]
    return standing


def _of_facts(case: Case, incident: Incident) -> Iterator[str]:
    if case.outcome == "contradicted":
        yield "the outcome is contradicted"
    for kind, words in BY_EVENT.items():
        if case.latest(kind) is not None:
            yield words
    if incident.scene.get("force_seen"):
        yield "force was seen"
    for item, words in BY_ANSWER.items():
        if incident.answers.get(item, {}).get("answer") == DONE:
            yield words
