"""Kinesis records.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Generic

from pydantic import ConfigDict
from typing_extensions import TypeVar

from lambdakit.events.model import EventModel, at, usually
from lambdakit.events.payload import Base64
from lambdakit.events.window import WindowedEvent

Data = TypeVar("Data", default=bytes)


class KinesisRecord(EventModel, Generic[Data]):
    """One record of a shard; ``KinesisRecord[Order]`` reads its data from JSON into an ``Order``.

    ``sequence_number`` is decimal text, as the Kinesis API takes it: compare as ``int``, not as text.
    """

    lambdakit_source: ClassVar[str] = "kinesis"

    data: Annotated[Data, Base64()] = at("kinesis", "data")
    sequence_number: str = at("kinesis", "sequenceNumber")
    partition_key: str = usually("kinesis", "partitionKey")
    approximate_arrival_timestamp: datetime = usually("kinesis", "approximateArrivalTimestamp")
    encryption_type: str | None = usually("kinesis", "encryptionType")
    event_id: str = usually("eventID")
    event_source_arn: str = usually("eventSourceARN")
    aws_region: str = usually("awsRegion")

    @property
    def stream(self) -> str:
        """The name of the stream."""
        return (self.event_source_arn or "").partition(":stream/")[2].partition("/")[0]

    @property
    def shard_id(self) -> str:
        """The shard it was read from."""
        return (self.event_id or "").partition(":")[0]


class KinesisEvent(WindowedEvent, Generic[Data]):
    """A batch of records of one shard."""

    model_config = ConfigDict(defer_build=True)
    lambdakit_source: ClassVar[str] = "kinesis"

    records: list[KinesisRecord[Data]] = at("Records")
