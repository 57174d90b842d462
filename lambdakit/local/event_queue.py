"""Asynchronous invocations on their way: Lambda's own queue of events, from which each is tried until it is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lambdakit.local.asynchronous import Attempts, Condition, GiveUp, Retry, after_error, after_throttle
from lambdakit.local.invocation import Invocation
from lambdakit.local.outcome import Outcome, Reply

if TYPE_CHECKING:
    from lambdakit.local.clock import Clock
    from lambdakit.local.function import Function
    from lambdakit.local.invoker import Invoker


class Event:
    """One event, from its acceptance to its end.

    Attributes:
        request_id: The same for every attempt.
        body: The event as JSON.
        attempts: How often it was tried so far; a throttle is no try.
        outcome: How the last attempt ended, or None.
    """

    __slots__ = ("_history", "_queue", "attempts", "body", "function", "outcome", "request_id")

    def __init__(self, queue: EventQueue, function: Function, request_id: str, body: bytes) -> None:
        self._queue = queue
        self.function = function
        self.request_id = request_id
        self.body = body
        self.attempts = 0
        self.outcome: Outcome | None = None
        self._history = Attempts(queue.clock.now)

    def attempt(self) -> None:
        """Try it, for the first time or again; called by the clock."""
        invocation = Invocation(
            self.request_id,
            self.function.name,
            "Event",
            self.body,
            self._queue.clock.now,
            attempt=self.attempts + 1,
        )
        self._queue.invoker.arrive(self.function, invocation, self._tried)

    def _tried(self, invocation: Invocation) -> None:
        policy, now = self.function.configuration.retries, self._queue.clock.now
        if invocation.throttle is not None:
            self._follow(after_throttle(self._history, policy, now, reserved=self.function.configuration.reserved))
            return
        self.attempts += 1
        self.outcome = invocation.outcome
        if isinstance(self.outcome, Reply):
            self._queue.over(self, "Success")
        else:
            self._follow(after_error(self._history, policy, now))

    def _follow(self, decision: Retry | GiveUp) -> None:
        if isinstance(decision, GiveUp):
            self._queue.over(self, decision.condition)
        else:
            self._queue.clock.at(decision.at, self.attempt)


class EventQueue:
    """Accepts events, and has them tried.

    Args:
        clock: When.
        invoker: What runs an attempt.
        over: Told of each event's end.
    """

    def __init__(self, clock: Clock, invoker: Invoker, over: Callable[[Event, Condition], None]) -> None:
        self.clock = clock
        self.invoker = invoker
        self.over = over

    def accept(self, function: Function, request_id: str, body: bytes) -> None:
        """Take an event, which is tried when the clock runs."""
        self.clock.at(self.clock.now, Event(self, function, request_id, body).attempt)
