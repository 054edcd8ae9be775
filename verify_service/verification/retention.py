"""Say what must be kept: the holds that supervisors placed, and those that facts of a case place by themselves."""

from __future__ import annotations

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


def holds(case: Case, incident: Incident) -> list[str]:
    """Return why a verification must be kept, each as a few words; nothing where it need not."""
    return [*_by_hand(case), *_of_facts(case, incident)]


def _by_hand(case: Case) -> Iterator[str]:
    for reference in case.holds:
        yield "a supervisor placed a hold" + ("" if reference is None else f" ({reference})")


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
