"""The tumbling windows of a shard: which records belong together, and the state they share. Decided without I/O.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

MAX_STATE_BYTES = 1024 * 1024
"""The largest state; one that is larger ends its window early."""
QUIET_SECONDS = 120.0
"""How long after the last record a window is taken to be over, if its end has passed."""
FRESH = b"{}"


@dataclass(frozen=True, slots=True)
class Window:
    """A window of time, in whole seconds of Unix time; ``end`` is the first second after it."""

    start: int
    end: int


class TumblingWindows:
    """The windows of one shard, one after the other.

    Args:
        length: How long each is, in seconds; they begin at multiples of it in Unix time.
        epoch: Unix time of second 0.

    Attributes:
        gathering: The window of the record that was added last, until it is closed.
        state: What the calls for the window that is being worked on returned last, as JSON.
    """

    def __init__(self, length: int, epoch: float) -> None:
        self._length = length
        self._epoch = epoch
        self.gathering: Window | None = None
        self.state = FRESH

    def of(self, arrived: float) -> Window:
        """The window of a record that arrived then, in seconds."""
        start = floor((arrived + self._epoch) / self._length) * self._length
        return Window(start, start + self._length)

    def over(self, latest: float) -> float | None:
        """When the window that is open is over unless a record comes; ``latest`` is when something happened last."""
        if self.gathering is None:
            return None
        return max(self.gathering.end - self._epoch, latest + QUIET_SECONDS)

    def accept(self, state: bytes) -> bool:
        """Keep a state. Returns whether it is small enough to go on with."""
        self.state = state
        return len(state) <= MAX_STATE_BYTES
