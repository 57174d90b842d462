"""Clients as boto3 makes them, of sources that are here: they do what moto does not, and fail when they are told to."""

from __future__ import annotations

from base64 import b64decode
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any, TypeVar

from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from lambdakit.local.sources.hash_keys import HashShard
from lambdakit.local.sources.messages import Message
from lambdakit.local.sources.queue import Queue
from lambdakit.local.sources.source import SourceError
from lambdakit.local.sources.stream import Stream
from lambdakit.local.sources.table import Table
from tests.virtual_calls import VirtualCalls

F = TypeVar("F", bound=Callable[..., Any])


def client_error(code: str, message: str = "it is as it is") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


def operation(method: F) -> F:
    """A request that is noted, and fails if it is to."""

    @wraps(method)
    def request(client: FakeClient, **given: Any) -> Any:
        name = method.__name__
        client.requests.append((name, given))
        if client.failures[name]:
            raise client.failures[name].pop(0)
        try:
            return method(client, **given)
        except SourceError as error:
            raise client_error(error.code, error.message) from error

    return request  # type: ignore[return-value]


class FakeClient:
    """What all have: the requests that were made, and for each operation how the next ones fail."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.failures: dict[str, list[Exception]] = defaultdict(list)

    def fail(self, name: str, *errors: Exception) -> None:
        self.failures[name] += errors

    def asked(self, name: str) -> list[dict[str, Any]]:
        return [given for each, given in self.requests if each == name]


class FakeSqs(FakeClient):
    """A client of SQS, for one queue. A message may fail to be deleted: ``refused`` has its number in the request."""

    def __init__(self, queue: Queue, calls: VirtualCalls) -> None:
        super().__init__()
        self.queue = queue
        self.refused: list[dict[str, dict[str, Any]]] = []
        self._calls = calls

    @operation
    def get_queue_url(self, **given: Any) -> dict[str, Any]:
        return {"QueueUrl": f"http://sqs.test/123456789012/{given['QueueName']}"}

    @operation
    def get_queue_attributes(self, **given: Any) -> dict[str, Any]:
        assert given["AttributeNames"] == ["QueueArn", "VisibilityTimeout"]  # a standard queue has no FifoQueue
        return {
            "Attributes": {"QueueArn": self.queue.arn, "VisibilityTimeout": str(self.queue.visibility_timeout)},
        }

    @operation
    def receive_message(self, **given: Any) -> dict[str, Any]:
        messages = self.queue.receive(given["MaxNumberOfMessages"], visibility_timeout=given.get("VisibilityTimeout"))
        if not messages:
            self._calls.took = given["WaitTimeSeconds"]
            return {}
        return {"Messages": [self._message(message) for message in messages]}

    @operation
    def delete_message_batch(self, **given: Any) -> dict[str, Any]:
        refused = self.refused.pop(0) if self.refused else {}
        failed = []
        for entry in given["Entries"]:
            if entry["Id"] in refused:
                failed.append({"Id": entry["Id"], **refused[entry["Id"]]})
            else:
                self.queue.delete(entry["ReceiptHandle"])
        return {"Failed": failed} if failed else {}

    @operation
    def change_message_visibility_batch(self, **given: Any) -> dict[str, Any]:
        for entry in given["Entries"]:
            self.queue.change_visibility(entry["ReceiptHandle"], entry["VisibilityTimeout"])
        return {}

    def _message(self, message: Message) -> dict[str, Any]:
        attributes = {
            "SenderId": self.queue.sender_id,
            "SentTimestamp": str(message.sent_timestamp),
            "ApproximateReceiveCount": str(message.receive_count),
            "ApproximateFirstReceiveTimestamp": str(message.first_received),
            "MessageGroupId": message.message_group_id,
            "MessageDeduplicationId": message.message_deduplication_id,
            "SequenceNumber": message.sequence_number,
            "DeadLetterQueueSourceArn": None if message.source is None else message.source.arn,
        }
        received: dict[str, Any] = {
            "MessageId": message.message_id,
            "ReceiptHandle": message.receipt_handle,
            "MD5OfBody": message.md5_of_body,
            "Body": message.body,
            "Attributes": {name: value for name, value in attributes.items() if value is not None},
        }
        if message.raw_attributes:
            received["MessageAttributes"] = {
                name: _boto3_attribute(value) for name, value in message.raw_attributes.items()
            }
            received["MD5OfMessageAttributes"] = message.md5_of_message_attributes
        return received


def _boto3_attribute(value: dict[str, Any]) -> dict[str, Any]:
    if "binaryValue" in value:
        return {"DataType": value["dataType"], "BinaryValue": b64decode(value["binaryValue"])}
    return {"DataType": value["dataType"], "StringValue": value["stringValue"]}


class FakeKinesis(FakeClient):
    """A client of Kinesis, for one stream. It lists two shards with a request."""

    def __init__(self, stream: Stream) -> None:
        super().__init__()
        self.stream = stream

    @operation
    def describe_stream_summary(self, **given: Any) -> dict[str, Any]:
        summary = {"StreamARN": self.stream.arn, "RetentionPeriodHours": self.stream.retention_period_hours}
        return {"StreamDescriptionSummary": summary}

    @operation
    def list_shards(self, **given: Any) -> dict[str, Any]:
        assert len(given) == 1  # with a token nothing else
        first = int(given.get("NextToken", 0))
        shards = self.stream.list_shards()
        more = {"NextToken": str(first + 2)} if len(shards) > first + 2 else {}
        return {"Shards": [self._shard(shard) for shard in shards[first : first + 2]], **more}

    @operation
    def get_shard_iterator(self, **given: Any) -> dict[str, Any]:
        return {
            "ShardIterator": self.stream.get_shard_iterator(
                given["ShardId"],
                given["ShardIteratorType"],
                given.get("StartingSequenceNumber", ""),
                given.get("Timestamp"),
            )
        }

    @operation
    def get_records(self, **given: Any) -> dict[str, Any]:
        answer = self.stream.get_records(given["ShardIterator"], given["Limit"])
        records = [
            {
                "SequenceNumber": record.sequence_number,
                "PartitionKey": record.partition_key,
                "Data": record.data,
                "ApproximateArrivalTimestamp": datetime.fromtimestamp(record.arrived, UTC),
            }
            for record in answer.records
        ]
        following = {"NextShardIterator": answer.next_shard_iterator} if answer.next_shard_iterator else {}
        return {"Records": records, "MillisBehindLatest": answer.millis_behind_latest, **following}

    def _shard(self, shard: HashShard[Any]) -> dict[str, Any]:
        names = ("ParentShardId", "AdjacentParentShardId")
        return {
            "ShardId": shard.shard_id,
            "SequenceNumberRange": _range(shard),
            **dict(zip(names, shard.parents, strict=False)),
        }


class FakeDynamoDbStreams(FakeClient):
    """A client of DynamoDB streams, for one table. It lists one shard with a request."""

    def __init__(self, table: Table) -> None:
        super().__init__()
        self.stream = table.stream
        self.status = "ENABLED"

    @operation
    def list_streams(self, **given: Any) -> dict[str, Any]:
        if "ExclusiveStartStreamArn" not in given:
            older = {"StreamArn": f"{self.stream.arn}-older", "StreamLabel": "2020-01-01T00:00:00.000"}
            return {"Streams": [older], "LastEvaluatedStreamArn": older["StreamArn"]}
        newer = {"StreamArn": self.stream.arn, "StreamLabel": self.stream.arn.rpartition("/")[2]}
        return {"Streams": [newer] if given["TableName"] == self.stream.name else []}

    @operation
    def describe_stream(self, **given: Any) -> dict[str, Any]:
        assert given["StreamArn"] == self.stream.arn
        shards = self.stream.list_shards()
        names = [shard.shard_id for shard in shards]
        place = names.index(given["ExclusiveStartShardId"]) + 1 if "ExclusiveStartShardId" in given else 0
        shown = shards[place : place + 1]
        more = {"LastEvaluatedShardId": names[place]} if place + 1 < len(shards) else {}
        description = {
            "StreamArn": self.stream.arn,
            "StreamStatus": self.status,
            "StreamViewType": self.stream.stream_view_type,
            "Shards": [self._shard(shard) for shard in shown],
            **more,
        }
        return {"StreamDescription": description}

    @operation
    def get_shard_iterator(self, **given: Any) -> dict[str, Any]:
        number = given.get("SequenceNumber", "")
        return {"ShardIterator": self.stream.get_shard_iterator(given["ShardId"], given["ShardIteratorType"], number)}

    @operation
    def get_records(self, **given: Any) -> dict[str, Any]:
        answer = self.stream.get_records(given["ShardIterator"], given["Limit"])
        records = [
            {
                "eventID": f"event-{change.sequence_number}",
                "eventName": change.event_name,
                "eventVersion": "1.1",
                "eventSource": "aws:dynamodb",
                "awsRegion": "us-east-1",
                "dynamodb": {
                    "ApproximateCreationDateTime": datetime.fromtimestamp(int(change.arrived), UTC),
                    "Keys": _boto3_item(change.keys),
                    **({"NewImage": _boto3_item(change.new_image)} if change.new_image else {}),
                    **({"OldImage": _boto3_item(change.old_image)} if change.old_image else {}),
                    "SequenceNumber": change.sequence_number,
                    "SizeBytes": change.size,
                    "StreamViewType": self.stream.stream_view_type,
                },
                **({"userIdentity": _TIME_TO_LIVE} if change.expired else {}),
            }
            for change in answer.records
        ]
        following = {"NextShardIterator": answer.next_shard_iterator} if answer.next_shard_iterator else {}
        return {"Records": records, **following}

    def _shard(self, shard: HashShard[Any]) -> dict[str, Any]:
        parent = {"ParentShardId": shard.parents[0]} if shard.parents else {}
        return {"ShardId": shard.shard_id, "SequenceNumberRange": _range(shard), **parent}


_TIME_TO_LIVE = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}


def _range(shard: HashShard[Any]) -> dict[str, str]:
    return {"StartingSequenceNumber": "1", **({"EndingSequenceNumber": "2"} if shard.closed else {})}


def _boto3_item(item: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {name: _boto3_value(value) for name, value in item.items()}


def _boto3_value(value: dict[str, Any]) -> dict[str, Any]:
    [(kind, content)] = value.items()
    read: dict[str, Callable[[Any], Any]] = {
        "B": b64decode,
        "BS": lambda members: [*map(b64decode, members)],
        "L": lambda members: [*map(_boto3_value, members)],
        "M": _boto3_item,
    }
    return {kind: read[kind](content) if kind in read else content}
