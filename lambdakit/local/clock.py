"""What tells the local Lambda the time, virtual or real: its face."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from random import Random


T = TypeVar("T")


class Timer(Protocol):
    """An action that is due at some time."""

    def cancel(self) -> None:
        """Do nothing when the time comes; nothing happens either if it has come."""
        ...


class Clock(Protocol):
    """Runs actions when they are due, one at a time, in the order of their time.

    Whatever the service decides is decided in such an action, so that no lock is needed and nothing is decided twice.
    """

    random: Random
    """The seeded source of all decisions."""
    threaded: bool
    """Whether actions run in a thread of the clock's own."""

    @property
    def now(self) -> float:
        """Seconds since the start."""
        ...

    @property
    def epoch(self) -> float:
        """Unix time of the start."""
        ...

    @property
    def today(self) -> datetime:
        """The date and time that it is, aware."""
        ...

    def at(self, when: float, action: Callable[[], None], *, background: bool = False) -> Timer:
        """Have an action run at a time, in seconds since the start; one in the past is due now.

        In the ``background`` it runs when time passes over it, but is nothing that is left to do: so an endless
        schedule, or a poll of what may stay empty, does not keep the clock running.
        """
        ...

    def call(self, function: Callable[[], T]) -> T:
        """Do something as an action does, while no action runs, and return its result.

        Raises:
            BaseException: what it raised.
        """
        ...

    def run(self, until: float | None = None) -> None:
        """Let time pass until nothing is left to do, or until that second.

        Raises:
            ClockError: a handler called it, or the clock runs already.
            BaseException: what an action raised.
        """
        ...

    def run_while(self, waiting: Callable[[], bool]) -> None:
        """Let time pass as long as that is true and anything is left to do.

        Raises:
            ClockError: a handler called it, or the clock runs already.
            BaseException: what an action raised.
        """
        ...

    def close(self) -> None:
        """The service is over: nothing is due any more."""
        ...
