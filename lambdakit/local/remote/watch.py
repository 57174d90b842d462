"""A request that is made again and again until it finds something."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Generic

from lambdakit.local.remote.calls import A, Call, Calls

if TYPE_CHECKING:
    from lambdakit.local.clock import Clock
    from lambdakit.local.sources.source import SourceError

PACE = 0.2
"""Seconds between two requests, at least, where the first found nothing."""


class Watch(Generic[A]):
    """Watches a source until it finds something.

    ``run`` waits until the source was found empty. From then on it is watched in the background; who begins to wait
    then, waits for one more request, which is made after that.

    A subclass makes the request, takes the answer, and says when the next one is due.

    Args:
        calls: Has requests made.
        clock: Tells the time.

    Attributes:
        cancelled: Whether nobody wants to know any more.
    """

    def __init__(self, calls: Calls, clock: Clock) -> None:
        self.cancelled = False
        self._calls = calls
        self._clock = clock
        self._call: Call[A] | None = None

    def cancel(self) -> None:
        """Look no longer."""
        self.cancelled = True
        if self._call is not None:
            self._calls.cancel(self._call)

    def ask(self, *, again: bool = False, idle: bool = False) -> None:
        """Make the request; for actions to call.

        Args:
            again: Whether the one before found nothing.
            idle: Whether nobody waits for what it finds.
        """
        self._call = Call(
            partial(self._request, quick=again and not idle),
            self._answered,
            self._refused,
            background=idle,
            due=self._due(again=again, idle=idle),
            soonest=self._due(again=again, idle=False),
        )
        self._calls.start(self._call)

    def _request(self, *, quick: bool) -> A:
        """Make the request, in a thread; a quick one only makes sure of what was found just now."""
        raise NotImplementedError

    def _take(self, answer: A) -> bool:
        """Take an answer; and tell whether it was anything. It may come after ``cancel``."""
        raise NotImplementedError

    def _failed(self, error: SourceError) -> None:
        """There is no answer."""
        raise NotImplementedError

    def _due(self, *, again: bool, idle: bool) -> float:
        """When to ask, in seconds of the clock."""
        raise NotImplementedError

    def _refused(self, error: SourceError) -> None:
        if not self.cancelled:
            self._failed(error)

    def _answered(self, answer: A) -> None:
        assert self._call is not None
        if not self._take(answer) and not self.cancelled:
            self.ask(again=True, idle=self._call.waits == self._calls.waits)
