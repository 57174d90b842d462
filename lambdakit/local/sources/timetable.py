"""What is hidden until some time: messages that are in flight or delayed."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambdakit.local.sources.messages import Message


class Timetable:
    """Messages by the time at which each is to be seen again, in seconds.

    Those of one time are kept together: a batch is hidden at once, and costs the heap one entry.
    """

    __slots__ = ("_at", "_times")

    def __init__(self) -> None:
        self._at: dict[float, dict[Message, None]] = {}
        self._times: list[float] = []

    @property
    def earliest(self) -> float | None:
        """When the first message is due; None if none is hidden."""
        while self._times and self._times[0] not in self._at:
            heappop(self._times)
        return self._times[0] if self._times else None

    def add(self, message: Message, time: float) -> None:
        """Hide a message until then."""
        message.visible_at = time
        hidden = self._at.get(time)
        if hidden is None:
            self._at[time] = {message: None}
            heappush(self._times, time)
        else:
            hidden[message] = None

    def remove(self, message: Message) -> None:
        """Hide it no longer."""
        hidden = self._at[message.visible_at]
        del hidden[message]
        if not hidden:
            del self._at[message.visible_at]

    def due(self, now: float) -> Iterable[Message]:
        """Take out the messages that are due, in the order in which they were hidden."""
        times = self._times
        while times and times[0] <= now:
            yield from self._at.pop(heappop(times), ())
