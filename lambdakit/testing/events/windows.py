"""Tumbling windows, which batches of a stream may belong to.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lambdakit.testing.events.values import Event, iso, plain, utc


def windowed(
    event: Event,
    stream_arn: str,
    shard_id: str,
    *,
    seconds: int,
    time: datetime,
    state: Mapping[str, Any] | None,
    final: bool,
) -> Event:
    """A batch with what says of its window: which it is, what has been gathered, and whether it ends here."""
    start = int(utc(time).timestamp()) // seconds * seconds
    return {
        **event,
        "window": {"start": _iso(start), "end": _iso(start + seconds)},
        "state": plain(state or {}),
        "shardId": shard_id,
        "eventSourceARN": stream_arn,
        "isFinalInvokeForWindow": final,
        "isWindowTerminatedEarly": False,
    }


def _iso(seconds: int) -> str:
    return iso(datetime.fromtimestamp(seconds, UTC))
