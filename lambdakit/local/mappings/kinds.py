"""Which mapping a source has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

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
from lambdakit.local.sources.broker import Broker
from lambdakit.local.sources.kafka import Topic
from lambdakit.local.sources.queue import Queue
from lambdakit.local.sources.stream import Stream
from lambdakit.local.sources.table import Table, TableStream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambdakit.local.function import Function

Pollable: TypeAlias = Queue | Stream | TableStream | Topic | Broker
AnySource: TypeAlias = Pollable | Table
AnyMapping: TypeAlias = QueueMapping | ShardMapping | BrokerMapping


def polled_of(source: object) -> Pollable:
    """What a mapping of a source polls: of a table its stream.

    Raises:
        TypeError: nothing polls it.
    """
    if isinstance(source, Table):
        return source.stream
    if isinstance(source, Queue | Stream | TableStream | Topic | Broker):
        return source
    raise TypeError(
        f"no event source mapping polls {source!r}: map a queue, a stream, a table, a topic of Kafka, a broker.\n"
        "A bucket notifies (bucket.notify), a topic of SNS has subscriptions (topic.subscribe), a bus rules (bus.rule)."
    )


def mapping_of(
    source: Pollable,
    function: Function,
    settings: Mapping[str, Any],
    send: Callable[[str, str, dict[str, Any]], None],
) -> AnyMapping:
    """Make the mapping of a source; ``send`` is given its UUID, a destination and a record.

    Raises:
        InvokeError: Lambda would not take it.
    """
    clock = source.place.clock
    if isinstance(source, Queue):
        return QueueMapping(clock, source, function, read_settings(QueueSettings, settings))
    if isinstance(source, Broker):
        return BrokerMapping(clock, source, function, read_settings(BrokerSettings, settings))
    kind: type[PositionedSettings] = StreamSettings
    if isinstance(source, TableStream):
        kind = DynamoDbSettings
    elif isinstance(source, Topic):
        check_timeout(function.timeout)
        kind = KafkaSettings
    mapping = ShardMapping(
        clock,
        source,
        function,
        read_settings(kind, settings),
        lambda target, record: send(mapping.uuid, target, record),
    )
    return mapping


def is_same(mapping: AnyMapping, source: Pollable, function: Function, settings: Mapping[str, Any]) -> bool:
    """Whether there is such a mapping already: of this source, and of a broker of this queue, to this function."""
    if mapping.source is not source or mapping.function is not function or mapping.state == "Deleted":
        return False
    return not isinstance(mapping, BrokerMapping) or mapping.settings.queue == settings.get("queue")
