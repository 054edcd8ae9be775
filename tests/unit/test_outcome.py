"""The table of policy ground §5, over every combination of the finite facts."""

import itertools
import json
from dataclasses import fields, replace
from importlib.resources import files

import pytest

from verify_service.verification.outcome import CONCLUSIONS, OUTCOMES, Facts, outcome_table

FLAGS = [field.name for field in fields(Facts)][1:]
FROZEN = {"1": "c3033efc89c62eb742b4e0b4a15b445ccb4f9140c49e93c12ce44e745b8db592"}


def by_the_policy(facts):
    """Policy ground §5 read aloud, row by row, without the table."""
    if facts.concluded:
        return facts.concluded, "1"
    if facts.agency_denied or facts.photo_mismatch or facts.registry_inactive:
        return "contradicted", "2"
    if facts.person_confirmed:
        return "verified", "3"
    if facts.registry_active_credential and facts.photo_match_in_time:
        return "credential_consistent", "3b"
    if facts.operation_confirmed or facts.op_code_activated:
        return "agency_vouched", "4"
    if facts.registry_active:
        return "identifier_listed", "5"
    if facts.registry_absent:
        return "not_listed", "6"
    for number, name in (("7", "declined"), ("8", "interrupted"), ("9", "not_required")):
        if getattr(facts, name):
            return name, number
    return "inconclusive", "10"


def combinations():
    for values in itertools.product((False, True), repeat=len(FLAGS)):
        yield dict(zip(FLAGS, values, strict=True))


def test_every_combination_of_facts_has_exactly_its_row():
    table, rows = outcome_table(), set()
    for flags in combinations():
        facts = Facts(**flags)
        decision = table.decide(facts)
        assert (decision.outcome, decision.row) == by_the_policy(facts), facts
        rows.add(decision.row)
        # Paper never suffices: only the spoken word makes `verified`.
        assert (decision.outcome == "verified") == (decision.row == "3")
        if decision.outcome == "verified":
            assert facts.person_confirmed
        if decision.outcome == "not_listed":
            assert facts.registry_absent
        assert decision.outcome in OUTCOMES
        assert decision.outcome != "impersonation_suspected"
    assert rows == {"2", "3", "3b", "4", "5", "6", "7", "8", "9", "10"}


@pytest.mark.parametrize("concluded", CONCLUSIONS)
def test_a_conclusion_wins_over_every_combination_and_the_computed_outcome_stays(concluded):
    table = outcome_table()
    for flags in combinations():
        facts = Facts(concluded=concluded, **flags)
        assert table.decide(facts).outcome == concluded
        beside = facts.without_conclusion()
        assert beside == replace(facts, concluded=None)
        assert table.decide(beside).outcome != "impersonation_suspected"


def test_nobody_concludes_verified():
    assert "verified" not in CONCLUSIONS
    assert set(CONCLUSIONS) | {"verified"} == set(OUTCOMES)


def test_every_table_ever_used_ships_unchanged():
    shipped = {file.name for file in files("verify_service.verification").joinpath("outcome_tables").iterdir()}
    assert shipped == {f"{version}.json" for version in FROZEN}
    for version, digest in FROZEN.items():
        table = outcome_table(version)
        assert (table.version, table.sha256) == (version, digest)


def test_the_table_names_known_facts_and_outcomes_only():
    document = json.loads(files("verify_service.verification").joinpath("outcome_tables", "1.json").read_bytes())
    for row in document["rows"]:
        assert row["outcome"] in {*OUTCOMES, "as_concluded"}
        for alternative in row["when"]:
            assert set(alternative) <= {field.name for field in fields(Facts)}
