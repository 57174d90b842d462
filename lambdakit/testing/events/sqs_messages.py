"""Batches of SQS messages.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from hashlib import md5
from typing import Any

from lambdakit.testing.events.payload_examples import filter_example, payload_for
from lambdakit.testing.events.sources import Source, trigger_of
from lambdakit.testing.events.values import (
    ACCOUNT,
    REGION,
    TIME,
    Event,
    arn,
    hexadecimal,
    letters,
    milliseconds,
    names,
    region_of,
    repeated,
    text_of,
    token,
    uuid,
)


def sqs(
    queue: Source = "orders",
    *bodies: Any,
    group: str | Sequence[str] | None = None,
    message_attributes: Mapping[str, Any] | None = None,
    attributes: Mapping[str, str] | None = None,
    receive_count: int = 1,
    records: int | None = None,
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """A batch of messages of a queue.

    The messages of a FIFO queue, whose name ends in ``.fifo``, have a group, a deduplication id and a sequence number.

    Args:
        queue: The queue's name or ARN, or the handler that takes its messages.
        *bodies: The messages: text as it is, anything else (a model, a dict, ...) as JSON; none is one that fits.
        group: The group of the messages; of several, the messages take turns.
        message_attributes: The attributes of each message: text, numbers or bytes, or as SQS writes them.
        attributes: Further system attributes of each message, such as ``DeadLetterQueueSourceArn``.
        receive_count: How often each message has been received.
        records: How many messages; the bodies take turns.
        time: When they were sent.
        region: The queue's region.
        account: The queue's account.

    >>> sqs("orders", {"id": "1"})["Records"][0]["body"]
    '{"id":"1"}'
    """
    trigger = trigger_of(queue, "sqs")
    name = (trigger.queue or "orders") if trigger else str(queue)
    queue_arn = arn("sqs", name, region, account)
    given = bodies or (payload_for(queue, trigger, filter_example(trigger).get("body")),)
    contents = repeated([*map(text_of, given)], records)
    groups = repeated(names(group or "default"), len(contents))
    fifo = name.endswith(".fifo")
    sent = milliseconds(time)
    return {
        "Records": [
            {
                "messageId": uuid("message", queue_arn, position, body),
                "receiptHandle": "AQEB" + token(172, "receipt", queue_arn, position, body, receive_count),
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": str(receive_count),
                    "SentTimestamp": str(sent + position),
                    **(_order(sent, position, body) if fifo else {}),
                    **({"MessageGroupId": groups[position]} if group or fifo else {}),
                    "SenderId": f"AROA{letters(17, 'sender', account)}:sender",
                    "ApproximateFirstReceiveTimestamp": str(sent + position + 12),
                    **(attributes or {}),
                },
                **_message_attributes(message_attributes or {}),
                "md5OfBody": _md5(body.encode()),
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn,
                "awsRegion": region_of(queue_arn),
            }
            for position, body in enumerate(contents)
        ]
    }


def _order(sent: int, position: int, body: str) -> Event:
    """What a FIFO queue gives each message, such as a number that grows."""
    return {
        "SequenceNumber": str(sent * 10_000_000 + position * 256),
        "MessageDeduplicationId": hexadecimal(64, "deduplication", position, body),
    }


def _message_attributes(given: Mapping[str, Any]) -> Event:
    """The attributes; their digest where there are any, as a mapping without a batching window has it."""
    attributes = {name: attribute_of(value) for name, value in given.items()}
    digest = {"md5OfMessageAttributes": md5_of_attributes(attributes)} if attributes else {}
    return {"messageAttributes": attributes, **digest}


def attribute_of(value: Any) -> Event:
    """A message attribute as an event has it, of a value or of itself."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, bytes):
        content = {"binaryValue": b64encode(value).decode(), "dataType": "Binary"}
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        content = {"stringValue": str(value), "dataType": "Number"}
    else:
        content = {"stringValue": text_of(value), "dataType": "String"}
    return {**content, "stringListValues": [], "binaryListValues": []}


def md5_of_attributes(attributes: Mapping[str, Event]) -> str:
    """The digest by which SDKs check that message attributes arrived as they were sent.

    Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html
    """
    return _md5(b"".join(_digested(name, attributes[name]) for name in sorted(attributes)))


def _digested(name: str, attribute: Event) -> bytes:
    """Name, type, kind of transport (1 text, 2 bytes) and value, each after its length where that varies."""
    if "binaryValue" in attribute:
        transport, value = b"\2", b64decode(attribute["binaryValue"])
    else:
        transport, value = b"\1", attribute["stringValue"].encode()
    return _sized(name.encode()) + _sized(attribute["dataType"].encode()) + transport + _sized(value)


def _sized(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _md5(data: bytes) -> str:
    return md5(data, usedforsecurity=False).hexdigest()
