"""What Kinesis, a table's stream and Kafka call things: their records in events, and in the records of failed batches.

Sources: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html,
https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html,
https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html and
https://docs.aws.amazon.com/lambda/latest/dg/kafka-on-failure.html
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Hashable, Sequence
from datetime import UTC, datetime
from hashlib import md5
from typing import TYPE_CHECKING, Any, Generic

from pydantic_core import to_json
from typing_extensions import TypeVar

from lambdakit.local.sources.kafka import KafkaRecord, Topic
from lambdakit.local.sources.source import EventSource
from lambdakit.local.sources.stream import KinesisRecord
from lambdakit.local.sources.table import Change, TableStream
from lambdakit.testing.events.values import account_of, iso, iso_milliseconds, region_of

if TYPE_CHECKING:
    from lambdakit.local.mappings.shard_reader import Entry
    from lambdakit.local.sources.reading import ShardSource

R = TypeVar("R", default=Any)
Info = dict[str, Any]


class Dialect(Generic[R]):
    """How the records of one source are written."""

    def encode(self, record: R) -> bytes:
        """A record as it stands in an event, in JSON."""
        raise NotImplementedError

    def identifier(self, record: R) -> Hashable:
        """What an answer calls it."""
        raise NotImplementedError

    def key(self, record: R) -> bytes:
        """What it stays in order with."""
        raise NotImplementedError

    def event(self, shard_id: str, bodies: Sequence[bytes]) -> bytes:
        """A batch, in JSON."""
        return b'{"Records":[' + b",".join(bodies) + b"]}"

    def batch_info(self, shard_id: str, entries: Sequence[Entry[R]]) -> dict[str, Info]:
        """What the record of a failed batch says of it, under its key."""
        raise NotImplementedError


class KinesisDialect(Dialect[KinesisRecord]):
    """Of a Kinesis stream."""

    def __init__(self, stream: EventSource) -> None:
        self._arn = stream.arn
        self._rest = (
            '","eventName":"aws:kinesis:record",'
            f'"invokeIdentityArn":"arn:aws:iam::{account_of(stream.arn)}:role/lambda-role",'
            f'"awsRegion":"{region_of(stream.arn)}","eventSourceARN":"{stream.arn}"}}'
        )

    def encode(self, record: KinesisRecord) -> bytes:
        """Written by hand: a stream has many records."""
        number = record.sequence_number
        return (
            f'{{"kinesis":{{"kinesisSchemaVersion":"1.0","partitionKey":{json.dumps(record.partition_key)},'
            f'"sequenceNumber":"{number}","data":"{b64encode(record.data).decode()}",'
            f'"approximateArrivalTimestamp":{record.arrived:.3f}}},"eventSource":"aws:kinesis","eventVersion":"1.0",'
            f'"eventID":"{record.shard_id}:{number}{self._rest}'
        ).encode()

    def identifier(self, record: KinesisRecord) -> Hashable:
        """The sequence number."""
        return record.sequence_number

    def key(self, record: KinesisRecord) -> bytes:
        """The partition key."""
        return record.partition_key.encode()

    def batch_info(self, shard_id: str, entries: Sequence[Entry[KinesisRecord]]) -> dict[str, Info]:
        """With arrival times in milliseconds."""
        first, last = entries[0].record, entries[-1].record
        return {
            "KinesisBatchInfo": {
                "shardId": shard_id,
                "startSequenceNumber": first.sequence_number,
                "endSequenceNumber": last.sequence_number,
                "approximateArrivalOfFirstRecord": iso_milliseconds(_time(first.arrived)),
                "approximateArrivalOfLastRecord": iso_milliseconds(_time(last.arrived)),
                "batchSize": len(entries),
                "streamArn": self._arn,
            }
        }


class DynamoDbDialect(Dialect[Change]):
    """Of a table's stream."""

    def __init__(self, stream: TableStream) -> None:
        self._arn = stream.arn
        self._region = region_of(stream.arn)
        self._view_type = stream.stream_view_type

    def encode(self, record: Change) -> bytes:
        """With the images that the view type shows."""
        images = {"NewImage": record.new_image, "OldImage": record.old_image}
        made_up = md5(f"{self._arn}{record.sequence_number}".encode(), usedforsecurity=False).hexdigest()
        written = {
            "eventID": record.event_id or made_up,
            "eventName": record.event_name,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": self._region,
            "dynamodb": {
                "ApproximateCreationDateTime": record.approximate_creation_date_time,
                "Keys": record.keys,
                **{name: image for name, image in images.items() if image is not None},
                "SequenceNumber": record.sequence_number,
                "SizeBytes": record.size,
                "StreamViewType": self._view_type,
            },
            "eventSourceARN": self._arn,
        }
        if record.expired:
            written["userIdentity"] = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}
        return to_json(written)

    def identifier(self, record: Change) -> Hashable:
        """The sequence number."""
        return record.sequence_number

    def key(self, record: Change) -> bytes:
        """The item's key."""
        return to_json(record.keys)

    def batch_info(self, shard_id: str, entries: Sequence[Entry[Change]]) -> dict[str, Info]:
        """With arrival times in whole seconds."""
        first, last = entries[0].record, entries[-1].record
        return {
            "DDBStreamBatchInfo": {
                "shardId": shard_id,
                "startSequenceNumber": first.sequence_number,
                "endSequenceNumber": last.sequence_number,
                "approximateArrivalOfFirstRecord": iso(_time(first.arrived)),
                "approximateArrivalOfLastRecord": iso(_time(last.arrived)),
                "batchSize": len(entries),
                "streamArn": self._arn,
            }
        }


class KafkaDialect(Dialect[KafkaRecord]):
    """Of a topic of Kafka. A batch is of one partition: as with a mapping that has a consumer for each."""

    def __init__(self, topic: Topic) -> None:
        cluster = topic.cluster
        self._place = {"eventSourceArn": cluster.arn} if cluster.arn else {}
        self._place["bootstrapServers"] = cluster.bootstrap_servers
        source = "aws:kafka" if cluster.arn else "SelfManagedKafka"
        self._start = to_json({"eventSource": source, **self._place})[:-1] + b',"records":{"'

    def encode(self, record: KafkaRecord) -> bytes:
        """Without key or value where it has none. A header's value is a list of bytes with their signs."""
        written: Info = {
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "timestamp": record.timestamp,
            "timestampType": "CREATE_TIME",
        }
        if record.key is not None:
            written["key"] = b64encode(record.key).decode()
        if record.value is not None:
            written["value"] = b64encode(record.value).decode()
        written["headers"] = [{name: [*map(_signed, value)]} for name, value in record.headers]
        return to_json(written)

    def identifier(self, record: KafkaRecord) -> Hashable:
        """The partition with its topic, and the offset."""
        return f"{record.topic}-{record.partition}", record.offset

    def event(self, shard_id: str, bodies: Sequence[bytes]) -> bytes:
        """The records under the name of their partition."""
        return self._start + shard_id.encode() + b'":[' + b",".join(bodies) + b"]}}"

    def batch_info(self, shard_id: str, entries: Sequence[Entry[KafkaRecord]]) -> dict[str, Info]:
        """With the offsets of each partition."""
        first, last = entries[0].record, entries[-1].record
        payload = self.event(shard_id, [entry.body for entry in entries])
        return {
            "KafkaBatchInfo": {
                "batchSize": len(entries),
                **self._place,
                "payloadSize": len(payload),
                "recordsInfo": {
                    shard_id: {
                        "firstRecordOffset": str(first.offset),
                        "lastRecordOffset": str(last.offset),
                        "firstRecordTimestamp": iso_milliseconds(_time(first.arrived)),
                        "lastRecordTimestamp": iso_milliseconds(_time(last.arrived)),
                    }
                },
            }
        }


_DIALECTS: dict[str, Callable[[Any], Dialect]] = {
    "kinesis": KinesisDialect,
    "dynamodb": DynamoDbDialect,
    "kafka": KafkaDialect,
}


def dialect_of(source: ShardSource[Any]) -> Dialect:
    """The dialect of a source.

    Raises:
        TypeError: it is none that a mapping reads.
    """
    if not isinstance(source, EventSource) or source.kind not in _DIALECTS:
        raise TypeError(f"a mapping reads a stream, the stream of a table, or a topic of Kafka, not {source!r}")
    return _DIALECTS[source.kind](source)


def _time(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)


def _signed(byte: int) -> int:
    return byte - 256 if byte > 127 else byte
