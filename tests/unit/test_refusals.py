"""What is refused is written down: the first ones each, the rest in ever fewer events, and none is forgotten."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tests.fakes.clock import SetClock
from tests.fakes.keys import sealed_vault
from tests.street import caller, memory_logs
from tests.unit.test_record_vectors import check_schema
from verify_service.access.event import AccessEvents
from verify_service.access.refusals import MOST_WINDOWS, Refusals


class Door:
    def __init__(self, folder):
        self.clock = SetClock()
        self.logs, self.store = memory_logs(folder, self.clock)
        self.refusals = Refusals(AccessEvents(self.logs, sealed_vault(), self.clock), self.clock)

    def knock(self, times=1, who=None, operation="getVerification", reason="not_found", address="192.0.2.7"):
        for number in range(times):
            self.refusals.refused(who or caller(), operation, f"verification:{number}", reason, address)

    def events(self):
        log = self.logs.access("LAPD")
        records = [log.record(index)[0].decode() for index in range(self.store.head(log.log).size)]
        for record in records:
            check_schema(record)
        return [json.loads(record) for record in records]

    def counts(self):
        return [event["body"]["count"] for event in self.events()]


@pytest.fixture
def door(tmp_path):
    return Door(tmp_path)


def test_a_refusal_says_who_what_when_from_where_and_why(door):
    door.knock()
    (event,) = door.events()
    assert (event["kind"], event["actor"]["serial"], event["received_at"]) == (
        "refused",
        "38211",
        "2026-11-24T05:04:09.000Z",
    )
    assert event["body"] == {
        "operation": "getVerification",
        "object": "verification:0",
        "reason": "not_found",
        "count": 1,
        "address": "192.0.2.7",
    }


def test_the_first_are_written_each_and_a_flood_in_few_events_that_count_it(door):
    door.knock(1000)
    assert door.counts() == [*[1] * 8, 8, 16, 32, 64, 128, 256]
    door.clock.advance(minutes=10)
    door.knock(who=caller(serial="40117"))
    assert sum(door.counts()) == 1001
    assert len(door.events()) == 16


def test_each_caller_operation_and_reason_is_counted_apart(door):
    door.knock(9)
    door.knock(9, who=caller(serial="40117"))
    door.knock(9, operation="getIncident")
    door.knock(9, reason="not_allowed")
    assert door.counts() == [1] * 32


def test_a_new_window_begins_after_the_old_one(door):
    door.knock(9)
    door.clock.advance(minutes=9, seconds=59)
    door.knock(1)
    assert len(door.events()) == 8
    door.clock.advance(seconds=1)
    door.knock(1)
    assert door.counts() == [*[1] * 8, 2, 1]


def test_no_more_is_remembered_than_there_is_room_for_and_nothing_is_lost(door):
    door.knock(9)
    for number in range(MOST_WINDOWS):
        door.refusals._windows[str(number),] = replace(
            next(iter(door.refusals._windows.values())), refused=1, written=1
        )
    door.knock(1, who=caller(serial="40117"))
    assert len(door.refusals._windows) <= MOST_WINDOWS
    assert door.counts() == [*[1] * 8, 1, 1]


def test_what_cannot_be_written_is_not_answered_and_counts_on(door):
    door.knock(15)
    mark = next(path for path in door.logs.access("LAPD")._high_water.path.parent.glob("access.mark"))
    away = mark.rename(mark.with_suffix(".away"))
    with pytest.raises(Exception, match="high-water mark"):
        door.knock(1)
    away.rename(mark)
    assert len(door.events()) == 8
    door.clock.advance(minutes=10)
    door.knock(1)
    assert door.counts() == [*[1] * 8, 8, 1]


def test_callers_who_are_not_known_are_counted_and_said_ever_more_rarely(door, caplog):
    for _ in range(100):
        door.refusals.unknown("getVerification")
    assert door.refusals.unknown_counts() == {"getVerification": 100}
    assert door.events() == []
    assert len(caplog.records) == 7
    assert caplog.messages[-1] == "getVerification was refused 64 times to callers without a good token"
