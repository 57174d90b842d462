"""The virtual clock: one heap of what is due, on which time passes by jumping to the next of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar

from greenlet import getcurrent, greenlet

from lambdakit.local.agenda import Agenda, Timer
from lambdakit.local.errors import ClockError
from lambdakit.local.virtual.interrupts import INTERRUPTS
from lambdakit.local.virtual.waiting import current_strand

_NEVER = float("inf")
T = TypeVar("T")
_START = datetime(2026, 1, 1, tzinfo=UTC)
_running: VirtualClock | None = None
"""The one clock of this process that runs: it changes what ``time`` and ``datetime`` tell everyone."""


class VirtualClock:
    """Runs actions in the order of their time. No time passes between two calls of ``run``, nor inside an action.

    Args:
        seed: Settles every tie and all other chance: the same seed gives the same order.
        start: What the wall clock shows at second 0; an aware datetime.

    Attributes:
        now: Seconds since the start.
        epoch: Unix time of the start: in a handler ``time.time()`` is ``epoch + now``.
        random: The seeded source of all decisions.
        hub: The greenlet that runs the clock, to which all that wait hand over.

    >>> clock = VirtualClock()
    >>> timer = clock.at(90, lambda: print(clock.now))
    >>> clock.run()
    90
    """

    threaded = False

    def __init__(self, seed: int = 0, start: datetime = _START) -> None:
        if start.tzinfo is None:
            raise ValueError(f"start has no time zone: {start!r}; write datetime(..., tzinfo=UTC)")
        self.now = 0.0
        self.start = start
        self.epoch = start.timestamp()
        self.random = Random(seed)  # noqa: S311 - chance that can be repeated is the point
        self._draw = self.random.random
        self.hub: greenlet = getcurrent()
        self.surroundings: list[Callable[[], AbstractContextManager[object]]] = []
        self.observers: list[Callable[[], None]] = []
        self._agenda = Agenda()

    @property
    def today(self) -> datetime:
        """The date and time that it is."""
        return self.start + timedelta(seconds=self.now)

    def at(self, when: float, action: Callable[[], None], *, background: bool = False) -> Timer:
        """Have an action run at a time, in seconds since the start; one in the past is due now.

        In the ``background`` it runs when time passes over it, but no time passes for its sake.
        """
        timer, now = Timer(self._agenda, action), self.now
        when = when if when > now else now  # noqa: FURB136 - max() would take longer than all the rest
        self._agenda.add(when, timer, self._draw(), background=background)
        return timer

    def call(self, function: Callable[[], T]) -> T:
        """Do something here and now: no action runs meanwhile."""
        return function()

    def run(self, until: float | None = None) -> None:
        """Run what is due, and what becomes due of that: all of it, or up to and with that second.

        All of it is done when only the background is left: an endless schedule does not make an endless run.

        Raises:
            ClockError: a handler called it, or another clock runs already.
            ValueError: that second has passed.
            BaseException: what an action raised. The clock may be run again.
        """
        if until is not None and until < self.now:
            raise ValueError(f"it is second {self.now:g} already, and time does not go back to {until:g}")
        with self.surrounded():
            self._run(float("inf") if until is None else until)
            if until is not None:
                self._move(until)

    def run_while(self, waiting: Callable[[], bool]) -> None:
        """Run what is due as long as that is true and anything is left.

        Raises:
            ClockError: a handler called it, or another clock runs already.
            BaseException: what an action raised. The clock may be run again.
        """
        with self.surrounded():
            self._run(float("inf"), waiting)

    def close(self) -> None:
        """Nothing to end: it has no thread."""

    def surrounded(self) -> AbstractContextManager[object]:
        """Make this process what handlers are to find, until the end of a ``with`` block.

        Raises:
            ClockError: a handler called it, or another clock runs already.
        """
        self._refuse()
        self.hub = getcurrent()
        stack = ExitStack()
        _set_running(self)
        stack.callback(_set_running, None)
        try:
            for surrounding in self.surroundings:
                stack.enter_context(surrounding())
        except BaseException:
            stack.close()
            raise
        return stack

    def _run(self, until: float, waiting: Callable[[], bool] | None = None) -> None:
        agenda = self._agenda
        due = agenda.due
        while waiting is None or waiting():
            if agenda.background:
                self._call_forward(until)
            if not due or due[0][0] > until:
                break
            when = due[0][0]
            action = agenda.pop()
            if action is None:
                continue
            if when > self.now:
                self._move(when)
            action()
            if INTERRUPTS.pending:
                INTERRUPTS.raise_if_pending()

    def _call_forward(self, until: float) -> None:
        """Have those of the background done that time will pass over anyway."""
        when = self._agenda.next_time()
        passes = until if when is None else min(when, until)
        if passes < _NEVER:
            self._agenda.call_forward(passes)

    def _move(self, when: float) -> None:
        if when > self.now:
            self.now = when
            INTERRUPTS.progress += 1
            for observer in self.observers:
                observer()

    def _refuse(self) -> None:
        if current_strand() is not None:
            raise ClockError(
                "the virtual clock was run from inside a handler, which runs on it.",
                "A handler just waits: time.sleep(seconds). Run the clock in the test itself.",
            )
        if _running is not None:
            problem = "the virtual clock runs already." if _running is self else "another virtual clock is running."
            raise ClockError(
                problem, "Schedule with clock.at(when, action) from an action; run one clock after the other."
            )


def _set_running(clock: VirtualClock | None) -> None:
    global _running  # noqa: PLW0603 - one for the process, as what it changes is the process's
    _running = clock
