"""The resources of an account: each is made when it is first asked for, and found again by its name or ARN."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from lambdakit.local.errors import ClockError

if TYPE_CHECKING:
    from lambdakit.local.remote.calls import Calls
    from lambdakit.local.remote.endpoint import EndpointSettings
    from lambdakit.local.remote.queue import RemoteQueue
    from lambdakit.local.remote.stream import RemoteStream
    from lambdakit.local.remote.table_stream import RemoteTableStream
    from lambdakit.local.sources.broker import Broker
    from lambdakit.local.sources.bucket import Bucket
    from lambdakit.local.sources.bus import Bus
    from lambdakit.local.sources.kafka import Cluster
    from lambdakit.local.sources.queue import Queue
    from lambdakit.local.sources.schedule import ScheduleSource
    from lambdakit.local.sources.source import Place
    from lambdakit.local.sources.stream import Stream
    from lambdakit.local.sources.table import Table
    from lambdakit.local.sources.topic import Topic

S = TypeVar("S")


class Account:
    """The queues, streams, tables, buckets, topics, buses, schedules and brokers of one account and Region.

    Each method takes a resource's name, or its ARN, and returns the resource; the first call makes it, with the
    settings given. Later calls find it.

    Raises:
        ValueError: there is one of that name already, and settings are given: they would have no effect.

    Attributes:
        place: Where they are.
        schedules: The schedules, by name.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.schedules: dict[str, ScheduleSource] = {}
        self._sources: dict[type, dict[str, Any]] = {}
        self._calls: Calls | None = None

    def queue(self, name: str, **settings: Any) -> Queue:
        """An SQS queue; a FIFO queue if its name ends in ``.fifo``. For the settings see ``Queue``."""
        from lambdakit.local.sources.queue import Queue

        return self._found_or_made(Queue, name, settings)

    def stream(self, name: str, **settings: Any) -> Stream:
        """A Kinesis stream. For the settings see ``Stream``."""
        from lambdakit.local.sources.stream import Stream

        return self._found_or_made(Stream, name, settings)

    def table(self, name: str, **settings: Any) -> Table:
        """A DynamoDB table, with its stream. For the settings see ``Table``."""
        from lambdakit.local.sources.table import Table

        return self._found_or_made(Table, name, settings)

    def bucket(self, name: str, **settings: Any) -> Bucket:
        """An S3 bucket. For the settings see ``Bucket``."""
        from lambdakit.local.sources.bucket import Bucket

        return self._found_or_made(Bucket, name, settings)

    def topic(self, name: str, **settings: Any) -> Topic:
        """An SNS topic; a FIFO topic if its name ends in ``.fifo``. For the settings see ``Topic``."""
        from lambdakit.local.sources.topic import Topic

        return self._found_or_made(Topic, name, settings)

    def bus(self, name: str = "default") -> Bus:
        """An EventBridge bus."""
        from lambdakit.local.sources.bus import Bus

        return self._found_or_made(Bus, name, {})

    def cluster(self, name: str, **settings: Any) -> Cluster:
        """A Kafka cluster; ``.topic(name)`` has its topics. For the settings see ``Cluster``."""
        from lambdakit.local.sources.kafka import Cluster

        return self._found_or_made(Cluster, name, settings)

    def broker(self, name: str, **settings: Any) -> Broker:
        """An Amazon MQ broker; ``.queue(name)`` has its queues. For the settings see ``Broker``."""
        from lambdakit.local.sources.broker import Broker

        return self._found_or_made(Broker, name, settings)

    def remote_queue(
        self, queue: str, *, wait_time_seconds: int = 1, **endpoint: Unpack[EndpointSettings]
    ) -> RemoteQueue:
        """An SQS queue at an endpoint, to be mapped on real time; a FIFO queue if its name ends in ``.fifo``.

        Args:
            queue: Its URL, its ARN or its name.
            wait_time_seconds: How long a request waits for messages: 1 to 20 seconds. The longer, the fewer requests;
                but ``run`` and ``close`` wait for it.
            endpoint: Where that is: see ``EndpointSettings``.
        """
        from lambdakit.local.remote.endpoint import Endpoint
        from lambdakit.local.remote.queue import RemoteQueue

        return RemoteQueue(
            queue, self.place, self._found_calls, Endpoint(**endpoint), wait_time_seconds=wait_time_seconds
        )

    def remote_stream(self, stream: str, **endpoint: Unpack[EndpointSettings]) -> RemoteStream:
        """A Kinesis stream at an endpoint, by its ARN or its name, to be mapped on real time."""
        from lambdakit.local.remote.endpoint import Endpoint
        from lambdakit.local.remote.stream import RemoteStream

        return RemoteStream(stream, self.place, self._found_calls, Endpoint(**endpoint))

    def remote_table(self, table: str, **endpoint: Unpack[EndpointSettings]) -> RemoteTableStream:
        """The stream of a DynamoDB table at an endpoint, to be mapped on real time.

        Args:
            table: The table's name, or the ARN of the table or of the stream.
            endpoint: Where that is; a ``client`` is one of ``dynamodbstreams``.
        """
        from lambdakit.local.remote.endpoint import Endpoint
        from lambdakit.local.remote.table_stream import RemoteTableStream

        return RemoteTableStream(table, self.place, self._found_calls, Endpoint(**endpoint))

    def has_queue(self, name: str) -> bool:
        """Whether there is such a queue; asking makes none."""
        from lambdakit.local.sources.queue import Queue

        return _name(name) in self._sources.get(Queue, {})

    def _found_calls(self) -> Calls:
        """What has requests made.

        Raises:
            ClockError: virtual time does not wait for an endpoint.
        """
        from lambdakit.local.process.clock import RealClock
        from lambdakit.local.remote.calls import Calls

        if not isinstance(self.place.clock, RealClock):
            raise ClockError(
                "what is at an endpoint is polled on real time, and this LocalLambda is on virtual time.",
                'Make it with LocalLambda(isolation="process"), or map a source that is here: local.queue(name), ...',
            )
        self._calls = self._calls or Calls(self.place.clock)
        return self._calls

    def _found_or_made(self, kind: Callable[..., S], name: str, settings: dict[str, Any]) -> S:
        assert isinstance(kind, type)
        known = self._sources.setdefault(kind, {})
        name = _name(name)
        if name not in known:
            known[name] = kind(name, self.place, **settings)
        elif settings:
            raise ValueError(
                f"there is a {kind.__name__.lower()} {name!r} already, so {', '.join(settings)} would have no effect.\n"
                "Give the settings where it is made: before a function is deployed that uses it."
            )
        found: S = known[name]
        return found


def _name(given: str) -> str:
    """The name that an ARN ends in; that of a table's stream is the table's."""
    if not given.startswith("arn:"):
        return given
    resource = given.split(":", 5)[-1]
    if resource.startswith("broker:"):  # its id comes last
        return resource.split(":")[1]
    kind, slash, name = resource.partition("/")
    return name.partition("/")[0] if slash else kind.rpartition(":")[2]
