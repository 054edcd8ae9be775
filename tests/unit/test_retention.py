"""What keeps a verification from being destroyed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.registries import SampleRegistry
from tests.street import ICE, Street, caller
from verify_service.verification.callback import AgencyCallback
from verify_service.verification.fact import Concluded, Disputed, HoldLifted, HoldPlaced
from verify_service.verification.retention import holds

BOSS = caller("supervisor", "21007")


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return SampleRegistry(tmp_path_factory.mktemp("registry") / "registry")


@pytest.fixture
def street(sample, tmp_path):
    street = Street(tmp_path, sample)
    street.submit(ICE, sample.known(ICE).value)
    return street


def held(street, **incident):
    answer = street.answers[-1]
    return holds(answer.case, replace(answer.incident, **incident))


def test_an_ordinary_case_is_not_held(street):
    assert held(street) == []


def test_a_supervisors_hold_stands_until_it_is_lifted(street):
    street.follow(HoldPlaced("Records request", "CPRA-7"), BOSS)
    street.follow(HoldPlaced("Claim"), BOSS)
    assert held(street) == ["a supervisor placed a hold (CPRA-7)", "a supervisor placed a hold"]
    street.follow(HoldLifted("Answered", "CPRA-7"), BOSS)
    assert held(street) == ["a supervisor placed a hold"]


def test_what_may_come_before_a_court_is_held_by_itself(street):
    street.follow(Disputed("agent"), BOSS)
    street.follow(AgencyCallback("denied"))
    assert held(street) == ["the outcome is contradicted", "the check was disputed"]
    street.follow(Concluded("inconclusive", (0,), "Another person."), BOSS)
    assert held(street) == ["a supervisor concluded", "the check was disputed"]
    answered = {"crime-report": {"answer": "done"}, "report-force": {"answer": "not_applicable"}}
    assert held(street, scene={"force_seen": True}, answers=answered)[2:] == [
        "force was seen",
        "a crime report was taken",
    ]
