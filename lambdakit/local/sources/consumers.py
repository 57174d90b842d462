"""Those who wait for messages of a queue, and how they are woken."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, Protocol

from typing_extensions import TypeVar

if TYPE_CHECKING:
    from lambdakit.local.clock import Clock, Timer

M = TypeVar("M")


class Held(Protocol):
    """What consumers wait for, as far as they have to know."""

    @property
    def visible(self) -> int:
        """How many messages there may be to receive now."""
        ...

    @property
    def next_change(self) -> float | None:
        """When there will be more, in seconds; None if that is not known."""
        ...


class Poll(Generic[M]):
    """One that waits for messages, once.

    Attributes:
        most: How many it takes.
        visibility_timeout: How long they are hidden from others, in seconds; None is as long as the queue says.
        then: Is given them.
    """

    __slots__ = ("_consumers", "most", "then", "visibility_timeout")

    def __init__(
        self,
        consumers: Consumers[M],
        most: int,
        visibility_timeout: float | None,
        then: Callable[[list[M]], None],
    ) -> None:
        self._consumers = consumers
        self.most = most
        self.visibility_timeout = visibility_timeout
        self.then = then

    def cancel(self) -> None:
        """Wait no longer."""
        self._consumers.leave(self)


class Consumers(Generic[M]):
    """The polls of a queue, which are served in an action of the clock, first come, first served.

    Waiting keeps no clock running. Only while anyone waits there is a timer: one, for the next message that is to be
    seen.

    Args:
        clock: Runs the actions.
        held: The messages.
        receive: Takes messages for a poll; an empty list if there are none.
    """

    def __init__(self, clock: Clock, held: Held, receive: Callable[[Poll[M]], list[M]]) -> None:
        self._clock = clock
        self._held = held
        self._receive = receive
        self._polls: deque[Poll[M]] = deque()
        self._serving = False
        self._timer: Timer | None = None
        self._timer_due: float | None = None

    def wait(self, most: int, visibility_timeout: float | None, then: Callable[[list[M]], None]) -> Poll[M]:
        """Be given up to so many messages, once, as soon as there are some."""
        poll = Poll(self, most, visibility_timeout, then)
        self._polls.append(poll)
        self.wake()
        return poll

    def leave(self, poll: Poll[M]) -> None:
        """Wait no longer."""
        if poll in self._polls:
            self._polls.remove(poll)
            self._arm()

    def wake(self) -> None:
        """Messages came, went or changed: serve those who wait now, or when there will be something."""
        if not self._polls or self._serving:
            return
        if self._held.visible:
            self._serving = True
            self._clock.at(self._clock.now, self._serve)
        else:
            self._arm()

    def _serve(self) -> None:
        self._serving = True
        try:
            while self._polls and (messages := self._receive(self._polls[0])):
                self._polls.popleft().then(messages)
        finally:
            self._serving = False
            self._arm()

    def _arm(self) -> None:
        due = self._held.next_change if self._polls else None
        if due == self._timer_due:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = due
        self._timer = None if due is None else self._clock.at(due, self._time_out)

    def _time_out(self) -> None:
        self._timer_due = self._timer = None
        self._serve()
