"""What Kinesis and DynamoDB streams have in common: the settings of their mappings, and order within a shard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from typing_extensions import TypedDict

from lambdakit.batch import Batch, StreamBatch
from lambdakit.triggers.settings import check_arn, check_choice, check_flag, check_range, check_time
from lambdakit.triggers.trigger import Record, Trigger


class StreamSettings(TypedDict, total=False):
    """The settings of a stream's mapping, in seconds where they are times; -1 means without a limit."""

    batch_size: int
    maximum_batching_window_in_seconds: int
    starting_position: Literal["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"]
    starting_position_timestamp: datetime | None
    parallelization_factor: int
    bisect_batch_on_function_error: bool
    maximum_retry_attempts: int
    maximum_record_age_in_seconds: int
    on_failure: str | None
    tumbling_window_in_seconds: int
    enabled: bool
    concurrency: int


def check_known(decorator: str, settings: StreamSettings) -> None:
    """Refuse a setting that no stream's mapping has."""
    for name in settings:
        check_choice(f"a setting of {decorator}", name, StreamSettings.__annotations__)


@dataclass(frozen=True, eq=False, repr=False)
class StreamTrigger(Trigger):
    """A mapping that reads the shards of a stream."""

    batch_size: int = 100
    maximum_batching_window_in_seconds: int = 0
    starting_position: str = "TRIM_HORIZON"
    starting_position_timestamp: datetime | None = None
    parallelization_factor: int = 1
    bisect_batch_on_function_error: bool = False
    maximum_retry_attempts: int = -1
    maximum_record_age_in_seconds: int = -1
    on_failure: str | None = None
    tumbling_window_in_seconds: int = 0
    filter_criteria: tuple[Mapping[str, Any], ...] = ()
    enabled: bool = True
    concurrency: int = 1

    starting_positions: ClassVar[tuple[str, ...]] = ("TRIM_HORIZON", "LATEST")

    def __post_init__(self) -> None:
        check_range("batch_size", self.batch_size, 1, 10_000)
        check_range("maximum_batching_window_in_seconds", self.maximum_batching_window_in_seconds, 0, 300, "seconds")
        check_choice("starting_position", self.starting_position, self.starting_positions)
        check_range("parallelization_factor", self.parallelization_factor, 1, 10)
        check_range("maximum_retry_attempts", self.maximum_retry_attempts, -1, 10_000)
        if self.maximum_record_age_in_seconds != -1:
            check_range(
                "maximum_record_age_in_seconds", self.maximum_record_age_in_seconds, 60, 604_800, "seconds, or -1"
            )
        check_range("tumbling_window_in_seconds", self.tumbling_window_in_seconds, 0, 900, "seconds")
        check_range("concurrency", self.concurrency, 1, 10_000)
        check_arn("on_failure", self.on_failure)
        check_flag("bisect_batch_on_function_error", self.bisect_batch_on_function_error)
        check_flag("enabled", self.enabled)
        check_time("starting_position_timestamp", self.starting_position_timestamp)
        if (self.starting_position == "AT_TIMESTAMP") != (self.starting_position_timestamp is not None):
            raise ValueError("starting_position='AT_TIMESTAMP' and starting_position_timestamp go together")
        if self.tumbling_window_in_seconds and self.parallelization_factor > 1:
            raise ValueError("a tumbling window takes no parallelization_factor above 1")

    @classmethod
    def records(cls, event: Any) -> list[Record]:
        """The records of the batch."""
        records: list[Record] = event["Records"]
        return records

    @classmethod
    def record_id(cls, record: Record) -> str:
        """The event id."""
        return record.get("eventID") or ""

    @classmethod
    def batch(cls, records: Sequence[Record]) -> Batch:
        """By checkpoint."""
        return StreamBatch()
