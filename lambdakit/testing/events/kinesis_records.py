"""Batches of Kinesis records.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from lambdakit.testing.events.payload_examples import filter_example, payload_for
from lambdakit.testing.events.sources import Source, trigger_of
from lambdakit.testing.events.values import (
    ACCOUNT,
    REGION,
    TIME,
    Event,
    arn,
    base64_of,
    digits,
    milliseconds,
    names,
    region_of,
    repeated,
    uuid,
)
from lambdakit.testing.events.windows import windowed


def kinesis(
    stream: Source = "readings",
    *data: Any,
    partition_key: str | Sequence[str] | None = None,
    shard: int = 0,
    window: int | None = None,
    state: Mapping[str, Any] | None = None,
    final: bool = False,
    records: int | None = None,
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """A batch of records of one shard of a stream.

    Args:
        stream: The stream's name or ARN, or the handler that takes its records.
        *data: The records' data: bytes or text as it is, anything else (a model, a dict, ...) as JSON; none at all is
            one that fits.
        partition_key: The partition key; of several, the records take turns. By default each record has its own.
        shard: The number of the shard.
        window: The length of the tumbling window in seconds, or 0 for none; by default the handler's.
        state: What the window's last call returned.
        final: Whether it is the window's last call.
        records: How many records; the data take turns.
        time: When the first one arrived.
        region: The stream's region.
        account: The stream's account.

    >>> kinesis("readings", b"21.5")["Records"][0]["kinesis"]["data"]
    'MjEuNQ=='
    """
    trigger = trigger_of(stream, "kinesis")
    stream_arn = arn("kinesis", (trigger.stream or "readings") if trigger else str(stream), region, account, "stream/")
    shard_id = f"shardId-{shard:012d}"
    contents = repeated(data or (payload_for(stream, trigger, filter_example(trigger).get("data")),), records)
    keys = repeated(names(partition_key), len(contents)) if partition_key else []
    event = {
        "Records": [
            _record(
                content,
                position,
                key=keys[position] if keys else None,
                stream_arn=stream_arn,
                shard_id=shard_id,
                arrived=milliseconds(time) + position,
                account=account,
            )
            for position, content in enumerate(contents)
        ]
    }
    seconds = (trigger.tumbling_window_in_seconds if trigger else 0) if window is None else window
    return (
        windowed(event, stream_arn, shard_id, seconds=seconds, time=time, state=state, final=final)
        if seconds
        else event
    )


def _record(
    content: Any,
    position: int,
    *,
    key: str | None,
    stream_arn: str,
    shard_id: str,
    arrived: int,
    account: str,
) -> Event:
    sequence_number = f"49{arrived:013d}{digits(31, stream_arn, shard_id)}{position:010d}"
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": key or uuid("partition", stream_arn, content, position),
            "sequenceNumber": sequence_number,
            "data": base64_of(content),
            "approximateArrivalTimestamp": arrived / 1000,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard_id}:{sequence_number}",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": f"arn:aws:iam::{account}:role/function",
        "awsRegion": region_of(stream_arn),
        "eventSourceARN": stream_arn,
    }
