"""Changes of a DynamoDB table: what ``@on_dynamodb`` takes, matches and hands to a handler."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Unpack

from typing_extensions import TypeVar

from lambdakit.triggers.settings import (
    Patterns,
    as_tuple,
    check_choice,
    check_name,
    closeness,
    filter_patterns,
)
from lambdakit.triggers.stream import StreamSettings, StreamTrigger, check_known
from lambdakit.triggers.trigger import Record, Specificity, Trigger, mark

Handler = TypeVar("Handler", bound=Callable[..., object])
Change = Literal["INSERT", "MODIFY", "REMOVE"]

CHANGES: tuple[Change, ...] = ("INSERT", "MODIFY", "REMOVE")


@dataclass(frozen=True, eq=False, repr=False)
class DynamoDbTrigger(StreamTrigger):
    """Changes of one table, and the event source mapping that reads its stream.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
    """

    source: ClassVar[str] = "dynamodb"
    labels: ClassVar[frozenset[str]] = frozenset({"dynamodb"})
    resource: ClassVar[str] = "table"
    noun: ClassVar[str] = "DynamoDB change"
    payload_path: ClassVar[str] = "dynamodb.NewImage"
    routing_key: ClassVar[Callable[[Record], Hashable] | None] = staticmethod(
        lambda record: (record.get("eventSourceARN"), record.get("eventName"))
    )

    table: str | None = None
    events: tuple[str, ...] = CHANGES

    def __post_init__(self) -> None:
        check_name("on_dynamodb", self.table, "table's name", "dynamodb")
        if not self.events:
            raise ValueError("events names at least one of 'INSERT', 'MODIFY', 'REMOVE'")
        for name in self.events:
            check_choice("an event of a table", name, CHANGES)
        super().__post_init__()

    def conflicts(self, other: Trigger) -> bool:
        """Whether both take the same kind of change of the same table."""
        return super().conflicts(other) and bool(set(self.events) & set(getattr(other, "events", ())))

    def specificity(self, record: Record) -> Specificity | None:
        """An ARN before a name before any table."""
        if record.get("eventName") not in self.events:
            return None
        arn = record.get("eventSourceARN") or ""
        table_arn = arn.partition("/stream/")[0]
        return closeness(self.table, table_arn.partition(":table/")[2], table_arn, arn)

    @classmethod
    def order_key(cls, record: Record) -> Hashable:
        """The item's key."""
        return repr(sorted((record["dynamodb"].get("Keys") or {}).items()))

    @classmethod
    def item_identifier(cls, record: Record) -> str:
        """The sequence number."""
        return record["dynamodb"].get("SequenceNumber") or ""

    def why_not(self, record: Record) -> str:
        """What was asked for beside what came."""
        return f"takes {self}, this is {record.get('eventName')!r} of {self.origin(record)}"

    @classmethod
    def origin(cls, record: Record) -> str:
        """The table."""
        return f"table {(record.get('eventSourceARN') or '').partition(':table/')[2].partition('/')[0]!r}"

    @classmethod
    def payload_reader(cls, annotation: Any) -> Callable[[Record], Any]:
        """Of the new image; None where the change leaves none."""
        from lambdakit.events.attributes import python_item
        from lambdakit.events.payload import value_reader

        read = value_reader(annotation)
        return lambda record: read(python_item(record["dynamodb"].get("NewImage")))


def on_dynamodb(
    table: str | None = None,
    *,
    events: Change | Iterable[Change] = CHANGES,
    filter_criteria: Patterns = None,
    **settings: Unpack[StreamSettings],
) -> Callable[[Handler], Handler]:
    """Run the decorated function for the changes of a table.

    It may ask for the new image (``customer: Customer``; ``Customer | None`` also takes removals), a
    ``DynamoDbRecord[Customer]`` (one call for each, in order; the first failure ends the batch, which Lambda delivers
    again from there), a ``list[DynamoDbRecord]`` or the ``DynamoDbEvent``.

    Args:
        table: The table's name, its ARN or its stream's; None takes any table that no other handler takes.
        events: The kinds of change to take: ``INSERT``, ``MODIFY``, ``REMOVE``. The others are filtered by Lambda.
        filter_criteria: A pattern, or several, of which a change has to match one; Lambda passes over the others.
        **settings: The mapping's settings, as for ``on_kinesis``; ``starting_position`` is ``TRIM_HORIZON`` or
            ``LATEST``.

    Raises:
        ValueError: AWS would reject the setting.

    >>> @on_dynamodb("customers", events=("INSERT", "MODIFY"))
    ... def project(customer: dict[str, object]) -> None: ...
    """
    check_known("on_dynamodb", settings)
    patterns = filter_patterns(filter_criteria)
    return mark(DynamoDbTrigger(table=table, events=as_tuple(events, "events"), filter_criteria=patterns, **settings))
