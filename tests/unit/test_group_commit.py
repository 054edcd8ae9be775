import threading
import time
from contextlib import contextmanager, nullcontext

import pytest

from verify_service.errors import OutcomeUnknown, Overloaded
from verify_service.record_log import group_commit
from verify_service.record_log.group_commit import GroupCommit


def group_of(commit):
    """Make a group whose turn nobody else takes."""
    return GroupCommit(nullcontext, lambda _, tickets: commit(tickets))


def test_a_lone_request_is_committed_by_its_own_thread():
    seen = []

    def commit(tickets):
        seen.append((threading.current_thread(), len(tickets)))
        for ticket in tickets:
            ticket.succeed(ticket.request + 1)

    assert group_of(commit).submit(1) == 2
    assert seen == [(threading.current_thread(), 1)]


def wait_for(group, count):
    end = time.monotonic() + 10
    while len(group._waiting) < count:
        assert time.monotonic() < end
        time.sleep(0.001)


def test_those_who_wait_share_the_next_commit_and_each_gets_its_own_result():
    begun, go_on, sizes = threading.Event(), threading.Event(), []

    def commit(tickets):
        sizes.append(len(tickets))
        if len(sizes) == 1:
            begun.set()
            assert go_on.wait(30)
        for ticket in tickets:
            if ticket.request == 3:
                ticket.fail(ValueError("three"))
            else:
                ticket.succeed(ticket.request * 10)

    group, results = group_of(commit), {}

    def ask(number):
        try:
            results[number] = group.submit(number)
        except ValueError as error:
            results[number] = str(error)

    threads = [threading.Thread(target=ask, args=(0,))]
    threads[0].start()
    assert begun.wait(10)
    threads += [threading.Thread(target=ask, args=(number,)) for number in range(1, 9)]
    for thread in threads[1:]:
        thread.start()
    wait_for(group, 8)
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert sizes == [1, 8]
    assert results == {n: "three" if n == 3 else n * 10 for n in range(9)}


def test_who_comes_while_another_process_has_its_turn_is_in_the_next_batch():
    elsewhere, sizes = threading.Lock(), []

    def commit(turn, tickets):
        assert turn == "ours"
        sizes.append(len(tickets))
        for ticket in tickets:
            ticket.succeed(None)

    @contextmanager
    def turn():
        with elsewhere:
            yield "ours"

    group = GroupCommit(turn, commit)
    threads = [threading.Thread(target=group.submit, args=(number,)) for number in range(5)]
    with elsewhere:
        for thread in threads:
            thread.start()
        wait_for(group, 5)
    for thread in threads:
        thread.join(10)
    assert sizes == [5]


def test_a_turn_that_is_not_had_is_everyones_error_and_the_next_request_asks_again():
    turns = iter([RuntimeError("no mark"), None])

    @contextmanager
    def turn():
        error = next(turns)
        if error is not None:
            raise error
        yield

    def commit(_, tickets):
        for ticket in tickets:
            ticket.succeed("done")

    group = GroupCommit(turn, commit)
    with pytest.raises(RuntimeError, match="no mark"):
        group.submit(1)
    assert group.submit(2) == "done"


def test_an_error_of_the_commit_reaches_everyone_and_the_next_request_goes_on():
    outcomes = iter([RuntimeError("no room"), None])

    def commit(tickets):
        error = next(outcomes)
        if error is not None:
            raise error
        for ticket in tickets:
            ticket.succeed("done")

    group = group_of(commit)
    with pytest.raises(RuntimeError, match="no room"):
        group.submit(1)
    assert group.submit(2) == "done"


def test_a_ticket_nobody_settled_is_an_unknown_outcome():
    with pytest.raises(OutcomeUnknown):
        group_of(lambda tickets: None).submit(1)


def test_l20_a_full_queue_refuses_and_says_that_nothing_was_recorded(monkeypatch):
    monkeypatch.setattr(group_commit, "MAX_WAITING", 0)
    with pytest.raises(Overloaded, match="Nothing was recorded"):
        group_of(lambda tickets: None).submit(1)
