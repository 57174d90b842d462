"""Kinesis data streams at an endpoint.

Source: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lambdakit.local.remote.shards import RemoteShards, ShardListing, Start
from lambdakit.local.sources.stream import KinesisRecord

if TYPE_CHECKING:
    from lambdakit.local.remote.calls import Calls
    from lambdakit.local.remote.endpoint import Endpoint
    from lambdakit.local.sources.source import Place


class RemoteStream(RemoteShards[KinesisRecord]):
    """A Kinesis data stream at an endpoint.

    Args:
        stream: Its ARN or its name.
        place: Where the local Lambda is.
        calls: Has requests made; asked for when the stream is mapped.
        endpoint: Where it is reached.
    """

    kind = "kinesis"
    service = "kinesis"
    idle_seconds = 1.0

    def __init__(self, stream: str, place: Place, calls: Callable[[], Calls], endpoint: Endpoint) -> None:
        super().__init__(stream, stream.rpartition("/")[2], place, calls, endpoint)
        self._which = {"StreamARN": stream} if self.arn else {"StreamName": stream}

    def _look_up(self) -> None:
        found = self.client.describe_stream_summary(**self._which)["StreamDescriptionSummary"]
        self.arn = found["StreamARN"]
        self.retention = found["RetentionPeriodHours"] * 3600.0

    def _list_shards(self) -> ShardListing:
        answer = self.client.list_shards(**self._which)
        shards: list[dict[str, Any]] = answer["Shards"]
        while answer.get("NextToken"):
            answer = self.client.list_shards(NextToken=answer["NextToken"])
            shards += answer["Shards"]
        return ShardListing(
            {shard["ShardId"]: _parents(shard) for shard in shards},
            frozenset(shard["ShardId"] for shard in shards if "EndingSequenceNumber" in shard["SequenceNumberRange"]),
        )

    def _shard_iterator(self, shard_id: str, start: Start) -> str:
        where: dict[str, Any] = {"ShardIteratorType": start.type}
        if start.sequence_number:
            where["StartingSequenceNumber"] = start.sequence_number
        if start.timestamp is not None:
            where["Timestamp"] = start.timestamp
        iterator: str = self.client.get_shard_iterator(**self._which, ShardId=shard_id, **where)["ShardIterator"]
        return iterator

    def _get_records(self, shard_iterator: str, most: int) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.get_records(ShardIterator=shard_iterator, Limit=most)
        return answer

    def _record(self, shard_id: str, answered: dict[str, Any]) -> KinesisRecord:
        return KinesisRecord(
            shard_id,
            answered["SequenceNumber"],
            answered["PartitionKey"],
            answered["Data"],
            answered["ApproximateArrivalTimestamp"].timestamp(),
        )

    def _has_more(self, answer: dict[str, Any], most: int) -> bool:
        return bool(answer["MillisBehindLatest"])

    def _resumption(self) -> Start:
        return Start("AT_TIMESTAMP", self.place.clock.today)


def _parents(shard: dict[str, Any]) -> tuple[str, ...]:
    names = ("ParentShardId", "AdjacentParentShardId")
    return tuple(shard[name] for name in names if shard.get(name))
