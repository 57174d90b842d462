"""Shards that share the hash keys among them, and are split and merged: those of Kinesis and of a table's stream.

Source: https://docs.aws.amazon.com/streams/latest/dev/key-concepts.html
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import md5
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, Protocol

from typing_extensions import TypeVar

from lambdakit.local.sources.log import Logged
from lambdakit.local.sources.shards import Shard, ShardedSource
from lambdakit.local.sources.source import SourceError

if TYPE_CHECKING:
    from lambdakit.local.sources.source import Place

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


class HashShard(Shard[R]):
    """A shard that takes the records of some hash keys.

    Attributes:
        starting_hash_key, ending_hash_key: The hash keys it takes, the last one included.
    """

    __slots__ = ("ending_hash_key", "starting_hash_key")

    def __init__(self, shard_id: str, parents: tuple[str, ...], starting_hash_key: int, ending_hash_key: int) -> None:
        super().__init__(shard_id, parents)
        self.starting_hash_key = starting_hash_key
        self.ending_hash_key = ending_hash_key

    @property
    def hash_keys(self) -> int:
        """How many hash keys it takes."""
        return self.ending_hash_key - self.starting_hash_key + 1


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


class HashedSource(ShardedSource[R]):
    """A resource whose records lie in shards by their hash key.

    Args:
        name: The resource's name.
        place: Where it is.
        arn: The ARN of what is read.
        shard_count: How many shards it begins with; they share the hash keys evenly.
        retention: How long it keeps records, in seconds.
    """

    iterator_seconds: ClassVar[int] = 300
    """How long an iterator is good for."""

    def __init__(self, name: str, place: Place, arn: str, *, shard_count: int, retention: float) -> None:
        super().__init__(name, place, arn, retention=retention)
        self._shards: dict[str, HashShard[R]] = {}
        self._opened: list[HashShard[R]] = []
        self._starts: list[int] = []
        starts = [number * (HASH_KEYS // shard_count) for number in range(shard_count)]
        self._replace([], [self._new((), first, after - 1) for first, after in pairwise([*starts, HASH_KEYS])])

    def list_shards(self) -> list[HashShard[R]]:
        """All shards, in the order they were made, the closed ones too."""
        for shard in self._shards.values():
            self._trimmed(shard)
        return list(self._shards.values())

    def split_shard(self, shard_to_split: str, new_starting_hash_key: int | None = None) -> None:
        """Close a shard, and open two in its place.

        Args:
            shard_to_split: The shard's name.
            new_starting_hash_key: The first hash key of the upper one; by default they share them evenly.

        Raises:
            SourceError: ``ResourceNotFoundException``, ``InvalidArgumentException``.
        """
        shard = self._shard(shard_to_split, for_change=True)
        lowest, highest = shard.starting_hash_key, shard.ending_hash_key
        hash_key = lowest + shard.hash_keys // 2 if new_starting_hash_key is None else new_starting_hash_key
        if not lowest < hash_key <= highest:
            raise SourceError(
                "InvalidArgumentException",
                f"NewStartingHashKey {hash_key} used in SplitShard() on shard {shard_to_split} in {self._where} is not "
                f"both greater than one plus the shard's StartingHashKey {lowest} and less than the shard's "
                f"EndingHashKey {highest}.",
            )
        lower = self._new((shard_to_split,), lowest, hash_key - 1)
        self._replace([shard], [lower, self._new((shard_to_split,), hash_key, highest)])

    def get_shard_iterator(
        self,
        shard_id: str,
        shard_iterator_type: IteratorType,
        starting_sequence_number: str = "",
        timestamp: datetime | None = None,
    ) -> str:
        """Where to begin to read a shard, as ``get_records`` takes it, for a few minutes.

        Args:
            shard_id: The shard.
            shard_iterator_type: ``TRIM_HORIZON``, ``LATEST``, ``AT_SEQUENCE_NUMBER``, ``AFTER_SEQUENCE_NUMBER`` or
                ``AT_TIMESTAMP``.
            starting_sequence_number: For those with a sequence number; of one that fell off, reading begins with the
                oldest record.
            timestamp: For ``AT_TIMESTAMP``: an aware datetime.

        Raises:
            SourceError: ``ResourceNotFoundException``, ``InvalidArgumentException``.
            ValueError: the timestamp has no time zone.
        """
        shard = self._shard(shard_id)
        if shard_iterator_type in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"):
            after = shard_iterator_type == "AFTER_SEQUENCE_NUMBER"
            return self._iterator(shard_id, self._numbered(shard, starting_sequence_number, after=after))
        return self._iterator(shard_id, self._begin(shard, shard_iterator_type, timestamp))

    def get_records(self, shard_iterator: str, limit: int | None = None) -> Records[R]:
        """Read from where an iterator points.

        Args:
            shard_iterator: Where.
            limit: The most records; there is a limit to their number and size in any case (Kinesis: 10,000, 10 MB).

        Raises:
            SourceError: ``ExpiredIteratorException``, ``InvalidArgumentException``.
        """
        shard, position = self._pointed(shard_iterator)
        page = self._page(shard, position, min(limit or self.page_records, self.page_records))
        after = position + page.trimmed + len(page.records)
        behind = self._epoch - shard.log[after].arrived if page.more else 0.0
        if not page.ended:
            return Records(list(page.records), self._iterator(shard.shard_id, after), round(behind * 1000))
        children = [child.shard_id for child in self._shards.values() if shard.shard_id in child.parents]
        return Records(list(page.records), None, 0, tuple(children))

    # Shards and their hash keys.

    def _of_hash(self, hash_key: int) -> HashShard[R]:
        """The open shard that takes a hash key."""
        return self._opened[bisect_right(self._starts, hash_key) - 1]

    def _shard(self, shard_id: str, *, for_change: bool = False) -> HashShard[R]:
        shard = self._shards.get(shard_id)
        if shard is None:
            raise SourceError("ResourceNotFoundException", f"Could not find shard {shard_id} in {self._where}.")
        if for_change and shard.closed:
            raise SourceError(
                "InvalidArgumentException",
                f"Shard {shard_id} in {self._where} has already been merged or split, and thus is not eligible for "
                "merging or splitting.",
            )
        return shard

    def _merge(self, lower: HashShard[R], upper: HashShard[R]) -> None:
        parents = (lower.shard_id, upper.shard_id)
        self._replace([lower, upper], [self._new(parents, lower.starting_hash_key, upper.ending_hash_key)])

    def _new(self, parents: tuple[str, ...], starting_hash_key: int, ending_hash_key: int) -> HashShard[R]:
        shard_id = self._shard_id(len(self._shards))
        shard: HashShard[R] = HashShard(shard_id, parents, starting_hash_key, ending_hash_key)
        self._shards[shard_id] = shard
        return shard

    def _replace(self, old: Sequence[HashShard[R]], new: Sequence[HashShard[R]]) -> None:
        """Open shards in the place of others. Who reads those learns of the new ones before the old ones end."""
        opened = [shard for shard in self._opened if shard not in old]
        self._opened = sorted([*opened, *new], key=lambda shard: shard.starting_hash_key)
        self._starts = [shard.starting_hash_key for shard in self._opened]
        self._open(new)
        for shard in old:
            self._close(shard)

    def _shard_id(self, number: int) -> str:
        return f"shardId-{number:012d}"

    @property
    def _where(self) -> str:
        return f"stream {self.name} under account {self.arn.split(':')[4]}"

    # Iterators.

    def _numbered(self, shard: HashShard[R], sequence_number: str, *, after: bool) -> int:
        """The position of a sequence number, or the one after it; the oldest record's if that one fell off."""
        log = self._trimmed(shard).log
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

    def _iterator(self, shard_id: str, position: int) -> str:
        return b64encode(json.dumps([self.arn, shard_id, position, self._epoch]).encode()).decode()

    def _pointed(self, shard_iterator: str) -> tuple[HashShard[R], int]:
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
