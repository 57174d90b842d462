"""The order in which a queue hands out the messages that are to be seen."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Protocol

from lambdakit.local.sources.messages import VISIBLE, Message

if TYPE_CHECKING:
    from random import Random

_NEAR = 100
"""How far from the front a message may be that is handed out too early."""


class Line(Protocol):
    """Messages that wait to be received. One that is gone, or hidden again, may stay: it is passed over."""

    def put(self, message: Message) -> None:
        """Have a message wait that does not."""
        ...

    def take(self, most: int) -> list[Message]:
        """The next messages, so many or as many as there are."""
        ...

    def settle(self, message: Message) -> None:
        """A message that was taken is gone, or waits again."""
        ...


class StandardLine:
    """First come, first served; by chance a message is served before those in front of it.

    Args:
        random: Decides.
        reordering: The probability of that.
    """

    __slots__ = ("_messages", "_random", "_reordering")

    def __init__(self, random: Random, reordering: float) -> None:
        self._messages: deque[Message] = deque()
        self._random = random
        self._reordering = reordering

    def put(self, message: Message) -> None:
        """At the end: also one that was received before."""
        message.lined_up = True
        self._messages.append(message)

    def take(self, most: int) -> list[Message]:
        """From the front."""
        messages = self._messages
        taken: list[Message] = []
        while messages and len(taken) < most:
            if self._reordering:
                self._reorder()
            message = messages.popleft()
            message.lined_up = False
            if message.state == VISIBLE:
                taken.append(message)
        return taken

    def settle(self, message: Message) -> None:
        """Nobody waited for it."""

    def _reorder(self) -> None:
        if self._random.random() < self._reordering:
            other = self._random.randrange(min(len(self._messages), _NEAR))
            messages = self._messages
            messages[0], messages[other] = messages[other], messages[0]


class Group:
    """The messages of a group: those that wait, by their number, and how many are in flight."""

    __slots__ = ("in_flight", "waiting")

    def __init__(self) -> None:
        self.waiting: list[tuple[int, Message]] = []
        self.in_flight = 0


class FifoLine:
    """By number in each group. While a message of a group is in flight, no other one of it is handed out.

    The group whose first message is oldest comes first, and as much of it as is asked for is taken before the next.
    """

    __slots__ = ("_groups", "_open")

    def __init__(self) -> None:
        self._groups: dict[str, Group] = {}
        self._open: list[tuple[int, str]] = []
        """The groups of which nothing is in flight, by their first message; also such as are no longer open."""

    def put(self, message: Message) -> None:
        """In its old place, if it was received before."""
        message.lined_up = True
        group_id = message.message_group_id or ""
        group = self._groups.get(group_id)
        if group is None:
            group = self._groups[group_id] = Group()
        heappush(group.waiting, (message.number, message))
        if not group.in_flight and group.waiting[0][1] is message:
            heappush(self._open, (message.number, group_id))

    def take(self, most: int) -> list[Message]:
        """Of as many groups as it takes."""
        taken: list[Message] = []
        while self._open and len(taken) < most:
            number, group_id = heappop(self._open)
            group = self._groups.get(group_id)
            if group and not group.in_flight and group.waiting and group.waiting[0][0] == number:
                self._take_of(group_id, group, most, taken)
        return taken

    def settle(self, message: Message) -> None:
        """Its group is open again if this was the last one in flight."""
        group_id = message.message_group_id or ""
        group = self._groups[group_id]
        group.in_flight -= 1
        if not group.in_flight:
            self._open_or_forget(group_id, group)

    def _take_of(self, group_id: str, group: Group, most: int, taken: list[Message]) -> None:
        while group.waiting and len(taken) < most:
            _, message = heappop(group.waiting)
            message.lined_up = False
            if message.state == VISIBLE:
                group.in_flight += 1
                taken.append(message)
        if not group.in_flight:
            self._open_or_forget(group_id, group)

    def _open_or_forget(self, group_id: str, group: Group) -> None:
        if group.waiting:
            heappush(self._open, (group.waiting[0][0], group_id))
        else:
            del self._groups[group_id]
