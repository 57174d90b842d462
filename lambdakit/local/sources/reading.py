"""How the shards of a source are read: the face that a stream, a table's stream and a topic have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Generic, Literal, Protocol

from typing_extensions import TypeVar

from lambdakit.local.sources.log import Logged

if TYPE_CHECKING:
    from lambdakit.local.sources.source import SourceError

R_co = TypeVar("R_co", bound=Logged, covariant=True)

Position = int
"""Where in a shard a record lies, or reading goes on: larger than those before. What it counts, its source knows."""

StartingPosition = Literal["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"]
"""Where reading begins: with the oldest record there is, the next one, or the first since a time."""


@dataclass(frozen=True, slots=True)
class ShardStart:
    """A shard, and where to begin in it.

    Attributes:
        shard_id: The shard.
        parents: The shards it came from, which are read to their end before it.
        position: Where to begin.
    """

    shard_id: str
    parents: tuple[str, ...]
    position: Position


@dataclass(frozen=True, slots=True)
class Page(Generic[R_co]):
    """What was read.

    Attributes:
        records: The records, in order.
        positions: Where each of them lies.
        position: Where to go on.
        more: Whether there is more to be read at once.
        ended: Whether the shard is closed and was read to its end.
        trimmed: How many records fell off the shard before they were read.
    """

    records: Sequence[R_co]
    positions: Sequence[Position]
    position: Position
    more: bool = False
    ended: bool = False
    trimmed: int = 0


class Wait(Protocol):
    """One that waits for something to read."""

    def cancel(self) -> None:
        """Wait no longer."""
        ...


class ShardSource(Protocol[R_co]):
    """A source whose records lie in shards, in order.

    What is answered is answered in the action of a clock, the first answer of ``shards`` perhaps at once.
    """

    @property
    def name(self) -> str:
        """The name of what is read."""
        ...

    @property
    def arn(self) -> str:
        """Its ARN."""
        ...

    @property
    def retention(self) -> float:
        """How long a record stays, in seconds."""
        ...

    @property
    def poll_seconds(self) -> float:
        """How long after a poll that found nothing the next one comes."""
        ...

    def shards(
        self,
        reader: str,
        start: StartingPosition,
        timestamp: datetime | None,
        then: Callable[[Sequence[ShardStart]], None],
    ) -> None:
        """Tell of all shards, and again of those that are added later.

        A reader that was there before goes on where it was.
        """
        ...

    def read(
        self,
        shard_id: str,
        position: Position,
        most: int,
        then: Callable[[Page[R_co]], None],
        failed: Callable[[SourceError], None],
    ) -> None:
        """Read at most so many records; a page may be empty."""
        ...

    def wait(self, shard_id: str, position: Position, then: Callable[[], None]) -> Wait:
        """Tell once when there may be something to read at that position."""
        ...

    def checkpoint(self, reader: str, shard_id: str, position: Position) -> None:
        """A reader is done with all records before that position."""
        ...
