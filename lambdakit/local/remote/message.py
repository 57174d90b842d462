"""A message as ReceiveMessage gives it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from lambdakit.local.sources.messages import attribute_of_boto3
from lambdakit.local.sources.queue_records import QueueRecords

if TYPE_CHECKING:
    from lambdakit.testing.events.values import Event


@dataclass(frozen=True, slots=True)
class RemoteMessage:
    """A message that was received.

    Attributes:
        message_id: Its id.
        receipt_handle: What it is deleted with.
        body: Its text.
        attributes: What SQS says of it, such as ``ApproximateReceiveCount``.
        raw_attributes: The sender's attributes, as an event has them.
        md5_of_body: The MD5 digest of the body.
        md5_of_message_attributes: That of the sender's attributes, if there are any.
        last_received: When it was received, in seconds of the service's clock.
    """

    message_id: str
    receipt_handle: str
    body: str
    attributes: dict[str, str]
    raw_attributes: dict[str, Event]
    md5_of_body: str
    md5_of_message_attributes: str | None
    last_received: float

    @classmethod
    def of(cls, received: dict[str, Any], now: float) -> RemoteMessage:
        """That of an answer of boto3's."""
        sent = received.get("MessageAttributes", {})
        return cls(
            message_id=received["MessageId"],
            receipt_handle=received["ReceiptHandle"],
            body=received["Body"],
            attributes=received.get("Attributes", {}),
            raw_attributes={name: attribute_of_boto3(value) for name, value in sent.items()},
            md5_of_body=received["MD5OfBody"],
            md5_of_message_attributes=received.get("MD5OfMessageAttributes"),
            last_received=now,
        )


class RemoteQueueRecords(QueueRecords[RemoteMessage]):
    """Writes the records of a queue at an endpoint, with all that SQS says of a message."""

    __slots__ = ()

    def _system_attributes(self, message: RemoteMessage) -> str:
        return to_json(message.attributes).decode()
