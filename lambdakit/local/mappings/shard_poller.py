"""The poller of one shard: it feeds the shard's reader, and does what that decides."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json, to_json

from lambdakit.local.mappings.answers import ALL_FAILED, Answer, read_answer
from lambdakit.local.mappings.settings import KafkaSettings, PositionedSettings, StreamSettings
from lambdakit.local.mappings.shard_reader import (
    WITHOUT_LIMIT,
    Batch,
    Decision,
    Deliver,
    Entry,
    Expire,
    GiveUp,
    Policy,
    ShardReader,
)
from lambdakit.local.mappings.tumbling import FRESH, MAX_STATE_BYTES, TumblingWindows
from lambdakit.local.outcome import Reply
from lambdakit.testing.events.values import iso

if TYPE_CHECKING:
    from lambdakit.local.clock import Clock, Timer
    from lambdakit.local.invocation import Invocation
    from lambdakit.local.mappings.dialects import Dialect
    from lambdakit.local.mappings.shards import ShardMapping
    from lambdakit.local.outcome import Outcome
    from lambdakit.local.sources.reading import Page, ShardStart, Wait
    from lambdakit.local.sources.source import SourceError

PAGE_RECORDS = 1_000
"""How many records are read at once, unless that is less than a batch."""
KAFKA_RETRIES = 10
"""Retries of a batch of Kafka that has a destination and no limit."""
WINDOW_BYTES = 1_024
"""What is kept free in an event for what it says of its window, beside the state."""
LONGEST_PAUSE = 60.0
"""Seconds until a poll that failed is tried again: they double from 1."""


@dataclass(frozen=True, slots=True)
class ShardProgress:
    """How far a mapping is with a shard.

    Attributes:
        shard_id: The shard.
        held: How many records it has read and is not done with.
        iterator_age: How old the last record of the last batch was when the function was done with it, in seconds: the
            metric ``IteratorAge``; None before the first batch.
        finished: Whether the shard is closed and all of it is done.
    """

    shard_id: str
    held: int
    iterator_age: float | None
    finished: bool


class ShardPoller:
    """Polls one shard for a mapping, and does what its reader decides.

    Args:
        mapping: The mapping.
        clock: Tells the time.
        dialect: How the source's records are written.
        start: The shard, and where to begin.

    Attributes:
        parents: The shards it came from.
        running: Whether it polls.
    """

    def __init__(self, mapping: ShardMapping, clock: Clock, dialect: Dialect, start: ShardStart) -> None:
        self.parents = start.parents
        self.running = False
        self._mapping = mapping
        self._clock = clock
        self._dialect = dialect
        self._shard_id = start.shard_id
        self._position = start.position
        self._filters = mapping.settings.filters
        self._reader = self._make_reader()
        self._age: float | None = None
        self._looking = False  # whether a poll is under way, or waits for its time
        self._wait: Wait | None = None  # as long as it can be called off
        self._more = False
        self._polled = clock.now - mapping.source.poll_seconds
        self._next_poll = clock.now
        self._failures = 0
        self._timer: Timer | None = None
        self._wake: float | None = None

    @property
    def busy(self) -> bool:
        """Whether the function has a batch of it."""
        return self._reader.busy

    @property
    def finished(self) -> bool:
        """Whether the shard is closed and all of it is done."""
        return self._reader.finished

    @property
    def progress(self) -> ShardProgress:
        """How far it is."""
        return ShardProgress(self._shard_id, self._reader.held, self._age, self.finished)

    def start(self) -> None:
        """Poll."""
        self.running = True
        self._proceed()

    def stop(self) -> None:
        """Poll no more, and deliver no more."""
        self.running = False
        self._set_timer(None)
        if self._wait is not None:
            self._wait.cancel()
            self._wait, self._looking = None, False

    def _make_reader(self) -> ShardReader[Any]:
        settings, length = self._mapping.settings, 0
        envelope = len(self._dialect.event(self._shard_id, []))
        if isinstance(settings, StreamSettings) and settings.tumbling_window_in_seconds:
            length = settings.tumbling_window_in_seconds
            envelope += MAX_STATE_BYTES + WINDOW_BYTES
        return ShardReader(
            _policy_of(settings),
            retention=self._mapping.source.retention,
            envelope=envelope,
            key=self._dialect.key,
            windows=TumblingWindows(length, self._clock.epoch) if length else None,
        )

    def _proceed(self) -> None:
        """Do what is due now, and see to it that what is due later is done."""
        reader = self._reader
        reader.retention = self._mapping.source.retention
        for decision in reader.due(self._clock.now) if self.running else reader.decided():
            self._act(decision)
        self._note()
        if self.running:
            self._look()
            self._set_timer(reader.wake)
        if reader.finished:
            self._mapping.follow()

    def _act(self, decision: Decision[Any]) -> None:
        if isinstance(decision, Deliver):
            self._mapping.function.call(self._event(decision.batch), partial(self._over, decision.batch))
        elif isinstance(decision, GiveUp):
            self._mapping.give_up(self._shard_id, decision)
        elif isinstance(decision, Expire):
            self._mapping.counts.expired += len(decision.entries)
        else:
            self._mapping.lost_windows.append(decision.window)

    def _note(self) -> None:
        """Tell the source how far it is."""
        checkpoint = self._reader.checkpoint
        position = self._position if checkpoint is None else checkpoint
        self._mapping.source.checkpoint(self._mapping.reader, self._shard_id, position)

    def _set_timer(self, wake: float | None) -> None:
        if wake == self._wake:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._wake = wake
        self._timer = None if wake is None else self._clock.at(wake, self._woken)

    def _woken(self) -> None:
        self._timer = self._wake = None
        self._proceed()

    # Polling.

    def _look(self) -> None:
        """Poll if the reader can use more: at once where there is more for sure, else when the next poll is due."""
        if self._looking or not self._reader.hungry:
            return
        self._looking = True
        if self._more:
            self._poll_at(self._clock.now)
        else:
            self._next_poll = max(self._clock.now, self._polled + self._mapping.source.poll_seconds)
            self._wait = self._mapping.source.wait(self._shard_id, self._position, self._arrived)

    def _arrived(self) -> None:
        """Something is there, for the poll that comes next; those that find nothing are not made."""
        interval, late = self._mapping.source.poll_seconds, self._clock.now - self._next_poll
        polls = ceil(late / interval) if late > 0 and interval else 0
        self._poll_at(self._next_poll + polls * interval)

    def _poll_at(self, when: float) -> None:
        self._wait = self._clock.at(when, self._poll)

    def _poll(self) -> None:
        self._wait = None
        most = max(PAGE_RECORDS, self._mapping.settings.batch_size)
        self._mapping.source.read(self._shard_id, self._position, most, self._take, self._fail)

    def _take(self, page: Page[Any]) -> None:
        """A poll was answered."""
        self._looking, self._failures, self._polled = False, 0, self._clock.now
        self._position, self._more = page.position, page.more
        counts, entries = self._mapping.counts, self._entries(page)
        counts.received += len(page.records) + page.trimmed
        counts.expired += page.trimmed
        counts.filtered += len(page.records) - len(entries)
        self._reader.feed(entries, self._clock.now, more=page.more, ended=page.ended)
        self._proceed()

    def _fail(self, error: SourceError) -> None:
        """A poll failed: it is made again, later and later."""
        self._mapping.last_error = error
        if not self.running:
            self._looking = False
            return
        pause = min(LONGEST_PAUSE, 2.0 ** min(self._failures, 10))
        self._failures += 1
        self._poll_at(self._clock.now + pause)

    def _entries(self, page: Page[Any]) -> list[Entry[Any]]:
        """The records that the function is to see."""
        dialect, filters, epoch = self._dialect, self._filters, self._clock.epoch
        entries: list[Entry[Any]] = []
        for record, position in zip(page.records, page.positions, strict=True):
            body = dialect.encode(record)
            if not filters or filters.passes(from_json(body)):
                entries.append(Entry(record, dialect.identifier(record), body, record.arrived - epoch, position))
        return entries

    # Delivering.

    def _event(self, batch: Batch[Any]) -> bytes:
        event = self._dialect.event(self._shard_id, [entry.body for entry in batch.entries])
        windows, window = self._reader.windows, batch.window
        if windows is None or window is None:
            return event
        fields = {
            "window": {"start": _iso(window.start), "end": _iso(window.end)},
            "shardId": self._shard_id,
            "eventSourceARN": self._mapping.source.arn,
            "isFinalInvokeForWindow": batch.final,
            "isWindowTerminatedEarly": batch.early,
        }
        return event[:-1] + b"," + to_json(fields)[1:-1] + b',"state":' + windows.state + b"}"

    def _over(self, batch: Batch[Any], invocation: Invocation) -> None:
        """An invocation is over."""
        lost: list[Hashable] = []
        if invocation.throttle is not None:
            self._reader.throttled(batch, self._clock.now)
        else:
            batch.last = invocation
            state = self._state(invocation.outcome)
            answer = ALL_FAILED if state is None else self._answer(batch, invocation.outcome)
            self._heed(batch, answer, state or FRESH)
            lost = [entry.identifier for entry in batch.entries if entry.identifier in answer.ignored]
        self._proceed()
        self._mapping.settle()
        if lost:
            self._mapping.lose(lost)

    def _answer(self, batch: Batch[Any], outcome: Outcome | None) -> Answer:
        """What the function says of a batch."""
        if outcome is None:  # it did not even run
            return ALL_FAILED
        known = [entry.identifier for entry in batch.entries]
        report = self._mapping.settings.report_batch_item_failures
        return read_answer(outcome, known, report_batch_item_failures=report)

    def _heed(self, batch: Batch[Any], answer: Answer, state: bytes) -> None:
        """Tell the reader what became of a batch."""
        entries, failed, now = batch.entries, answer.failed, self._clock.now
        if failed is None:
            self._reader.failed(batch, now)
            return
        done = next((number for number, entry in enumerate(entries) if entry.identifier in failed), len(entries))
        self._mapping.counts.processed += done - len(answer.ignored)
        if done < len(entries):
            self._reader.stopped_at(batch, done, now, state)
        else:
            self._age = now - batch.newest
            self._reader.succeeded(batch, now, state)

    def _state(self, outcome: Outcome | None) -> bytes | None:
        """The state that was returned for the window, as JSON; None if there is none though there has to be."""
        if self._reader.windows is None:
            return FRESH
        try:
            answer = from_json(outcome.payload) if isinstance(outcome, Reply) else None
        except ValueError:
            return None
        return to_json(answer["state"]) if isinstance(answer, dict) and "state" in answer else None


def _policy_of(settings: PositionedSettings) -> Policy:
    retries = settings.maximum_retry_attempts
    if isinstance(settings, KafkaSettings) and settings.on_failure and retries == WITHOUT_LIMIT:
        retries = KAFKA_RETRIES
    return Policy(
        batch_size=settings.batch_size,
        window=settings.maximum_batching_window_in_seconds,
        parallelization_factor=settings.parallelization_factor if isinstance(settings, StreamSettings) else 1,
        maximum_retry_attempts=retries,
        maximum_record_age=settings.maximum_record_age_in_seconds,
        bisect=settings.bisect_batch_on_function_error,
    )


def _iso(seconds: int) -> str:
    return iso(datetime.fromtimestamp(seconds, UTC))
