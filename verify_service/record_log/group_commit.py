"""Let waiting requests share one commit: the first becomes the leader and takes the others along."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from verify_service.errors import OutcomeUnknown, Overloaded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

Request = TypeVar("Request")
Held = TypeVar("Held")
MAX_BATCH = 256
MAX_WAITING = 1024


class Ticket(Generic[Request]):
    """One waiting request and, once its batch is through, its result or error."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.done = False
        self._result: Any = None
        self._error: BaseException | None = None
        self._woken = threading.Lock()
        self._woken.acquire()

    def succeed(self, result: Any) -> None:
        """Set the result; the waiting thread gets it when the whole batch is through."""
        self._result, self._error, self.done = result, None, True

    def fail(self, error: BaseException) -> None:
        """Set the error that the waiting thread raises."""
        self._error, self.done = error, True

    def wait(self) -> None:
        """Wait until woken, as finished or as the next leader."""
        self._woken.acquire()

    def wake(self) -> None:
        """Let the waiting thread go on."""
        self._woken.release()

    def outcome(self) -> Any:
        """Return the result or raise the error."""
        if self._error is not None:
            raise self._error
        return self._result


class GroupCommit(Generic[Request, Held]):
    """Run ``commit(held, tickets)`` for one batch at a time; no thread of its own, so it is safe before a fork.

    Each batch is committed within ``turn()``, whose value is ``held``, and has all that came until that was had: what
    waits for another process's batch shares the next one. ``commit`` calls ``succeed`` or ``fail`` on each ticket; an
    error that it or the turn raises fails the tickets left open. A lone request is committed at once, in its own
    thread.
    """

    def __init__(
        self,
        turn: Callable[[], AbstractContextManager[Held]],
        commit: Callable[[Held, Sequence[Ticket[Request]]], None],
    ) -> None:
        self._turn = turn
        self._commit = commit
        self._lock = threading.Lock()
        self._waiting: list[Ticket[Request]] = []
        self._led = False

    def submit(self, request: Request) -> Any:
        """Return the request's result; raise what its commit raised, or Overloaded where too many wait."""
        ticket = Ticket(request)
        with self._lock:
            if len(self._waiting) >= MAX_WAITING:
                raise Overloaded("Too many requests wait for the log. Nothing was recorded; try again in a moment.")
            self._waiting.append(ticket)
            leads, self._led = not self._led, True
        if not leads:
            ticket.wait()
        if not ticket.done:
            self._lead()
        return ticket.outcome()

    def _lead(self) -> None:
        batch: Sequence[Ticket[Request]] = ()
        try:
            with self._turn() as held:
                batch = self._take()
                self._commit(held, batch)
        except BaseException as error:  # noqa: BLE001 - Every waiting thread must learn of it.
            batch = batch or self._take()
            for ticket in batch:
                if not ticket.done:
                    ticket.fail(error)
        finally:
            self._hand_over(batch)

    def _take(self) -> Sequence[Ticket[Request]]:
        with self._lock:
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
        return batch

    def _hand_over(self, batch: Sequence[Ticket[Request]]) -> None:
        with self._lock:
            successor = self._waiting[0] if self._waiting else None
            self._led = successor is not None
        if successor is not None:
            successor.wake()
        for ticket in batch:
            if not ticket.done:
                ticket.fail(OutcomeUnknown("The log did not say what became of this request; send it again."))
            ticket.wake()
