"""What the stages of a submission are measured at is still there."""

from __future__ import annotations

import pytest

from benchmarks.stages import STAGES, owner_of


@pytest.mark.parametrize("place", [place for places in STAGES.values() for place in places])
def test_every_stage_names_a_function_that_is_there(place):
    owner, name = owner_of(place)
    assert callable(getattr(owner, name))
