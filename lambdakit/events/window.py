"""Tumbling windows, which Kinesis and DynamoDB batches may belong to.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from lambdakit.events.model import EventModel, usually


class Window(BaseModel):
    """When a tumbling window begins and ends."""

    start: datetime
    end: datetime


class WindowedEvent(EventModel):
    """A batch of one shard. The fields of a window are None where the mapping has none."""

    lambdakit_unit: ClassVar[Literal["event", "record"]] = "event"

    window: Window | None = None
    state: dict[str, Any] | None = None
    shard_id: str | None = usually("shardId")
    event_source_arn: str | None = usually("eventSourceARN")
    is_final_invoke_for_window: bool | None = usually("isFinalInvokeForWindow")
    is_window_terminated_early: bool | None = usually("isWindowTerminatedEarly")
