"""Kinesis data streams.

Source: https://docs.aws.amazon.com/streams/latest/dev/introduction.html
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lambdakit.local.sources.hash_keys import HASH_KEYS, HashedSource, HashShard, hash_key_of
from lambdakit.local.sources.source import SourceError
from lambdakit.testing.events.values import bytes_of

if TYPE_CHECKING:
    from lambdakit.local.sources.source import Place

MAX_RECORD_BYTES = 1024 * 1024
"""The largest record, its partition key included."""
SHARD_BYTES = 1024 * 1024
SHARD_RECORDS = 1_000
"""What one shard takes in a second."""


class KinesisRecord:
    """A record of a stream.

    Attributes:
        shard_id: The shard it lies in.
        sequence_number: Its number, larger than those of all records before it in the shard; 56 digits.
        partition_key: What chose the shard.
        data: What it holds.
        arrived: When it was put there, in Unix time, to the millisecond.
    """

    __slots__ = ("arrived", "data", "partition_key", "sequence_number", "shard_id")

    def __init__(self, shard_id: str, sequence_number: str, partition_key: str, data: bytes, arrived: float) -> None:
        self.shard_id = shard_id
        self.sequence_number = sequence_number
        self.partition_key = partition_key
        self.data = data
        self.arrived = arrived

    @property
    def size(self) -> int:
        """Data and partition key, in bytes."""
        return len(self.data) + len(self.partition_key)

    def __repr__(self) -> str:
        return f"<KinesisRecord {self.shard_id} {self.sequence_number}: {self.data[:40]!r}>"


class Stream(HashedSource[KinesisRecord]):
    """A Kinesis data stream.

    Args:
        name: The stream's name.
        place: Where it is.
        shard_count: How many shards it begins with.
        retention_period_hours: How long it keeps records: 24 to 8,760 hours.
        write_limits: Whether a shard takes no more than 1,000 records and 1 MB in a second, as in AWS.

    Attributes:
        arn: The stream's ARN.

    Raises:
        SourceError: ``InvalidArgumentException``: such a retention is not to be had.
    """

    kind = "kinesis"
    poll_seconds = 1.0

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        shard_count: int = 1,
        retention_period_hours: int = 24,
        write_limits: bool = False,
    ) -> None:
        arn = place.arn("kinesis", f"stream/{name}")
        self.write_limits = write_limits
        self._puts = 0
        self._written: dict[str, tuple[int, int, int]] = {}
        super().__init__(name, place, arn, shard_count=shard_count, retention=_retention(retention_period_hours))

    @property
    def retention_period_hours(self) -> int:
        """How long a record stays; may be set."""
        return int(self.retention // 3600)

    @retention_period_hours.setter
    def retention_period_hours(self, hours: int) -> None:
        self.list_shards()
        self.retention = _retention(hours)

    def put_record(self, data: Any, partition_key: str, explicit_hash_key: int | None = None) -> KinesisRecord:
        """Put a record into the shard that takes its hash key.

        Args:
            data: Bytes or text as it is, anything else (a model, a dict, ...) as JSON.
            partition_key: Records of one key lie in one shard, in order.
            explicit_hash_key: Chooses the shard, in place of the MD5 of the partition key.

        Raises:
            SourceError: ``ValidationException``: the key or the data is too long;
                ``ProvisionedThroughputExceededException``: a stream with ``write_limits`` takes no more this second.
        """
        content = bytes_of(data)
        hash_key = hash_key_of(partition_key) if explicit_hash_key is None else explicit_hash_key
        _check(partition_key, content, hash_key)
        shard = self._of_hash(hash_key)
        if self.write_limits:
            self._count(shard, len(content))
        # To the millisecond, and downwards: no record is younger than the present.
        milliseconds = int(self._epoch * 1000)
        self._puts += 1
        sequence_number = f"49{milliseconds:013d}{self._puts:031d}{0:010d}"
        return self._add(
            shard, KinesisRecord(shard.shard_id, sequence_number, partition_key, content, milliseconds / 1000)
        )

    def put_records(self, records: Iterable[tuple[Any, str]]) -> list[KinesisRecord | SourceError]:
        """Put several records, each as its data and partition key.

        Returns:
            For each its record, or why it was not taken: one that is refused does not stop the others.
        """
        return [self._put(data, partition_key) for data, partition_key in records]

    def _put(self, data: Any, partition_key: str) -> KinesisRecord | SourceError:
        try:
            return self.put_record(data, partition_key)
        except SourceError as error:
            return error

    def merge_shards(self, shard_to_merge: str, adjacent_shard_to_merge: str) -> None:
        """Close two shards whose hash keys are neighbours, and open one in their place.

        Raises:
            SourceError: ``ResourceNotFoundException``, ``InvalidArgumentException``.
        """
        shards = [self._shard(name, for_change=True) for name in (shard_to_merge, adjacent_shard_to_merge)]
        lower, upper = sorted(shards, key=lambda shard: shard.starting_hash_key)
        if lower.ending_hash_key + 1 != upper.starting_hash_key:
            raise SourceError(
                "InvalidArgumentException",
                f"Shards {shard_to_merge} and {adjacent_shard_to_merge} in {self._where} are not an adjacent pair of "
                "shards eligible for merging.",
            )
        self._merge(lower, upper)

    def update_shard_count(self, target_shard_count: int) -> None:
        """Split and merge shards until so many are open, at most twice and at least half as many as there are.

        Raises:
            SourceError: ``InvalidArgumentException``.
        """
        count = len(self._opened)
        if not count <= 2 * target_shard_count <= 4 * count:
            limit = "down below half" if 2 * target_shard_count < count else "up over double"
            raise SourceError(
                "InvalidArgumentException",
                f"UpdateShardCount cannot scale {limit} your current open shard count. Current open shard count: "
                f"{count} Target shard count: {target_shard_count}",
            )
        while len(self._opened) < target_shard_count:
            self.split_shard(max(self._opened, key=lambda shard: shard.hash_keys).shard_id)
        while len(self._opened) > target_shard_count:
            self._merge(*min(pairwise(self._opened), key=lambda pair: pair[0].hash_keys + pair[1].hash_keys))

    def _count(self, shard: HashShard[KinesisRecord], size: int) -> None:
        """Note what is written this second.

        Raises:
            SourceError: ``ProvisionedThroughputExceededException``.
        """
        now = int(self._clock.now)
        second, records, volume = self._written.get(shard.shard_id, (now, 0, 0))
        if second != now:
            records = volume = 0
        if records == SHARD_RECORDS or volume + size > SHARD_BYTES:
            raise SourceError(
                "ProvisionedThroughputExceededException", f"Rate exceeded for shard {shard.shard_id} in {self._where}."
            )
        self._written[shard.shard_id] = now, records + 1, volume + size

    def __repr__(self) -> str:
        return f"<Stream {self.name!r}: {len(self._opened)} open shards>"


def _retention(hours: int) -> float:
    """In seconds."""
    if not 24 <= hours <= 8760:
        limit, wrong = ("Minimum", "24 hours") if hours < 24 else ("Maximum", "8760 hours")
        raise SourceError(
            "InvalidArgumentException",
            f"{limit} allowed retention period is {wrong}. Requested retention period ({hours} hours) is too "
            f"{'short' if hours < 24 else 'long'}.",
        )
    return hours * 3600.0


def _check(partition_key: str, data: bytes, hash_key: int) -> None:
    if not 1 <= len(partition_key) <= 256:
        raise SourceError("ValidationException", f"A partition key has 1 to 256 characters, not {len(partition_key)}.")
    if len(data) + len(partition_key) > MAX_RECORD_BYTES:
        raise SourceError(
            "ValidationException",
            f"1 validation error detected: Value at 'data' failed to satisfy constraint: Member must have length less "
            f"than or equal to {MAX_RECORD_BYTES}",
        )
    if not 0 <= hash_key < HASH_KEYS:
        raise SourceError(
            "InvalidArgumentException",
            "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was "
            f"{hash_key}",
        )
