"""Decide what the facts support: one pure function over a versioned decision table (policy ground §5)."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from verify_service.signing import sha256_hex

if TYPE_CHECKING:
    from collections.abc import Mapping

# Every version ever used stays.
OUTCOME_TABLES = files(__package__).joinpath("outcome_tables")
CURRENT_TABLE = "1"
AS_CONCLUDED = "as_concluded"

OUTCOMES = (
    "contradicted",
    "verified",
    "credential_consistent",
    "agency_vouched",
    "identifier_listed",
    "not_listed",
    "declined",
    "interrupted",
    "not_required",
    "inconclusive",
    "impersonation_suspected",
)
# A supervisor may conclude anything but `verified`; `impersonation_suspected` exists only as a conclusion.
CONCLUSIONS = tuple(outcome for outcome in OUTCOMES if outcome != "verified")
# The person who asked learns these from a supervisor only (policy ground §6, `tell-requester`).
TOLD_BY_SUPERVISOR = frozenset({"not_listed", "contradicted", "impersonation_suspected"})


@dataclass(frozen=True)
class Facts:
    """The finite facts that a verification's events reduce to.

    Registry facts speak of fresh rosters of the claimed or home agency alone. ``registry_active`` is an active
    badge, credential or minted number; ``registry_active_credential`` one of the first two; ``registry_absent``
    no match in any of them, each complete for that kind. ``photo_match_in_time`` is an uncovered face and the
    same number on the credential, received before the registry check's ``fresh_until``.
    """

    concluded: str | None = None
    agency_denied: bool = False
    photo_mismatch: bool = False
    registry_inactive: bool = False
    person_confirmed: bool = False
    registry_active_credential: bool = False
    photo_match_in_time: bool = False
    operation_confirmed: bool = False
    op_code_activated: bool = False
    registry_active: bool = False
    registry_absent: bool = False
    declined: bool = False
    interrupted: bool = False
    not_required: bool = False

    def without_conclusion(self) -> Facts:
        """Return what stands beside a supervisor's conclusion."""
        return Facts(**{field.name: getattr(self, field.name) for field in fields(self)[1:]})


@dataclass(frozen=True)
class Decision:
    """An outcome and the table's row that gave it."""

    outcome: str
    row: str


@dataclass(frozen=True)
class OutcomeTable:
    """A decision table as shipped: its version, the digest of its bytes and its rows, first match wins."""

    version: str
    sha256: str
    rows: tuple[tuple[str, str, tuple[Mapping[str, bool], ...]], ...]

    def decide(self, facts: Facts) -> Decision:
        """Return the first row's outcome that the facts meet; every set of facts meets the last row."""
        for row, outcome, alternatives in self.rows:
            if any(_meets(facts, alternative) for alternative in alternatives):
                return Decision(facts.concluded or outcome if outcome == AS_CONCLUDED else outcome, row)
        raise LookupError(f"outcome table {self.version} has no last row for everything else")

    @property
    def rule(self) -> dict[str, str]:
        """The table's name in a record's ``rules``."""
        return {"version": self.version, "sha256": self.sha256}


@cache
def outcome_table(version: str = CURRENT_TABLE) -> OutcomeTable:
    """Read a table that ships with the package; every version ever used stays."""
    content = OUTCOME_TABLES.joinpath(f"{version}.json").read_bytes()
    document: dict[str, Any] = json.loads(content)
    rows = tuple((row["row"], row["outcome"], tuple(row["when"])) for row in document["rows"])
    return OutcomeTable(document["version"], sha256_hex(content), rows)


def _meets(facts: Facts, alternative: Mapping[str, bool]) -> bool:
    return all(bool(getattr(facts, name)) is wanted for name, wanted in alternative.items())
