"""SQS messages: what ``@on_sqs`` takes, matches and hands to a handler."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from operator import methodcaller
from typing import Any, ClassVar

from typing_extensions import TypeVar

from lambdakit.batch import Batch, FifoBatch, MessageBatch
from lambdakit.triggers.settings import (
    Patterns,
    check_flag,
    check_name,
    check_range,
    closeness,
    filter_patterns,
)
from lambdakit.triggers.trigger import Record, Specificity, Trigger, mark

Handler = TypeVar("Handler", bound=Callable[..., object])


@dataclass(frozen=True, eq=False, repr=False)
class SqsTrigger(Trigger):
    """Messages of one queue, and the event source mapping that polls it.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """

    source: ClassVar[str] = "sqs"
    labels: ClassVar[frozenset[str]] = frozenset({"sqs"})
    resource: ClassVar[str] = "queue"
    noun: ClassVar[str] = "SQS message"
    payload_path: ClassVar[str] = "body"
    routing_key: ClassVar[Callable[[Record], Hashable] | None] = staticmethod(methodcaller("get", "eventSourceARN"))

    queue: str | None = None
    batch_size: int = 10
    maximum_batching_window_in_seconds: int = 0
    maximum_concurrency: int | None = None
    filter_criteria: tuple[Mapping[str, Any], ...] = ()
    enabled: bool = True
    concurrency: int = 1

    def __post_init__(self) -> None:
        check_name("on_sqs", self.queue, "queue's name", "sqs")
        fifo = (self.queue or "").endswith(".fifo")
        check_range("batch_size" + " of a FIFO queue" * fifo, self.batch_size, 1, 10 if fifo else 10_000)
        check_range("maximum_batching_window_in_seconds", self.maximum_batching_window_in_seconds, 0, 300, "seconds")
        check_range("maximum_concurrency", self.maximum_concurrency, 2, 1_000, optional=True)
        check_range("concurrency", self.concurrency, 1, 10_000)
        check_flag("enabled", self.enabled)
        if fifo and self.maximum_batching_window_in_seconds:
            raise ValueError("a FIFO queue takes no maximum_batching_window_in_seconds")
        if self.batch_size > 10 and not self.maximum_batching_window_in_seconds:
            raise ValueError(
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10: "
                "add maximum_batching_window_in_seconds=1"
            )

    def specificity(self, record: Record) -> Specificity | None:
        """An ARN before a name before any queue."""
        arn = record.get("eventSourceARN") or ""
        return closeness(self.queue, arn.rpartition(":")[2], arn)

    @classmethod
    def records(cls, event: Any) -> list[Record]:
        """The messages."""
        records: list[Record] = event["Records"]
        return records

    @classmethod
    def origin(cls, record: Record) -> str:
        """The queue."""
        return f"queue {(record.get('eventSourceARN') or '').rpartition(':')[2]!r}"

    @classmethod
    def record_id(cls, record: Record) -> str:
        """The message id, which SQS gives a message once for all its deliveries."""
        return record.get("messageId") or ""

    @classmethod
    def order_key(cls, record: Record) -> Hashable:
        """The message group of a FIFO queue."""
        return (record.get("attributes") or {}).get("MessageGroupId") if _is_fifo(record) else None

    @classmethod
    def batch(cls, records: Sequence[Record]) -> Batch:
        """By message; by group on a FIFO queue, which only its name tells: a standard queue may have groups too."""
        fifo = records and (records[0].get("eventSourceARN") or "").endswith(".fifo")
        return FifoBatch() if fifo else MessageBatch()

    @classmethod
    def payload_reader(cls, annotation: Any) -> Callable[[Record], Any]:
        """Of the body."""
        from lambdakit.events.payload import text_reader

        read = text_reader(annotation)
        return lambda record: read(record.get("body"))

    @classmethod
    def contents(cls, record: Record) -> Any:
        """The JSON of the body."""
        from pydantic_core import from_json

        return from_json(record["body"])


def _is_fifo(record: Record) -> bool:
    return (record.get("eventSourceARN") or "").endswith(".fifo")


def on_sqs(
    queue: str | None = None,
    *,
    batch_size: int = 10,
    maximum_batching_window_in_seconds: int = 0,
    maximum_concurrency: int | None = None,
    filter_criteria: Patterns = None,
    enabled: bool = True,
    concurrency: int = 1,
) -> Callable[[Handler], Handler]:
    """Run the decorated function for the messages of a queue.

    It may ask for the body (``order: Order``), an ``SqsRecord[Order]`` (one call for each message, a failure fails that
    message only), a ``list[SqsRecord]`` or the ``SqsEvent``. After a failure in a FIFO queue the rest of the message's
    group is left for the next delivery.

    Args:
        queue: The queue's name or ARN; None takes any queue that no other handler takes.
        batch_size: At most so many messages in an invocation: 1 to 10,000, to 10 for a FIFO queue.
        maximum_batching_window_in_seconds: How long to gather messages: 0 to 300; at least 1 for batches above 10.
        maximum_concurrency: How many invocations at once the mapping may cause: 2 to 1,000, or None for no limit.
        filter_criteria: A pattern, or several, of which a message has to match one; the others are deleted by Lambda.
        enabled: Whether the mapping polls.
        concurrency: How many messages of a batch are handled at once; messages of a FIFO group stay in order.

    Raises:
        ValueError: AWS would reject the setting.

    >>> @on_sqs("orders", batch_size=5)
    ... def charge(order: dict[str, object]) -> None: ...
    """
    return mark(
        SqsTrigger(
            queue,
            batch_size,
            maximum_batching_window_in_seconds,
            maximum_concurrency,
            filter_patterns(filter_criteria),
            enabled,
            concurrency,
        )
    )
