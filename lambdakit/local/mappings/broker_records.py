"""Messages of Amazon MQ as they stand in an event.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from lambdakit.local.sources.broker import BYTES
from lambdakit.testing.events.values import Event, base64_of

if TYPE_CHECKING:
    from lambdakit.local.sources.broker import Broker, BrokerMessage, BrokerQueue

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # whatever the locale


class BrokerRecords:
    """Writes the events of a broker's queue.

    Args:
        broker: The broker.
        queue: The queue.
    """

    def __init__(self, broker: Broker, queue: BrokerQueue) -> None:
        self._broker = broker
        self._queue = queue

    def event(self, records: list[Event]) -> bytes:
        """The event with these records, as JSON."""
        arn, queue = self._broker.arn, self._queue
        if self._broker.engine == "ActiveMQ":
            return to_json({"eventSource": "aws:mq", "eventSourceArn": arn, "messages": records})
        by_queue = {f"{queue.name}::{queue.virtual_host}": records}
        return to_json({"eventSource": "aws:rmq", "eventSourceArn": arn, "rmqMessagesByQueue": by_queue})

    def record(self, message: BrokerMessage, now: int) -> Event:
        """The record of a message that is delivered now, in milliseconds of Unix time."""
        return _activemq(message, self._queue.name, now) if self._broker.engine == "ActiveMQ" else _rabbitmq(message)


def _activemq(message: BrokerMessage, queue: str, now: int) -> Event:
    return {
        "messageID": message.message_id,
        "messageType": "jms/bytes-message" if message.content_type == BYTES else "jms/text-message",
        "deliveryMode": 1,
        "replyTo": message.reply_to,
        "type": message.type,
        "expiration": _milliseconds(message.time_to_live) or 0,
        "priority": message.priority,
        "correlationId": message.correlation_id,
        "redelivered": message.redeliveries > 0,
        "destination": {"physicalName": queue},
        "data": base64_of(message.data),
        "timestamp": message.sent_timestamp,
        "brokerInTime": message.sent_timestamp,
        "brokerOutTime": now,
        "properties": {name: _property(value) for name, value in message.properties.items()},
    }


def _rabbitmq(message: BrokerMessage) -> Event:
    lifetime = _milliseconds(message.time_to_live)
    return {
        "basicProperties": {
            "contentType": message.content_type,
            "contentEncoding": None,
            "headers": {name: _header(value) for name, value in message.properties.items()},
            "deliveryMode": 2,
            "priority": message.priority,
            "correlationId": message.correlation_id,
            "replyTo": message.reply_to,
            "expiration": None if lifetime is None else str(lifetime),
            "messageId": message.message_id,
            "timestamp": _timestamp(message.sent_timestamp),
            "type": message.type,
            "userId": None,
            "appId": None,
            "clusterId": None,
            "bodySize": len(message.data),
        },
        "redelivered": message.redeliveries > 0,
        "data": base64_of(message.data),
    }


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


def _property(value: Any) -> str:
    """A property of JMS, which Lambda gives as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _header(value: Any) -> Any:
    """A header of AMQP: text is given as its bytes."""
    return {"bytes": [*value.encode()]} if isinstance(value, str) else value


def _timestamp(milliseconds: int) -> str:
    """``Jan 1, 2026, 12:00:00 PM``."""
    time = datetime.fromtimestamp(milliseconds // 1000, UTC)
    half = "AM" if time.hour < 12 else "PM"
    return f"{_MONTHS[time.month - 1]} {time.day}, {time.year}, {time.hour % 12 or 12}:{time:%M:%S} {half}"
