"""Changes of a DynamoDB table, from its stream.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Record.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, Literal

from pydantic import ConfigDict
from typing_extensions import TypeVar

from lambdakit.events.attributes import python_item
from lambdakit.events.model import EventModel, at, usually
from lambdakit.events.payload import Value
from lambdakit.events.window import WindowedEvent

Image = TypeVar("Image", default=dict[str, Any])


class Item(Value):
    """A field that holds an item in attribute values, or in Python's."""

    decode = staticmethod(python_item)


class DynamoDbRecord(EventModel, Generic[Image]):
    """One change of one item; ``DynamoDbRecord[Customer]`` reads its images into a ``Customer`` each.

    Values are Python's: str, int or Decimal, bytes, bool, None, list, dict, set. An image is None where the stream's
    view type leaves it out, and where there is none: ``new_image`` of a removed item, ``old_image`` of a new one.
    """

    lambdakit_source: ClassVar[str] = "dynamodb"

    event_name: Literal["INSERT", "MODIFY", "REMOVE"] = at("eventName")
    keys: Annotated[dict[str, Any], Item()] = usually("dynamodb", "Keys", default={})
    new_image: Annotated[Image | None, Item()] = usually("dynamodb", "NewImage")
    old_image: Annotated[Image | None, Item()] = usually("dynamodb", "OldImage")
    sequence_number: str = usually("dynamodb", "SequenceNumber")
    approximate_creation_date_time: datetime = usually("dynamodb", "ApproximateCreationDateTime")
    size_bytes: int = usually("dynamodb", "SizeBytes")
    stream_view_type: str = usually("dynamodb", "StreamViewType")
    user_identity: dict[str, Any] | None = usually("userIdentity")
    event_id: str = usually("eventID")
    event_source_arn: str = usually("eventSourceARN")
    aws_region: str = usually("awsRegion")

    @property
    def table(self) -> str:
        """The name of the table."""
        return table_of(self.event_source_arn)

    @property
    def expired(self) -> bool:
        """Whether the table's time to live removed the item, not a request."""
        return (self.user_identity or {}).get("principalId") == "dynamodb.amazonaws.com"


def table_of(stream_arn: str | None) -> str:
    """The table's name in the ARN of a table or of its stream."""
    return (stream_arn or "").partition(":table/")[2].partition("/")[0]


class DynamoDbEvent(WindowedEvent, Generic[Image]):
    """A batch of changes of one shard of a table's stream."""

    model_config = ConfigDict(defer_build=True)
    lambdakit_source: ClassVar[str] = "dynamodb"

    records: list[DynamoDbRecord[Image]] = at("Records")
