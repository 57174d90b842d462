"""What a clock has to do: actions in the order of their time, some of which are called off."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heapify, heappop, heappush

_FEW = 1_000
"""So many cancelled timers are not worth the trouble of removing them."""


class Timer:
    """An action that is due at some time, unless it is cancelled before."""

    __slots__ = ("_agenda", "action")

    def __init__(self, agenda: Agenda, action: Callable[[], None]) -> None:
        self._agenda = agenda
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        """Do nothing when the time comes; nothing happens either if it has come."""
        if self.action is not None:
            self.action = None
            self._agenda.timer_cancelled()


_Entry = tuple[float, float, int, Timer]


class Agenda:
    """Two heaps of timers: what is to be done, and what is only done if time passes over it. It belongs to one thread.

    Attributes:
        due: What is to be done: time, what settles a tie, a counter, the timer.
        background: The others.
    """

    __slots__ = ("_cancelled", "_counter", "background", "due")

    def __init__(self) -> None:
        self.due: list[_Entry] = []
        self.background: list[_Entry] = []
        self._counter = 0
        self._cancelled = 0

    def add(self, when: float, timer: Timer, tie: float = 0.0, *, background: bool = False) -> None:
        """Enter a timer; of those due at one time, the lowest tie comes first, then the first that was entered."""
        self._counter += 1
        # The counter keeps timers from being compared.
        heappush(self.background if background else self.due, (when, tie, self._counter, timer))

    def pop(self) -> Callable[[], None] | None:
        """Take out what is due first; None if that was cancelled."""
        timer = heappop(self.due)[3]
        action, timer.action = timer.action, None
        if action is None:
            self._cancelled -= 1
        return action

    def next_time(self) -> float | None:
        """When the first timer is due that was not cancelled; None without any. The background does not count."""
        due = self.due
        while due and due[0][3].action is None:
            self.pop()
        return due[0][0] if due else None

    def call_forward(self, until: float) -> None:
        """Have those of the background done that time passes over until then."""
        background = self.background
        while background and background[0][0] <= until:
            heappush(self.due, heappop(background))

    def timer_cancelled(self) -> None:
        """Drop the timers that were cancelled once most are: time limits seldom come to pass."""
        self._cancelled += 1
        if self._cancelled > _FEW and self._cancelled > (len(self.due) + len(self.background)) / 2:
            for heap in (self.due, self.background):
                heap[:] = [entry for entry in heap if entry[3].action is not None]
                heapify(heap)
            self._cancelled = 0
