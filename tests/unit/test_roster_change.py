"""How far two rosters differ, and from where on a person has to decide."""

import pytest

from verify_service.registry.roster_change import RosterChange


def test_entries_are_compared_one_by_one():
    pairing = {
        ("active", "active", True): 90,
        ("active", "suspended", False): 3,
        ("lost", "active", False): 1,
        ("active", "active", False): 2,
        ("suspended", "suspended", True): 4,
        (None, "active", False): 5,
        (None, "lost", False): 1,
    }
    change = RosterChange.paired(107, pairing)
    assert (change.before, change.after, change.added, change.removed, change.altered) == (107, 106, 6, 7, 6)
    assert change.newly == {"active": 6, "suspended": 3, "separated": 0, "lost": 1}
    assert change.by_counts is False


def test_under_another_key_only_numbers_are_compared():
    before = {("badge", "active"): 90, ("badge", "suspended"): 10, ("credential", "active"): 50}
    after = {("badge", "active"): 80, ("badge", "suspended"): 20, ("credential", "active"): 57}
    change = RosterChange.counted(before, after)
    assert (change.before, change.after, change.added, change.removed, change.altered) == (150, 157, 7, 0, 10)
    assert change.newly == {"active": 7, "suspended": 10, "separated": 0, "lost": 0}
    assert change.by_counts is True
    gone = RosterChange.counted(before, {("badge", "active"): 90})
    assert (gone.added, gone.removed, gone.altered) == (0, 60, 0)
    assert RosterChange.counted(before, before).is_large is False


@pytest.mark.parametrize(
    ("before", "pairing", "is_large"),
    [
        (100, {("active", "active", True): 80}, False),
        (100, {("active", "active", True): 79}, True),
        (80, {("active", "active", True): 80, (None, "active", False): 20}, False),
        (79, {("active", "active", True): 79, (None, "active", False): 20}, True),
        (100, {("active", "active", True): 80, ("active", "lost", False): 20}, False),
        (100, {("active", "active", True): 79, ("active", "lost", False): 21}, True),
        (100, {("active", "active", True): 90, (None, "active", False): 10}, False),
        (100, {("active", "active", True): 89, (None, "active", False): 11}, True),
        (0, {}, False),
        (0, {(None, "active", False): 1}, True),
        (1, {}, True),
    ],
)
def test_more_than_a_fifth_of_the_larger_is_large(before, pairing, is_large):
    assert RosterChange.paired(before, pairing).is_large is is_large
