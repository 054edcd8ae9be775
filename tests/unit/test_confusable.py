"""What a number misread at night may have been."""

from __future__ import annotations

import pytest

from verify_service.registry.confusable import MOST_ALTERNATES, SETS, alternates


def anything(_):
    return True


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("7", []),
        ("A5", ["AS"]),
        ("1", ["I", "L"]),
        ("B2", ["82", "BZ", "8Z"]),
        ("0", ["O", "Q", "D"]),
        ("O", ["0", "Q", "D"]),
    ],
)
def test_each_confusable_character_may_have_been_the_others_of_its_set(value, read):
    assert alternates(value, anything) == read


def test_eight_at_most_and_those_with_fewest_characters_misread_first():
    found = alternates("0155", anything)
    assert len(found) == MOST_ALTERNATES == len(set(found))
    assert found[:7] == ["O155", "Q155", "D155", "0I55", "0L55", "01S5", "015S"]
    assert "0155" not in found


def test_only_those_that_the_agency_can_have_issued_count():
    assert alternates("0155", str.isdigit) == []
    assert alternates("O5", lambda value: value[1].isdigit()) == ["05", "Q5", "D5"]


def test_a_long_value_is_tried_for_a_bounded_time():
    tried = []
    assert alternates("0" * 64, lambda value: bool(tried.append(value))) == []
    assert len(tried) == 512


def test_no_character_is_in_two_sets():
    assert len("".join(SETS)) == len(set("".join(SETS)))
