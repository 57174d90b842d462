"""How a FIFO queue knows a message that was sent twice."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambdakit.local.sources.messages import Message

INTERVAL = 300
"""Seconds for which a FIFO queue remembers what was sent to it."""


class Deduplication:
    """The messages of the last five minutes, by what makes each the same as another."""

    __slots__ = ("_ages", "_messages")

    def __init__(self) -> None:
        self._messages: dict[Hashable, Message] = {}
        self._ages: deque[tuple[float, Hashable]] = deque()

    def find(self, key: Hashable, now: float) -> Message | None:
        """The message that was sent with this key, if that is not too long ago."""
        ages = self._ages
        while ages and ages[0][0] <= now:
            del self._messages[ages.popleft()[1]]
        return self._messages.get(key)

    def note(self, key: Hashable, message: Message, now: float) -> None:
        """Remember a message with a key that is not known."""
        self._messages[key] = message
        self._ages.append((now + INTERVAL, key))
