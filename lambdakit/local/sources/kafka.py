"""Topics of Kafka: of a cluster of Amazon MSK, or of one that AWS does not run.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html and
https://docs.aws.amazon.com/lambda/latest/dg/with-kafka.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack
from zlib import crc32

from typing_extensions import TypedDict

from lambdakit.local.sources.serial import serialize
from lambdakit.local.sources.shards import Shard, ShardedSource
from lambdakit.local.sources.source import SourceError
from lambdakit.testing.events.values import bytes_of, hexadecimal, uuid

if TYPE_CHECKING:
    from lambdakit.local.sources.source import Place

MESSAGE_BYTES = 1_048_588
"""The largest record that a topic takes by default."""
WEEK_HOURS = 168.0


@dataclass(slots=True, kw_only=True)
class KafkaRecord:
    """A record of a topic.

    Attributes:
        topic, partition, offset: Where it lies.
        timestamp: When it was produced, in Unix time and milliseconds.
        key, value: Bytes, or None.
        headers: Names and values; a name may occur again.
    """

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    @property
    def arrived(self) -> float:
        """When it was produced, in Unix time."""
        return self.timestamp / 1000

    @property
    def size(self) -> int:
        """Key, value and headers, in bytes."""
        return (
            len(self.key or b"") + len(self.value or b"") + sum(len(name) + len(value) for name, value in self.headers)
        )


class TopicSettings(TypedDict, total=False):
    """The settings of a ``Topic``."""

    partitions: int
    retention_hours: float
    max_message_bytes: int


class Cluster:
    """A Kafka cluster.

    Args:
        name: Its name.
        place: Where it is, if it is one of Amazon MSK.
        bootstrap_servers: The addresses of the brokers of a cluster that AWS does not run, separated by commas;
            without them it is one of Amazon MSK.

    Attributes:
        arn: Its ARN; ``""`` where AWS does not run it.
    """

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        bootstrap_servers: str | None = None,
    ) -> None:
        host = f"{name}.{hexadecimal(6, name)}.c1.kafka.{place.region}.amazonaws.com:9092"
        managed = bootstrap_servers is None
        self.place = place
        self._clock = place.clock
        serialize(self, place.clock)
        self.name = name
        self.arn = place.arn("kafka", f"cluster/{name}/{uuid('cluster', name)}-1") if managed else ""
        self.bootstrap_servers = bootstrap_servers or f"b-1.{host},b-2.{host}"
        self._topics: dict[str, Topic] = {}

    def topic(self, name: str, **settings: Unpack[TopicSettings]) -> Topic:
        """A topic; it is made when it is first asked for, with these settings."""
        if name not in self._topics:
            self._topics[name] = Topic(name, self.place, self, **settings)
        return self._topics[name]

    def __repr__(self) -> str:
        return f"<Cluster {self.name!r}: {len(self._topics)} topics>"


class Topic(ShardedSource[KafkaRecord]):
    """A topic.

    Args:
        name: The topic's name.
        place: Where it is.
        cluster: The cluster it is in.
        partitions: How many partitions it has.
        retention_hours: How long it keeps records; infinity keeps them for ever.
        max_message_bytes: The largest record that it takes, in bytes.

    Attributes:
        arn: The cluster's.
    """

    kind = "kafka"
    poll_seconds = 0.0  # a consumer waits at the broker

    def __init__(
        self,
        name: str,
        place: Place,
        cluster: Cluster,
        *,
        partitions: int = 1,
        retention_hours: float = WEEK_HOURS,
        max_message_bytes: int = MESSAGE_BYTES,
    ) -> None:
        super().__init__(name, place, cluster.arn, retention=retention_hours * 3600)
        self.cluster = cluster
        self.max_message_bytes = max_message_bytes
        self._partitions: list[Shard[KafkaRecord]] = []
        self._keyless = 0
        self.add_partitions(partitions)

    def add_partitions(self, count: int) -> None:
        """Add partitions: from now on keys lie elsewhere."""
        first = len(self._partitions)
        new: list[Shard[KafkaRecord]] = [Shard(f"{self.name}-{first + number}") for number in range(count)]
        self._partitions += new
        self._open(new)

    def produce(
        self,
        value: Any,
        key: Any = None,
        *,
        headers: Mapping[str, str | bytes] | None = None,
        partition: int | None = None,
    ) -> KafkaRecord:
        """Add a record.

        Args:
            value: Bytes or text as it is, anything else (a model, a dict, ...) as JSON; None is a tombstone.
            key: As the value. The records of a key lie in one partition, chosen as librdkafka does; those without a key
                take turns.
            headers: Its headers.
            partition: Chooses the partition.

        Raises:
            SourceError: ``RecordTooLargeException``, ``UnknownTopicOrPartitionException``.
        """
        place = self._place(_content(key)) if partition is None else partition
        if place >= len(self._partitions):
            raise SourceError(
                "UnknownTopicOrPartitionException", f"{self.name} has {len(self._partitions)} partitions."
            )
        shard = self._partitions[place]
        record = KafkaRecord(
            topic=self.name,
            partition=place,
            offset=shard.log.end,
            timestamp=int(self._epoch * 1000),
            key=_content(key),
            value=_content(value),
            headers=tuple((name, bytes_of(text)) for name, text in (headers or {}).items()),
        )
        if record.size > self.max_message_bytes:
            message = f"The message is {record.size} bytes, which is larger than {self.max_message_bytes}."
            raise SourceError("RecordTooLargeException", message)
        return self._add(shard, record)

    def committed(self, group: str) -> dict[int, int]:
        """The offsets that a consumer group goes on at, by partition."""
        offsets = self.read_by.get(group, {})
        return {
            number: offsets[shard.shard_id]
            for number, shard in enumerate(self._partitions)
            if shard.shard_id in offsets
        }

    def records(self, partition: int = 0) -> list[KafkaRecord]:
        """The records of a partition, in order."""
        return list(self._trimmed(self._partitions[partition]).log)

    def _place(self, key: bytes | None) -> int:
        if key is not None:
            return crc32(key) % len(self._partitions)
        self._keyless += 1
        return (self._keyless - 1) % len(self._partitions)

    def __repr__(self) -> str:
        return f"<Topic {self.name!r}: {len(self._partitions)} partitions>"


def _content(given: Any) -> bytes | None:
    return None if given is None else bytes_of(given)
