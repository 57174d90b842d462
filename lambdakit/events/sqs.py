"""SQS messages, as an event source mapping delivers them.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Generic, Literal

from pydantic import BeforeValidator, ConfigDict
from typing_extensions import TypeVar

from lambdakit.events.model import EventModel, at, attribute_value, last_part, usually
from lambdakit.events.payload import Text

Body = TypeVar("Body", default=str)


def _attribute_values(value: Any) -> Any:
    """``{"dataType": "Number", "stringValue": "3"}`` and its like as Python values."""
    if not isinstance(value, dict):
        return value
    return {name: _attribute_value(attribute) for name, attribute in value.items()}


def _attribute_value(attribute: Any) -> Any:
    if not (isinstance(attribute, dict) and "dataType" in attribute):
        return attribute
    kind = str(attribute["dataType"]).partition(".")[0]  # "Number.int" is the sender's own label for a Number
    return attribute_value(kind, attribute.get("binaryValue" if kind == "Binary" else "stringValue"))


class SqsRecord(EventModel, Generic[Body]):
    """One message; ``SqsRecord[Order]`` reads its body from JSON into an ``Order``.

    The fields of a FIFO queue are None on a standard one. ``message_attributes`` holds str, Decimal or bytes.
    """

    lambdakit_source: ClassVar[str] = "sqs"

    message_id: str = at("messageId")
    body: Annotated[Body, Text()] = at("body")
    receipt_handle: str = usually("receiptHandle")
    approximate_receive_count: int = usually("attributes", "ApproximateReceiveCount")
    sent_timestamp: datetime = usually("attributes", "SentTimestamp")
    approximate_first_receive_timestamp: datetime = usually("attributes", "ApproximateFirstReceiveTimestamp")
    sender_id: str = usually("attributes", "SenderId")
    message_group_id: str | None = usually("attributes", "MessageGroupId")
    message_deduplication_id: str | None = usually("attributes", "MessageDeduplicationId")
    sequence_number: str | None = usually("attributes", "SequenceNumber")
    dead_letter_queue_source_arn: str | None = usually("attributes", "DeadLetterQueueSourceArn")
    message_attributes: Annotated[dict[str, str | Decimal | bytes | None], BeforeValidator(_attribute_values)] = (
        usually("messageAttributes", default={})
    )
    md5_of_body: str = usually("md5OfBody")
    event_source_arn: str = usually("eventSourceARN")
    aws_region: str = usually("awsRegion")

    @property
    def queue(self) -> str:
        """The name of the queue."""
        return last_part(self.event_source_arn)


class SqsEvent(EventModel, Generic[Body]):
    """A batch of messages of one queue."""

    model_config = ConfigDict(defer_build=True)
    lambdakit_source: ClassVar[str] = "sqs"
    lambdakit_unit: ClassVar[Literal["event", "record"]] = "event"

    records: list[SqsRecord[Body]] = at("Records")
