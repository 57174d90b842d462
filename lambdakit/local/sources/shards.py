"""What has its records in shards, each a log in order: how mappings read it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Generic

from typing_extensions import TypeVar

from lambdakit.local.sources.log import Log, Logged
from lambdakit.local.sources.reading import Page, Position, ShardStart, StartingPosition
from lambdakit.local.sources.source import EventSource, SourceError
from lambdakit.triggers.settings import check_time

if TYPE_CHECKING:
    from lambdakit.local.sources.source import Place

R = TypeVar("R", bound=Logged)


class Shard(Generic[R]):
    """One shard.

    Attributes:
        shard_id: Its name.
        parents: The names of the shards it was made of.
        log: Its records.
        closed: Whether it takes no more.
    """

    __slots__ = ("closed", "log", "parents", "shard_id")

    def __init__(self, shard_id: str, parents: tuple[str, ...] = ()) -> None:
        self.shard_id = shard_id
        self.parents = parents
        self.log: Log[R] = Log()
        self.closed = False

    def __repr__(self) -> str:
        return f"<Shard {self.shard_id}: {len(self.log)} records{', closed' if self.closed else ''}>"


class LogWait:
    """One that waits for a record."""

    __slots__ = ("_then",)

    def __init__(self, then: Callable[[], None]) -> None:
        self._then: Callable[[], None] | None = then

    def cancel(self) -> None:
        """Wait no longer."""
        self._then = None

    def tell(self) -> None:
        """There is one."""
        if self._then is not None:
            self._then()


class ShardedSource(EventSource, Generic[R]):
    """A resource whose records lie in shards.

    Args:
        name: The resource's name.
        place: Where it is.
        arn: The ARN of what is read.
        retention: How long it keeps records, in seconds.

    Attributes:
        read_by: Of each reader, up to which position of each shard it is done; 0 is the first record that ever was.
    """

    page_records: ClassVar[int] = 10_000
    page_bytes: ClassVar[int] = 10 * 1024 * 1024
    """What is read at once, at most."""
    poll_seconds: ClassVar[float]
    """How long after a poll that found nothing the next one comes."""

    def __init__(self, name: str, place: Place, arn: str, *, retention: float) -> None:
        super().__init__(name, place, arn)
        self.retention = retention
        self.read_by: dict[str, dict[str, int]] = {}
        self._logs: dict[str, Shard[R]] = {}
        self._watchers: list[Callable[[Sequence[ShardStart]], None]] = []

    @property
    def trimmed(self) -> int:
        """How many records were too old and fell off."""
        return sum(self._trimmed(shard).log.trimmed for shard in self._logs.values())

    # What a mapping does with it: see ShardSource.

    def shards(
        self,
        reader: str,
        start: StartingPosition,
        timestamp: datetime | None,
        then: Callable[[Sequence[ShardStart]], None],
    ) -> None:
        """Tell of all shards, and again of those that are added later."""
        done = self.read_by.setdefault(reader, {})
        self._watchers.append(then)
        then(
            [
                ShardStart(
                    shard.shard_id, shard.parents, done.get(shard.shard_id, self._begin(shard, start, timestamp))
                )
                for shard in self._logs.values()
            ]
        )

    def read(
        self,
        shard_id: str,
        position: Position,
        most: int,
        then: Callable[[Page[R]], None],
        failed: Callable[[SourceError], None],
    ) -> None:
        """Read at most so many records."""
        then(self._page(self._logs[shard_id], position, min(most, self.page_records)))

    def wait(self, shard_id: str, position: Position, then: Callable[[], None]) -> LogWait:
        """Tell once when there is something to read at that position, or the shard is closed."""
        shard, wait = self._logs[shard_id], LogWait(then)
        if shard.closed or position < shard.log.end:
            self._later(wait.tell)
        else:
            shard.log.wait(lambda: self._later(wait.tell))
        return wait

    def checkpoint(self, reader: str, shard_id: str, position: Position) -> None:
        """A reader is done with all records before that position."""
        self.read_by[reader][shard_id] = position

    # What a subclass does.

    def _open(self, shards: Sequence[Shard[R]]) -> None:
        """Add shards, and tell those who read."""
        self._logs |= {shard.shard_id: shard for shard in shards}
        starts = [ShardStart(shard.shard_id, shard.parents, 0) for shard in shards]
        for watcher in self._watchers:
            watcher(starts)

    def _close(self, shard: Shard[R]) -> None:
        shard.closed = True
        shard.log.wake()

    def _add(self, shard: Shard[R], record: R) -> R:
        self._trimmed(shard).log.append(record)
        return record

    @property
    def _epoch(self) -> float:
        return self._clock.epoch + self._clock.now

    def _later(self, then: Callable[[], None]) -> None:
        self._clock.at(self._clock.now, then)

    def _trimmed(self, shard: Shard[R]) -> Shard[R]:
        shard.log.trim(self._epoch - self.retention)
        return shard

    def _page(self, shard: Shard[R], position: int, most: int) -> Page[R]:
        log = self._trimmed(shard).log
        records = log.read(position, most, self.page_bytes)
        first = max(position, log.trimmed)
        after = first + len(records)
        more = after < log.end
        return Page(records, range(first, after), after, more, shard.closed and not more, first - position)

    def _begin(self, shard: Shard[R], start: str, timestamp: datetime | None) -> int:
        log = self._trimmed(shard).log
        if start == "TRIM_HORIZON":
            return log.trimmed
        if start == "LATEST":
            return log.end
        if start == "AT_TIMESTAMP" and timestamp is not None:
            check_time("timestamp", timestamp)
            return log.at_time(timestamp.timestamp())
        raise SourceError("InvalidArgumentException", f"{start} is no type of shard iterator, or its value is missing.")
