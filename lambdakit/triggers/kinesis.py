"""Kinesis records: what ``@on_kinesis`` takes, matches and hands to a handler."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from operator import methodcaller
from typing import Any, ClassVar, Unpack

from typing_extensions import TypeVar

from lambdakit.triggers.settings import Patterns, check_name, closeness, filter_patterns
from lambdakit.triggers.stream import StreamSettings, StreamTrigger, check_known
from lambdakit.triggers.trigger import Record, Specificity, mark

Handler = TypeVar("Handler", bound=Callable[..., object])


@dataclass(frozen=True, eq=False, repr=False)
class KinesisTrigger(StreamTrigger):
    """Records of one stream, and the event source mapping that reads its shards.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
    """

    source: ClassVar[str] = "kinesis"
    labels: ClassVar[frozenset[str]] = frozenset({"kinesis"})
    resource: ClassVar[str] = "stream"
    noun: ClassVar[str] = "Kinesis record"
    payload_path: ClassVar[str] = "kinesis.data"
    routing_key: ClassVar[Callable[[Record], Hashable] | None] = staticmethod(methodcaller("get", "eventSourceARN"))
    starting_positions: ClassVar[tuple[str, ...]] = ("TRIM_HORIZON", "LATEST", "AT_TIMESTAMP")

    stream: str | None = None

    def __post_init__(self) -> None:
        check_name("on_kinesis", self.stream, "stream's name", "kinesis")
        super().__post_init__()

    def specificity(self, record: Record) -> Specificity | None:
        """An ARN before a name before any stream."""
        arn = record.get("eventSourceARN") or ""
        return closeness(self.stream, stream_of(arn), arn, arn.partition("/consumer/")[0])

    @classmethod
    def order_key(cls, record: Record) -> Hashable:
        """The partition key."""
        key: Hashable = record["kinesis"].get("partitionKey")
        return key

    @classmethod
    def item_identifier(cls, record: Record) -> str:
        """The sequence number."""
        return record["kinesis"].get("sequenceNumber") or ""

    @classmethod
    def origin(cls, record: Record) -> str:
        """The stream."""
        return f"stream {stream_of(record.get('eventSourceARN') or '')!r}"

    @classmethod
    def payload_reader(cls, annotation: Any) -> Callable[[Record], Any]:
        """Of the data."""
        from lambdakit.events.payload import base64_reader

        read = base64_reader(annotation)
        return lambda record: read(record["kinesis"].get("data"))


def stream_of(arn: str) -> str:
    """The stream's name in its ARN, or in that of a consumer with enhanced fan-out."""
    return arn.partition(":stream/")[2].partition("/")[0]


def on_kinesis(
    stream: str | None = None, *, filter_criteria: Patterns = None, **settings: Unpack[StreamSettings]
) -> Callable[[Handler], Handler]:
    """Run the decorated function for the records of a stream.

    It may ask for the data (``reading: Reading``, or ``bytes``), a ``KinesisRecord[Reading]`` (one call for each, in
    order; the first failure ends the batch, which Lambda delivers again from there), a ``list[KinesisRecord]`` or the
    ``KinesisEvent``, which alone has the state of a tumbling window.

    Args:
        stream: The stream's name or ARN; None takes any stream that no other handler takes.
        filter_criteria: A pattern, or several, of which a record has to match one; Lambda passes over the others.
        **settings: The mapping's settings, see ``StreamSettings``: ``batch_size`` (1 to 10,000, default 100),
            ``maximum_batching_window_in_seconds`` (0 to 300), ``starting_position`` (default ``TRIM_HORIZON``),
            ``starting_position_timestamp``, ``parallelization_factor`` (1 to 10), ``bisect_batch_on_function_error``,
            ``maximum_retry_attempts`` and ``maximum_record_age_in_seconds`` (-1 for no limit), ``on_failure`` (a
            queue or topic, by name or ARN), ``tumbling_window_in_seconds`` (0 to 900), ``enabled``, and
            ``concurrency``: how many records of a batch are handled at once, those of a partition key in order.

    Raises:
        ValueError: AWS would reject the setting.

    >>> @on_kinesis("readings", maximum_retry_attempts=3, bisect_batch_on_function_error=True)
    ... def store(reading: dict[str, float]) -> None: ...
    """
    check_known("on_kinesis", settings)
    patterns = filter_patterns(filter_criteria)
    return mark(KinesisTrigger(stream=stream, filter_criteria=patterns, **settings))
