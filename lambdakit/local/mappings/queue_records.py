"""SQS messages as they stand in an event.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event
"""

from __future__ import annotations

from json import JSONEncoder
from typing import TYPE_CHECKING

from pydantic_core import to_json

if TYPE_CHECKING:
    from lambdakit.local.sources.messages import Message
    from lambdakit.local.sources.queue import Queue

_text = JSONEncoder(ensure_ascii=False).encode


class QueueRecords:
    """Writes the records of a queue, as JSON by hand: there are many.

    Args:
        queue: The queue.
        window: Whether the mapping has a batching window: a message without attributes then has a digest of them, null.
    """

    __slots__ = ("_before_md5", "_sender", "_source")

    def __init__(self, queue: Queue, *, window: bool) -> None:
        self._sender = f'"SenderId":{_text(queue.sender_id)}'
        self._source = f'"eventSource":"aws:sqs","eventSourceARN":"{queue.arn}","awsRegion":"{queue.place.region}"}}'
        self._before_md5 = '{},"md5OfMessageAttributes":null' if window else "{}"

    def record(self, message: Message) -> bytes:
        """The record of a message that was just received."""
        return (
            f'{{"messageId":"{message.message_id}","receiptHandle":"{message.receipt_handle}",'
            f'"body":{_text(message.body)},"attributes":{{"ApproximateReceiveCount":"{message.receive_count}",'
            f'"SentTimestamp":"{message.sent_timestamp}",{self._sender},'
            f'"ApproximateFirstReceiveTimestamp":"{message.first_received}"{_rare(message)}}},'
            f'"messageAttributes":{self._attributes(message)},"md5OfBody":"{message.md5_of_body}",{self._source}'
        ).encode()

    def _attributes(self, message: Message) -> str:
        if not message.raw_attributes:
            return self._before_md5
        attributes = to_json(message.raw_attributes).decode()
        return f'{attributes},"md5OfMessageAttributes":"{message.md5_of_message_attributes}"'


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
