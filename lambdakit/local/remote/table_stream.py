"""Streams of DynamoDB tables at an endpoint.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from lambdakit.local.remote.shards import RemoteShards, ShardListing, Start
from lambdakit.local.sources.source import SourceError
from lambdakit.local.sources.table import Change, StreamViewType

if TYPE_CHECKING:
    from lambdakit.local.remote.calls import Calls
    from lambdakit.local.remote.endpoint import Endpoint
    from lambdakit.local.sources.attributes import Attribute, Item
    from lambdakit.local.sources.source import Place


class RemoteTableStream(RemoteShards[Change]):
    """The stream of a DynamoDB table at an endpoint.

    Args:
        table: The table's name, or the ARN of the table or of the stream.
        place: Where the local Lambda is.
        calls: Has requests made; asked for when the stream is mapped.
        endpoint: Where it is reached.

    Attributes:
        name: The table's name.
        stream_view_type: What the stream has of a change, once it was mapped.
    """

    kind = "dynamodb"
    service = "dynamodbstreams"
    idle_seconds = 0.25

    def __init__(self, table: str, place: Place, calls: Callable[[], Calls], endpoint: Endpoint) -> None:
        name = table.split("/")[1] if "/" in table else table
        super().__init__(table, name, place, calls, endpoint)
        self.stream_view_type: StreamViewType = "NEW_AND_OLD_IMAGES"

    def _look_up(self) -> None:
        if "/stream/" not in self.arn:
            self.arn = self._newest()
        description = self.client.describe_stream(StreamArn=self.arn, Limit=1)["StreamDescription"]
        self.stream_view_type = description["StreamViewType"]

    def _newest(self) -> str:
        """The ARN of the table's stream: of those that were disabled there may be others still."""
        streams = sorted(self._streams(), key=lambda stream: str(stream["StreamLabel"]))
        if not streams:
            raise SourceError(
                "ResourceNotFoundException",
                f"the table {self.name} is not there, or has no stream: give it a StreamSpecification, "
                "with StreamEnabled and a StreamViewType.",
            )
        return str(streams[-1]["StreamArn"])

    def _streams(self) -> Iterator[dict[str, Any]]:
        answer = self.client.list_streams(TableName=self.name)
        yield from answer["Streams"]
        while last := answer.get("LastEvaluatedStreamArn"):
            answer = self.client.list_streams(TableName=self.name, ExclusiveStartStreamArn=last)
            yield from answer["Streams"]

    def _list_shards(self) -> ShardListing:
        description = self.client.describe_stream(StreamArn=self.arn)["StreamDescription"]
        shards: list[dict[str, Any]] = description["Shards"]
        while last := description.get("LastEvaluatedShardId"):
            answer = self.client.describe_stream(StreamArn=self.arn, ExclusiveStartShardId=last)
            description = answer["StreamDescription"]
            shards += description["Shards"]
        return ShardListing(
            {shard["ShardId"]: tuple(filter(None, [shard.get("ParentShardId")])) for shard in shards},
            frozenset(shard["ShardId"] for shard in shards if "EndingSequenceNumber" in shard["SequenceNumberRange"]),
            complete=description["StreamStatus"] in ("DISABLING", "DISABLED"),
        )

    def _shard_iterator(self, shard_id: str, start: Start) -> str:
        where: dict[str, Any] = {"ShardIteratorType": start.type}
        if start.sequence_number:
            where["SequenceNumber"] = start.sequence_number
        answer = self.client.get_shard_iterator(StreamArn=self.arn, ShardId=shard_id, **where)
        iterator: str = answer["ShardIterator"]
        return iterator

    def _get_records(self, shard_iterator: str, most: int) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.get_records(ShardIterator=shard_iterator, Limit=most)
        return answer

    def _record(self, shard_id: str, answered: dict[str, Any]) -> Change:
        change = answered["dynamodb"]
        return Change(
            shard_id=shard_id,
            sequence_number=change["SequenceNumber"],
            event_id=answered["eventID"],
            event_name=answered["eventName"],
            keys=_written(change["Keys"]),
            new_image=_written(change["NewImage"]) if "NewImage" in change else None,
            old_image=_written(change["OldImage"]) if "OldImage" in change else None,
            expired=answered.get("userIdentity", {}).get("Type") == "Service",
            arrived=change["ApproximateCreationDateTime"].timestamp(),
            size=change["SizeBytes"],
        )

    def _has_more(self, answer: dict[str, Any], most: int) -> bool:
        return len(answer["Records"]) == most

    def _resumption(self) -> Start:
        return Start("LATEST")  # DynamoDB knows no other


def _written(item: dict[str, Any]) -> Item:
    """An item as an event has it: bytes in base64."""
    return {name: _attribute(value) for name, value in item.items()}


def _attribute(value: dict[str, Any]) -> Attribute:
    [(kind, content)] = value.items()
    if kind == "B":
        return {kind: b64encode(content).decode()}
    if kind == "BS":
        return {kind: [b64encode(member).decode() for member in content]}
    if kind == "L":
        return {kind: [_attribute(member) for member in content]}
    if kind == "M":
        return {kind: _written(content)}
    return value
