"""A log: records in order, which are added at its end and fall off its beginning when they are too old."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Generic, Protocol

from typing_extensions import TypeVar


class Logged(Protocol):
    """What a log holds."""

    __slots__ = ()

    @property
    def arrived(self) -> float:
        """When it was added, in Unix time."""
        ...

    @property
    def size(self) -> int:
        """What it counts for where reading is limited, in bytes."""
        ...


R = TypeVar("R", bound=Logged)

_FEW = 1_000
"""So many records that fell off are not worth the trouble of moving the others."""


class Log(Generic[R]):
    """Records by position: 0 is the first that ever was.

    Attributes:
        trimmed: How many were too old and fell off; the position of the first that is left.
    """

    __slots__ = ("_dropped", "_records", "_waiting", "trimmed")

    def __init__(self) -> None:
        self.trimmed = 0
        self._records: list[R] = []
        self._dropped = 0  # of those that fell off, how many are no longer in the list
        self._waiting: list[Callable[[], None]] = []

    @property
    def end(self) -> int:
        """The position of the next record."""
        return self._dropped + len(self._records)

    def __len__(self) -> int:
        return self.end - self.trimmed

    def __iter__(self) -> Iterator[R]:
        return iter(self._records[self.trimmed - self._dropped :])

    def __getitem__(self, position: int) -> R:
        return self._records[position - self._dropped]

    def append(self, record: R) -> None:
        """Add a record, and tell those who wait for one."""
        self._records.append(record)
        if self._waiting:
            self.wake()

    def trim(self, oldest: float) -> None:
        """Let what arrived before that time fall off."""
        records, first = self._records, self.trimmed - self._dropped
        if first == len(records) or records[first].arrived >= oldest:
            return
        self.trimmed = self.at_time(oldest)
        if self.trimmed - self._dropped > max(_FEW, len(records) // 2):
            del records[: self.trimmed - self._dropped]
            self._dropped = self.trimmed

    def read(self, position: int, most: int, room: float = float("inf")) -> list[R]:
        """The records from a position on: at most so many, and one or what has room in so many bytes."""
        first = max(position, self.trimmed) - self._dropped
        records = self._records[first : first + most]
        for number, record in enumerate(records):
            room -= record.size
            if room < 0 < number:
                return records[:number]
        return records

    def at_time(self, arrived: float) -> int:
        """The position of the first record that arrived at that time or later."""
        first = self.trimmed - self._dropped
        return self._dropped + bisect_left(self._records, arrived, first, key=attrgetter("arrived"))

    def wait(self, then: Callable[[], None]) -> None:
        """Be told once when something is added, or when nothing more will be."""
        self._waiting.append(then)

    def wake(self) -> None:
        """Tell those who wait."""
        waiting, self._waiting = self._waiting, []
        for then in waiting:
            then()
