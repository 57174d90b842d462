"""Shards: logs that share the hash keys among them, and are split and merged.

Source: https://docs.aws.amazon.com/streams/latest/dev/key-concepts.html
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import md5
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, Protocol

from typing_extensions import TypeVar

from lambdakit.local.sources.log import Log, Logged
from lambdakit.local.sources.reading import Page, Position, ShardStart, StartingPosition
from lambdakit.local.sources.source import Source, SourceError

if TYPE_CHECKING:
    from lambdakit.local.clock import Clock

HASH_KEYS = 2**128
"""How many hash keys there are: MD5 has 128 bits."""

IteratorType = Literal["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"]


class Sequenced(Logged, Protocol):
    """A record of a shard."""

    __slots__ = ()

    @property
    def sequence_number(self) -> str:
        """Larger than those of all records before it in its shard; digits."""
        ...


R = TypeVar("R", bound=Sequenced)


class Shard(Generic[R]):
    """One shard.

    Attributes:
        shard_id: Its name.
        parents: The names of the shards it was made of: one after a split, two after a merge.
        starting_hash_key, ending_hash_key: The hash keys it takes, the last one included.
        log: Its records.
        closed: Whether it takes no more, because it was split or merged.
    """

    __slots__ = ("closed", "ending_hash_key", "log", "parents", "shard_id", "starting_hash_key")

    def __init__(self, shard_id: str, parents: tuple[str, ...], starting_hash_key: int, ending_hash_key: int) -> None:
        self.shard_id = shard_id
        self.parents = parents
        self.starting_hash_key = starting_hash_key
        self.ending_hash_key = ending_hash_key
        self.log: Log[R] = Log()
        self.closed = False

    @property
    def hash_keys(self) -> int:
        """How many hash keys it takes."""
        return self.ending_hash_key - self.starting_hash_key + 1

    def __repr__(self) -> str:
        return f"<Shard {self.shard_id}: {len(self.log)} records{', closed' if self.closed else ''}>"


@dataclass(frozen=True, slots=True)
class Records(Generic[R]):
    """The answer of GetRecords.

    Attributes:
        records: The records, in order.
        next_shard_iterator: Where to go on; None at the end of a closed shard.
        millis_behind_latest: How long ago the first record arrived that was not read, in milliseconds.
        child_shards: The names of the shards that follow, at the end of a closed shard.
    """

    records: list[R]
    next_shard_iterator: str | None
    millis_behind_latest: int
    child_shards: tuple[str, ...] = ()


class ShardedSource(Source, Generic[R]):
    """A resource whose records lie in shards.

    Args:
        clock: Tells the time.
        name: The resource's name.
        arn: The ARN of what is read.
        shard_count: How many shards it begins with; they share the hash keys evenly.
        retention: How long it keeps records, in seconds.
    """

    iterator_seconds: ClassVar[int] = 300
    """How long an iterator is good for."""
    page_records: ClassVar[int] = 10_000
    page_bytes: ClassVar[int] = 10 * 1024 * 1024
    """What one call of GetRecords answers with at most."""

    def __init__(self, clock: Clock, name: str, arn: str, *, shard_count: int, retention: float) -> None:
        super().__init__(clock, name, arn)
        self.retention = retention
        self._shards: dict[str, Shard[R]] = {}
        self._open: list[Shard[R]] = []
        self._starts: list[int] = []
        self._watchers: list[Callable[[Sequence[ShardStart]], None]] = []
        starts = [number * (HASH_KEYS // shard_count) for number in range(shard_count)]
        self._replace([], [self._new((), first, after - 1) for first, after in pairwise([*starts, HASH_KEYS])])

    # What a test does with it.

    def list_shards(self) -> list[Shard[R]]:
        """All shards, in the order they were made, the closed ones too."""
        self._trim()
        return list(self._shards.values())

    def shard(self, shard_id: str) -> Shard[R]:
        """A shard by its name.

        Raises:
            SourceError: ``ResourceNotFoundException``.
        """
        if shard_id not in self._shards:
            raise SourceError("ResourceNotFoundException", f"Could not find shard {shard_id} in {self._where}.")
        return self._shards[shard_id]

    @property
    def trimmed(self) -> int:
        """How many records were too old and fell off."""
        self._trim()
        return sum(shard.log.trimmed for shard in self._shards.values())

    def get_shard_iterator(
        self,
        shard_id: str,
        shard_iterator_type: IteratorType,
        starting_sequence_number: str = "",
        timestamp: datetime | None = None,
    ) -> str:
        """Where to begin to read a shard, as ``get_records`` takes it, for five minutes.

        Args:
            shard_id: The shard.
            shard_iterator_type: ``TRIM_HORIZON``, ``LATEST``, ``AT_SEQUENCE_NUMBER``, ``AFTER_SEQUENCE_NUMBER`` or
                ``AT_TIMESTAMP``.
            starting_sequence_number: For those with a sequence number; of one that fell off, reading begins with the
                oldest record.
            timestamp: For ``AT_TIMESTAMP``: an aware datetime.

        Raises:
            SourceError: ``ResourceNotFoundException``, ``InvalidArgumentException``.
        """
        shard = self._trimmed(self.shard(shard_id))
        if shard_iterator_type in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
            position = self._numbered(shard, starting_sequence_number, after=shard_iterator_type.startswith("AFTER"))
        else:
            position = self._begin(shard, shard_iterator_type, timestamp)
        return self._iterator(shard_id, position)

    def get_records(self, shard_iterator: str, limit: int = 0) -> Records[R]:
        """Read from where an iterator points.

        Args:
            shard_iterator: Where.
            limit: The most records; by default, and at most, 10,000 of together 10 MB.

        Raises:
            SourceError: ``ExpiredIteratorException``, ``InvalidArgumentException``.
        """
        shard, position = self._pointed(shard_iterator)
        page = self._page(shard, position, min(limit or self.page_records, self.page_records))
        behind = self._epoch - shard.log[position + page.trimmed + len(page.records)].arrived if page.more else 0.0
        children = [child.shard_id for child in self._shards.values() if shard.shard_id in child.parents]
        return Records(
            list(page.records),
            None if page.ended else self._iterator(shard.shard_id, page.position),
            round(behind * 1000),
            tuple(children) if page.ended else (),
        )

    # What a mapping does with it.

    def shards(
        self, start: StartingPosition, timestamp: datetime | None, then: Callable[[Sequence[ShardStart]], None]
    ) -> None:
        """Tell of all shards, and again of those that are added later."""
        self._trim()
        starts = [
            ShardStart(shard.shard_id, shard.parents, self._begin(shard, start, timestamp))
            for shard in self._shards.values()
        ]
        self._watchers.append(then)
        then(starts)

    def read(
        self,
        shard_id: str,
        position: Position,
        most: int,
        then: Callable[[Page[R]], None],
        failed: Callable[[SourceError], None],
    ) -> None:
        """Read at most so many records."""
        assert isinstance(position, int)
        then(self._page(self._shards[shard_id], position, min(most, self.page_records)))

    def wait(self, shard_id: str, position: Position, then: Callable[[], None]) -> None:
        """Tell once when there is something to read at that position, or the shard is closed."""
        assert isinstance(position, int)
        shard = self._shards[shard_id]
        if shard.closed or position < shard.log.end:
            self._clock.at(self._clock.now, then)
        else:
            shard.log.wait(lambda: self._later(then))

    def checkpoint(self, shard_id: str, position: Position) -> None:
        """The mapping keeps its checkpoint itself."""

    # Shards and their hash keys.

    def _add(self, shard: Shard[R], record: R) -> R:
        shard.log.trim(self._epoch - self.retention)
        shard.log.append(record)
        return record

    def _of_hash(self, hash_key: int) -> Shard[R]:
        """The open shard that takes a hash key."""
        return self._open[bisect_right(self._starts, hash_key) - 1]

    def _split(self, shard: Shard[R], hash_key: int) -> None:
        lower = self._new((shard.shard_id,), shard.starting_hash_key, hash_key - 1)
        upper = self._new((shard.shard_id,), hash_key, shard.ending_hash_key)
        self._replace([shard], [lower, upper])

    def _merge(self, lower: Shard[R], upper: Shard[R]) -> None:
        parents = (lower.shard_id, upper.shard_id)
        self._replace([lower, upper], [self._new(parents, lower.starting_hash_key, upper.ending_hash_key)])

    def _new(self, parents: tuple[str, ...], starting_hash_key: int, ending_hash_key: int) -> Shard[R]:
        shard: Shard[R] = Shard(self._shard_id(len(self._shards)), parents, starting_hash_key, ending_hash_key)
        self._shards[shard.shard_id] = shard
        return shard

    def _replace(self, old: Sequence[Shard[R]], new: Sequence[Shard[R]]) -> None:
        """Close shards, and open those that follow them. Whoever reads learns of the new ones first."""
        self._open = sorted((set(self._open) | set(new)) - set(old), key=lambda shard: shard.starting_hash_key)
        self._starts = [shard.starting_hash_key for shard in self._open]
        starts = [ShardStart(shard.shard_id, shard.parents, 0) for shard in new]
        for watcher in self._watchers:
            watcher(starts)
        for shard in old:
            shard.closed = True
            shard.log.wake()

    def _shard_id(self, number: int) -> str:
        return f"shardId-{number:012d}"

    # Reading.

    @property
    def _epoch(self) -> float:
        return self._clock.epoch + self._clock.now

    @property
    def _where(self) -> str:
        return f"stream {self.name} under account {self.arn.split(':')[4]}"

    def _later(self, then: Callable[[], None]) -> None:
        self._clock.at(self._clock.now, then)

    def _trim(self) -> None:
        for shard in self._shards.values():
            self._trimmed(shard)

    def _trimmed(self, shard: Shard[R]) -> Shard[R]:
        shard.log.trim(self._epoch - self.retention)
        return shard

    def _page(self, shard: Shard[R], position: int, most: int) -> Page[R]:
        log = self._trimmed(shard).log
        records = log.read(position, most, self.page_bytes)
        first = max(position, log.trimmed)
        after = first + len(records)
        more = after < log.end
        return Page(records, after, more, shard.closed and not more, first - position)

    def _begin(self, shard: Shard[R], start: str, timestamp: datetime | None) -> int:
        if start == "TRIM_HORIZON":
            return shard.log.trimmed
        if start == "LATEST":
            return shard.log.end
        if start == "AT_TIMESTAMP" and timestamp is not None:
            return shard.log.at_time(timestamp.timestamp())
        raise SourceError("InvalidArgumentException", f"{start} is no type of shard iterator, or its value is missing.")

    def _numbered(self, shard: Shard[R], sequence_number: str, *, after: bool) -> int:
        """The position of a sequence number, or the one after it; the oldest record's if that one fell off."""
        log = shard.log
        number = int(sequence_number) if sequence_number.isdecimal() else HASH_KEYS**2
        positions = range(log.trimmed, log.end)
        position = log.trimmed + bisect_left(positions, number, key=lambda place: int(log[place].sequence_number))
        found = position < log.end and int(log[position].sequence_number) == number
        if not found and (position > log.trimmed or not log.trimmed):
            raise SourceError(
                "InvalidArgumentException",
                f"StartingSequenceNumber {sequence_number} used in GetShardIterator on shard {shard.shard_id} in "
                f"{self._where} is invalid.",
            )
        return position + (found and after)

    def _iterator(self, shard_id: str, position: Position) -> str:
        return b64encode(json.dumps([self.arn, shard_id, position, self._epoch]).encode()).decode()

    def _pointed(self, shard_iterator: str) -> tuple[Shard[R], int]:
        """Where an iterator points."""
        try:
            arn, shard_id, position, made = json.loads(b64decode(shard_iterator, validate=True))
        except (ValueError, TypeError):
            arn, shard_id, position, made = "", "", 0, 0.0
        if arn != self.arn:
            raise SourceError("InvalidArgumentException", "Invalid ShardIterator.")
        if self._epoch - made > self.iterator_seconds:
            raise SourceError("ExpiredIteratorException", _expired(made, self._epoch, self.iterator_seconds))
        return self._shards[shard_id], position


def hash_key_of(partition_key: str) -> int:
    """The hash key of a partition key: its MD5."""
    return int.from_bytes(md5(partition_key.encode(), usedforsecurity=False).digest())


def _expired(made: float, now: float, seconds: int) -> str:
    return (
        f"Iterator expired. The iterator was created at time {_java_time(made)} while right now it is "
        f"{_java_time(now)} which is further in the future than the tolerated delay of {seconds * 1000} milliseconds."
    )


def _java_time(epoch: float) -> str:
    return f"{datetime.fromtimestamp(epoch, UTC):%a %b %d %H:%M:%S UTC %Y}"
