import threading

import pytest

from verify_service.errors import OutcomeUnknown, Overloaded
from verify_service.record_log import group_commit
from verify_service.record_log.group_commit import GroupCommit


def test_a_lone_request_is_committed_by_its_own_thread():
    seen = []

    def commit(tickets):
        seen.append((threading.current_thread(), len(tickets)))
        for ticket in tickets:
            ticket.succeed(ticket.request + 1)

    assert GroupCommit(commit).submit(1) == 2
    assert seen == [(threading.current_thread(), 1)]


def test_those_who_wait_share_the_next_commit_and_each_gets_its_own_result():
    begun, go_on, sizes = threading.Event(), threading.Event(), []

    def commit(tickets):
        sizes.append(len(tickets))
        if len(sizes) == 1:
            begun.set()
            go_on.wait(10)
        for ticket in tickets:
            if ticket.request == 3:
                ticket.fail(ValueError("three"))
            else:
                ticket.succeed(ticket.request * 10)

    group, results = GroupCommit(commit), {}

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
    while len(group._waiting) < 8:
        pass
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert sizes == [1, 8]
    assert results == {n: "three" if n == 3 else n * 10 for n in range(9)}


def test_an_error_of_the_commit_reaches_everyone_and_the_next_request_goes_on():
    outcomes = iter([RuntimeError("no room"), None])

    def commit(tickets):
        error = next(outcomes)
        if error is not None:
            raise error
        for ticket in tickets:
            ticket.succeed("done")

    group = GroupCommit(commit)
    with pytest.raises(RuntimeError, match="no room"):
        group.submit(1)
    assert group.submit(2) == "done"


def test_a_ticket_nobody_settled_is_an_unknown_outcome():
    with pytest.raises(OutcomeUnknown):
        GroupCommit(lambda tickets: None).submit(1)


def test_l20_a_full_queue_refuses_and_says_that_nothing_was_recorded(monkeypatch):
    monkeypatch.setattr(group_commit, "MAX_WAITING", 0)
    with pytest.raises(Overloaded, match="Nothing was recorded"):
        GroupCommit(lambda tickets: None).submit(1)
