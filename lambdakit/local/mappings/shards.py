"""Event source mappings of what has its records in shards: Kinesis streams, tables' streams, topics of Kafka.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, cast

from lambdakit.local.ids import random_uuid
from lambdakit.local.mappings.dialects import dialect_of
from lambdakit.local.mappings.failures import failure_record
from lambdakit.local.mappings.mapping import Invocable, Mapping, State
from lambdakit.local.mappings.settings import KafkaSettings, PositionedSettings
from lambdakit.local.mappings.shard_poller import ShardPoller, ShardProgress
from lambdakit.local.sources.reading import ShardSource

if TYPE_CHECKING:
    from lambdakit.local.clock import Clock
    from lambdakit.local.invocation import Invocation
    from lambdakit.local.mappings.shard_reader import GiveUp
    from lambdakit.local.mappings.tumbling import Window
    from lambdakit.local.sources.reading import ShardStart, StartingPosition
    from lambdakit.local.sources.source import SourceError

Send = Callable[[str, dict[str, Any]], None]
"""Sends a record to a destination, by its name or ARN."""


class ShardMapping(Mapping[ShardSource[Any], PositionedSettings]):
    """Reads the shards of a source, and invokes a function with their records: in order, and again until they are done.

    Args:
        clock: Tells the time.
        source: A stream, the stream of a table, or a topic.
        function: What to invoke.
        settings: ``StreamSettings``, ``DynamoDbSettings`` or ``KafkaSettings``.
        send: Sends the record of a batch that was given up to the ``on_failure`` destination.

    Attributes:
        lost_windows: The tumbling windows whose last invocation never succeeded.
        last_error: Why a poll failed last, if any did.
    """

    def __init__(
        self,
        clock: Clock,
        source: ShardSource[Any],
        function: Invocable,
        settings: PositionedSettings,
        send: Send = lambda _, __: None,
    ) -> None:
        self.lost_windows: list[Window] = []
        self.last_error: SourceError | None = None
        self._send = send
        self._dialect = dialect_of(source)
        self._pollers: dict[str, ShardPoller] = {}
        self._found = False
        super().__init__(clock, source, function, settings)

    @property
    def reader(self) -> str:
        """Under what name the source knows how far it is: a consumer group, or the mapping's identifier."""
        group = self.settings.consumer_group_id if isinstance(self.settings, KafkaSettings) else None
        return group or self.uuid

    @property
    def shards(self) -> list[ShardProgress]:
        """How far it is with each shard."""
        return [poller.progress for poller in self._pollers.values()]

    def settle(self) -> None:
        """An invocation is over; for its shards to tell."""
        self._settle()

    def follow(self) -> None:
        """A shard is done, and those that were made of it may begin; for its shards to tell."""
        if self.state == "Enabled":
            self._start()

    def lose(self, identifiers: Sequence[Hashable]) -> None:
        """The function listed records as failed, and nobody looked; for its shards to tell."""
        self._lose(identifiers)

    def give_up(self, shard_id: str, given_up: GiveUp[Any]) -> None:
        """Records are not tried any more; for its shards to tell."""
        self.counts.discarded += len(given_up.entries)
        target = self.settings.on_failure
        if not target:
            return
        last: Invocation | None = given_up.batch.last if given_up.batch else None
        record = failure_record(
            self._dialect.batch_info(shard_id, given_up.entries),
            condition=given_up.condition,
            function_arn=self.function.arn,
            request_id=last.request_id if last else random_uuid(self._clock.random),
            invokes=given_up.batch.invokes if given_up.batch else 0,
            last=last,
            when=self._clock.today,
        )
        if target.startswith("arn:aws:s3:"):  # which alone has room for the records themselves
            event = self._dialect.event(shard_id, [entry.body for entry in given_up.entries])
            record["payload"] = event.decode()
        self._send(target, record)

    def _begin(self, state: State) -> None:
        # Where LATEST is, is decided now: what is put from here on is not missed.
        if not self._found:
            self._found = True
            start = cast("StartingPosition", self.settings.starting_position)
            self.source.shards(self.reader, start, self.settings.starting_position_timestamp, self._add)
        super()._begin(state)

    def _add(self, starts: Sequence[ShardStart]) -> None:
        """Shards are there, from the beginning or since one was split."""
        for start in starts:
            self._pollers[start.shard_id] = ShardPoller(self, self._clock, self._dialect, start)
        self.follow()

    def _start(self) -> None:
        """Poll each shard, but not before those it came from are done."""
        for poller in list(self._pollers.values()):
            if not poller.running and not any(self._is_open(parent) for parent in poller.parents):
                poller.start()

    def _is_open(self, shard_id: str) -> bool:
        poller = self._pollers.get(shard_id)
        return poller is not None and not poller.finished

    def _stop(self) -> None:
        for poller in self._pollers.values():
            poller.stop()

    @property
    def _busy(self) -> bool:
        return any(poller.busy for poller in self._pollers.values())
