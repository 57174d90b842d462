"""The messages of a queue: which are to be seen, which are hidden and until when. Decided without I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from lambdakit.local.sources.messages import DELAYED, GONE, IN_FLIGHT, VISIBLE, Message
from lambdakit.local.sources.timetable import Timetable

if TYPE_CHECKING:
    from lambdakit.local.sources.lines import Line

_FEW = 1_000
"""So many messages that are gone are not worth the trouble of forgetting them."""


class Store:
    """Keeps messages. Nothing here takes longer the more there are, but for a logarithm; times are told, in seconds.

    Args:
        line: Says who is next.

    Attributes:
        delayed: How many messages are hidden as they were sent so.
        in_flight: How many are hidden as they were taken.
    """

    __slots__ = ("_hidden", "_late", "_line", "_messages", "_size", "_taken", "delayed", "in_flight")

    def __init__(self, line: Line) -> None:
        self.delayed = 0
        self.in_flight = 0
        self._line = line
        self._hidden = Timetable()
        self._messages: deque[Message] = deque()  # as they came; also some that are gone
        self._late: list[tuple[int, str, Message]] = []  # those older than one before them, by age
        self._taken: dict[str, Message] = {}  # those that were ever taken, by id
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Message]:
        return (message for message in self._messages if message.state != GONE)

    @property
    def visible(self) -> int:
        """How many messages are to be seen; in a FIFO queue also those that wait for others of their group."""
        return self._size - self.delayed - self.in_flight

    @property
    def next_change(self) -> float | None:
        """When the next message that is hidden is to be seen; None if none is."""
        return self._hidden.earliest

    def put(self, message: Message, until: float | None = None) -> None:
        """Keep a message, hidden until some time if that is given."""
        self._size += 1
        if self._messages and self._messages[-1].sent_timestamp > message.sent_timestamp:
            heappush(self._late, (message.sent_timestamp, message.message_id, message))
        self._messages.append(message)
        if until is None:
            message.state = VISIBLE
            self._line.put(message)
        else:
            message.state = DELAYED
            self.delayed += 1
            self._hidden.add(message, until)

    def take(self, most: int, until: float) -> list[Message]:
        """The next messages, which are in flight until then."""
        taken = self._line.take(most)
        for message in taken:
            message.state = IN_FLIGHT
            self._taken[message.message_id] = message
            self._hidden.add(message, until)
        self.in_flight += len(taken)
        return taken

    def find(self, message_id: str) -> Message | None:
        """A message that is here and was taken at some time."""
        return self._taken.get(message_id)

    def hide(self, message: Message, until: float) -> None:
        """Have a message that was taken be in flight until some other time."""
        if message.state == IN_FLIGHT:
            self._hidden.remove(message)
        else:
            message.state = IN_FLIGHT
            self.in_flight += 1
        self._hidden.add(message, until)

    def show(self, message: Message) -> None:
        """Have a message that is hidden be seen now."""
        self._hidden.remove(message)
        self._appear(message)

    def remove(self, message: Message) -> None:
        """Keep a message no longer."""
        state, message.state = message.state, GONE
        self._size -= 1
        self._taken.pop(message.message_id, None)
        if state == IN_FLIGHT:
            self.in_flight -= 1
            self._hidden.remove(message)
            self._line.settle(message)
        elif state == DELAYED:
            self.delayed -= 1
            self._hidden.remove(message)
        if len(self._messages) > 2 * self._size + _FEW:
            self._messages = deque(self)

    def pass_time(self, now: float, oldest: int) -> int:
        """Show what was hidden until now, and remove what is too old: sent by that time, in milliseconds.

        Returns:
            How many messages were too old.
        """
        for message in self._hidden.due(now):
            self._appear(message)
        expired = 0
        while self._messages and self._is_over(self._messages[0], oldest):
            expired += self._expire(self._messages.popleft())
        while self._late and self._is_over(self._late[0][2], oldest):
            expired += self._expire(heappop(self._late)[2])
        return expired

    def _appear(self, message: Message) -> None:
        was_in_flight = message.state == IN_FLIGHT
        message.state = VISIBLE
        if not message.lined_up:
            self._line.put(message)
        if was_in_flight:
            self.in_flight -= 1
            self._line.settle(message)
        else:
            self.delayed -= 1

    def _is_over(self, message: Message, oldest: int) -> bool:
        return message.state == GONE or message.sent_timestamp <= oldest

    def _expire(self, message: Message) -> bool:
        """Remove a message, unless it is gone."""
        if message.state == GONE:
            return False
        self.remove(message)
        return True
