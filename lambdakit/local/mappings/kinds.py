"""Which mapping a source has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast

from lambdakit.local.mappings.brokers import BrokerMapping
from lambdakit.local.mappings.queues import QueueMapping
from lambdakit.local.mappings.settings import (
    BrokerSettings,
    DynamoDbSettings,
    KafkaSettings,
    PositionedSettings,
    QueueSettings,
    StreamSettings,
    check_timeout,
    read_settings,
)
from lambdakit.local.mappings.shards import ShardMapping
from lambdakit.local.sources.source import EventSource
from lambdakit.local.sources.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambdakit.local.function import Function
    from lambdakit.local.sources.broker import Broker
    from lambdakit.local.sources.reading import ShardSource
    from lambdakit.local.sources.receiving import QueueSource

AnySource: TypeAlias = EventSource | Table
AnyMapping: TypeAlias = QueueMapping | ShardMapping | BrokerMapping

_SHARD_SETTINGS: dict[str, type[PositionedSettings]] = {
    kind.source: kind for kind in (StreamSettings, DynamoDbSettings, KafkaSettings)
}


def polled_of(source: object) -> EventSource:
    """What a mapping of a source polls: of a table its stream.

    Raises:
        TypeError: nothing polls it.
    """
    if isinstance(source, Table):
        return source.stream
    if isinstance(source, EventSource):
        return source
    raise TypeError(
        f"no event source mapping polls {source!r}: map a queue, a stream, a table, a topic of Kafka, a broker.\n"
        "A bucket notifies (bucket.notify), a topic of SNS has subscriptions (topic.subscribe), a bus rules (bus.rule)."
    )


def mapping_of(
    source: EventSource,
    function: Function,
    settings: Mapping[str, Any],
    send: Callable[[str, str, dict[str, Any]], None],
) -> AnyMapping:
    """Make the mapping of a source; ``send`` is given its UUID, a destination and a record.

    Raises:
        InvokeError: Lambda would not take it.
    """
    clock = source.place.clock
    if source.kind == "sqs":
        queue = cast("QueueSource[Any]", source)
        return QueueMapping(clock, queue, function, read_settings(QueueSettings, settings))
    if source.kind == "mq":
        return BrokerMapping(clock, cast("Broker", source), function, read_settings(BrokerSettings, settings))
    if source.kind == "kafka":
        check_timeout(function.timeout)
    mapping = ShardMapping(
        clock,
        cast("ShardSource[Any]", source),
        function,
        read_settings(_SHARD_SETTINGS[source.kind], settings),
        lambda target, record: send(mapping.uuid, target, record),
    )
    return mapping


def is_same(mapping: AnyMapping, source: object, function: Function, settings: Mapping[str, Any]) -> bool:
    """Whether there is such a mapping already: of this source, and of a broker of this queue, to this function."""
    if mapping.source is not source or mapping.function is not function or mapping.state == "Deleted":
        return False
    return not isinstance(mapping, BrokerMapping) or mapping.settings.queue == settings.get("queue")
