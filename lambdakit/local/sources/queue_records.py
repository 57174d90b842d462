"""SQS messages as they stand in an event.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event
"""

from __future__ import annotations

from json import JSONEncoder
from typing import TYPE_CHECKING, Generic

from pydantic_core import to_json

from lambdakit.local.sources.receiving import M
from lambdakit.testing.events.values import region_of

if TYPE_CHECKING:
    from lambdakit.local.sources.messages import Message

_text = JSONEncoder(ensure_ascii=False).encode


class QueueRecords(Generic[M]):
    """Writes the records of a queue, as JSON by hand: there are many.

    Args:
        queue_arn: The queue's ARN.
        window: Whether the mapping has a batching window: a message without attributes then has a digest of them, null.
    """

    __slots__ = ("_before_md5", "_source")

    def __init__(self, queue_arn: str, *, window: bool) -> None:
        region = region_of(queue_arn)
        self._source = f'"eventSource":"aws:sqs","eventSourceARN":"{queue_arn}","awsRegion":"{region}"}}'
        self._before_md5 = '{},"md5OfMessageAttributes":null' if window else "{}"

    def record(self, message: M) -> bytes:
        """The record of a message that was just received."""
        return (
            f'{{"messageId":"{message.message_id}","receiptHandle":"{message.receipt_handle}",'
            f'"body":{_text(message.body)},"attributes":{self._system_attributes(message)},'
            f'"messageAttributes":{self._attributes(message)},"md5OfBody":"{message.md5_of_body}",{self._source}'
        ).encode()

    def _system_attributes(self, message: M) -> str:
        """What SQS says of a message, as JSON."""
        raise NotImplementedError

    def _attributes(self, message: M) -> str:
        if not message.raw_attributes:
            return self._before_md5
        attributes = to_json(message.raw_attributes).decode()
        return f'{attributes},"md5OfMessageAttributes":"{message.md5_of_message_attributes}"'


class LocalQueueRecords(QueueRecords["Message"]):
    """Those of a queue here, all of whose messages one user sends."""

    __slots__ = ("_sender",)

    def __init__(self, queue_arn: str, sender_id: str, *, window: bool) -> None:
        super().__init__(queue_arn, window=window)
        self._sender = f'"SenderId":{_text(sender_id)}'

    def _system_attributes(self, message: Message) -> str:
        return (
            f'{{"ApproximateReceiveCount":"{message.receive_count}","SentTimestamp":"{message.sent_timestamp}",'
            f'{self._sender},"ApproximateFirstReceiveTimestamp":"{message.first_received}"{_rare(message)}}}'
        )


def _rare(message: Message) -> str:
    """The attributes that only some messages have."""
    if message.message_group_id is None and message.source is None:
        return ""
    attributes = {
        "SequenceNumber": message.sequence_number,
        "MessageGroupId": message.message_group_id,
        "MessageDeduplicationId": message.message_deduplication_id,
        "DeadLetterQueueSourceArn": None if message.source is None else message.source.arn,
    }
    return "".join(f',"{name}":{_text(value)}' for name, value in attributes.items() if value is not None)
