"""Typed events, one module a source; only the modules whose names are used are loaded.

Names are AWS's own in snake_case, values are Python's: datetimes are aware, S3 keys are decoded, Kinesis data is
bytes, DynamoDB images are plain values. Fields that the service adds later are ignored. What a service always sends is
typed as always there; a hand-made event may leave it out, and then it is None.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambdakit.events.dynamodb import DynamoDbEvent, DynamoDbRecord
    from lambdakit.events.eventbridge import EventBridgeEvent
    from lambdakit.events.kinesis import KinesisEvent, KinesisRecord
    from lambdakit.events.s3 import S3Event, S3Record
    from lambdakit.events.schedule import ScheduledEvent
    from lambdakit.events.sns import SnsEvent, SnsRecord
    from lambdakit.events.sqs import SqsEvent, SqsRecord

_HOMES = {
    "DynamoDbEvent": "dynamodb",
    "DynamoDbRecord": "dynamodb",
    "EventBridgeEvent": "eventbridge",
    "KinesisEvent": "kinesis",
    "KinesisRecord": "kinesis",
    "S3Event": "s3",
    "S3Record": "s3",
    "ScheduledEvent": "schedule",
    "SnsEvent": "sns",
    "SnsRecord": "sns",
    "SqsEvent": "sqs",
    "SqsRecord": "sqs",
}

__all__ = [
    "DynamoDbEvent",
    "DynamoDbRecord",
    "EventBridgeEvent",
    "KinesisEvent",
    "KinesisRecord",
    "S3Event",
    "S3Record",
    "ScheduledEvent",
    "SnsEvent",
    "SnsRecord",
    "SqsEvent",
    "SqsRecord",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
