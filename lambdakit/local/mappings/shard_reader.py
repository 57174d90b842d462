"""How a mapping works through one shard: what is delivered when, tried again, given up. Decided without I/O.

The records of a shard are dealt out to lanes by their key and gathered into batches, and each lane has one batch at a
time with the function: so records of one key stay in order. All times are in seconds of the service's clock.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, Literal
from zlib import crc32

from typing_extensions import TypeVar

from lambdakit.local.mappings.batches import Batcher
from lambdakit.local.mappings.tumbling import FRESH, TumblingWindows, Window

if TYPE_CHECKING:
    from lambdakit.local.sources.reading import Position

R = TypeVar("R", default=Any)

Condition = Literal["RetryAttemptsExhausted", "RecordAgeExceeded", "MaximumPayloadSizeExceeded"]
"""Why a batch was given up, as its record for the destination says it."""

WITHOUT_LIMIT = -1
READ_AHEAD = 10_000
"""So many records are read while others of the shard are not done."""
FIRST_DELAY = 1.0
LONGEST_DELAY = 60.0
"""Seconds until a failed or throttled batch is tried again: they double. AWS does not publish its own."""


class Entry(Generic[R]):
    """A record on its way through a mapping.

    Attributes:
        record: The record.
        identifier: What an answer calls it.
        body: The record as it stands in the event.
        arrived: When it came to the source.
        position: Where to begin to read it again.
        done: Whether the mapping is through with it.
    """

    __slots__ = ("arrived", "body", "done", "identifier", "position", "record")

    def __init__(self, record: R, identifier: Hashable, body: bytes, arrived: float, position: Position) -> None:
        self.record = record
        self.identifier = identifier
        self.body = body
        self.arrived = arrived
        self.position = position
        self.done = False


class Batch(Generic[R]):
    """Records that are delivered together, or the end of a window.

    Attributes:
        entries: The records, in order; none at the end of a window.
        window: The tumbling window they belong to, if the mapping has those.
        final: Whether this is the end of the window.
        early: Whether it ends because its state is too large.
        newest: When the last record arrived, also of the window that ends.
        invokes: How often the function ran with it.
        last: The invocation before, for whoever drives the reader.
    """

    __slots__ = (
        "due",
        "early",
        "entries",
        "final",
        "invokes",
        "lane",
        "last",
        "newest",
        "retries",
        "throttles",
        "window",
    )

    def __init__(self, lane: Lane[R], entries: list[Entry[R]], window: Window | None = None) -> None:
        self.lane = lane
        self.entries = entries
        self.window = window
        self.final = False
        self.early = False
        self.invokes = 0
        self.retries = 0
        self.throttles = 0
        self.due = 0.0
        self.newest = entries[-1].arrived if entries else 0.0
        self.last: Any = None


@dataclass(frozen=True, slots=True)
class Deliver(Generic[R]):
    """Invoke the function with this batch, and tell the reader what came of it."""

    batch: Batch[R]


@dataclass(frozen=True, slots=True)
class GiveUp(Generic[R]):
    """These records are not tried any more: tell the destination.

    Attributes:
        entries: The records.
        condition: Why.
        batch: What they were delivered in, if they were.
    """

    entries: Sequence[Entry[R]]
    condition: Condition
    batch: Batch[R] | None = None


@dataclass(frozen=True, slots=True)
class Expire(Generic[R]):
    """These records are no longer in the source."""

    entries: Sequence[Entry[R]]


@dataclass(frozen=True, slots=True)
class LoseWindow:
    """The end of this window is not tried any more; its state is gone."""

    window: Window


Decision = Deliver[R] | GiveUp[R] | Expire[R] | LoseWindow


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The settings of a mapping that a reader goes by. Seconds where they are times; -1 is without limit."""

    batch_size: int = 100
    window: float = 0.0
    parallelization_factor: int = 1
    maximum_retry_attempts: int = WITHOUT_LIMIT
    maximum_record_age: float = WITHOUT_LIMIT
    bisect: bool = False


class Lane(Generic[R]):
    """The records of some keys, of which one batch at a time is with the function."""

    __slots__ = ("batcher", "batches", "busy")

    def __init__(self, batcher: Batcher[Entry[R]]) -> None:
        self.batcher = batcher
        self.batches: deque[Batch[R]] = deque()
        self.busy = False


class ShardReader(Generic[R]):
    """Works through the records of one shard.

    Whoever drives it feeds it while it is ``hungry``, asks what is ``due``, and tells it how each delivery ended:
    ``succeeded``, ``stopped_at``, ``failed``, ``throttled``. After each, and at ``wake``, something may be due.

    Args:
        policy: The mapping's settings.
        retention: How long the source keeps records, in seconds; may be set.
        envelope: What surrounds the records in their event, in bytes.
        key: What a record stays in order with.
        windows: The shard's tumbling windows, if the mapping has those.

    Attributes:
        ended: Whether all of the shard was read.
        held: How many records it has that are not done.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        retention: float,
        envelope: int,
        key: Callable[[R], bytes],
        windows: TumblingWindows | None = None,
    ) -> None:
        self.retention = retention
        self.windows = windows
        self.ended = False
        self.held = 0
        self._policy = policy
        self._key = key
        self._lanes: list[Lane[R]] = [
            Lane(Batcher(policy.batch_size, policy.window, envelope)) for _ in range(policy.parallelization_factor)
        ]
        self._unfinished: deque[Entry[R]] = deque()
        self._decided: list[Decision[R]] = []
        self._more = False
        self._latest = 0.0  # when something was read or ended last
        self._newest = 0.0  # when the record arrived that was read last

    @property
    def hungry(self) -> bool:
        """Whether it can use more records."""
        return not self.ended and self.held < READ_AHEAD and any(not (it.busy or it.batches) for it in self._lanes)

    @property
    def busy(self) -> bool:
        """Whether a batch is with the function."""
        return any(lane.busy for lane in self._lanes)

    @property
    def finished(self) -> bool:
        """Whether the shard has ended, and all of it is done."""
        return self.ended and not (self.held or self._decided or any(lane.busy or lane.batches for lane in self._lanes))

    @property
    def checkpoint(self) -> Position | None:
        """Where the first record lies that is not done; None if there is none."""
        return self._unfinished[0].position if self._unfinished else None

    @property
    def wake(self) -> float | None:
        """When something is due next, if nothing happens before."""
        times = [time for lane in self._lanes if not lane.busy and (time := self._due_at(lane)) is not None]
        return min(times, default=None)

    def feed(self, entries: Sequence[Entry[R]], now: float, *, more: bool = False, ended: bool = False) -> None:
        """Take records that were read.

        Args:
            entries: The records.
            now: The time.
            more: Whether there are more to be read at once: then a batch that is not full waits for them.
            ended: Whether these are the last of the shard.
        """
        self.held += len(entries)
        self._unfinished += entries
        for entry in entries:
            self._sort(entry, now)
        if entries:
            self._latest = now
        self._more, self.ended = more, ended
        if ended:
            for lane in self._lanes:
                self._close(lane)

    def decided(self) -> list[Decision[R]]:
        """What has come of deliveries that ended: to be done though nothing more is delivered."""
        decided, self._decided = self._decided, []
        return decided

    def due(self, now: float) -> list[Decision[R]]:
        """What is to be done now."""
        decided = self.decided()
        for lane in self._lanes:
            if not lane.busy:
                decided += self._next(lane, now)
        return decided

    def succeeded(self, batch: Batch[R], now: float, state: bytes = FRESH) -> None:
        """The function was content with a batch; ``state`` is that of its window, as JSON."""
        self._ran(batch, now)
        self._done(batch.entries)
        self._keep(batch, state)

    def stopped_at(self, batch: Batch[R], number: int, now: float, state: bytes = FRESH) -> None:
        """All before that number are done, and the others are delivered again, as a batch that was not tried yet.

        Where none is done, this was a retry like any other: to split the batch there leaves it as it is.
        """
        self._ran(batch, now)
        if number == 0:
            self._retry(batch, now)
            return
        self._done(batch.entries[:number])
        self._split_off(batch, batch.entries[number:])
        self._keep(batch, state)

    def failed(self, batch: Batch[R], now: float) -> None:
        """The function failed with a batch: it is halved, which uses up no retry, or tried again, or given up."""
        self._ran(batch, now)
        middle = len(batch.entries) // 2
        if not (middle and self._policy.bisect):
            self._retry(batch, now)
            return
        for half in (batch.entries[middle:], batch.entries[:middle]):
            self._split_off(batch, half, batch.retries)

    def throttled(self, batch: Batch[R], now: float) -> None:
        """The function did not run: the same batch is tried again, which uses up no retry."""
        batch.lane.busy = False
        batch.due = now + _delay(batch.throttles)
        batch.throttles += 1
        batch.lane.batches.appendleft(batch)

    # Gathering records into batches.

    def _sort(self, entry: Entry[R], now: float) -> None:
        """Add a record to the batch that is open in its lane."""
        lane, size = self._lane_of(entry), len(entry.body)
        if not lane.batcher.fits(size):
            self._give_up([entry], "MaximumPayloadSizeExceeded")
            return
        if self.windows is not None:
            self._turn(lane, self.windows, entry)
        ready = lane.batcher.add(entry, size, now)
        if ready is not None:
            self._append(lane, ready)
        self._newest = entry.arrived

    def _lane_of(self, entry: Entry[R]) -> Lane[R]:
        count = len(self._lanes)
        return self._lanes[0 if count == 1 else crc32(self._key(entry.record)) % count]

    def _turn(self, lane: Lane[R], windows: TumblingWindows, entry: Entry[R]) -> None:
        """A record of another window ends the one before."""
        window = windows.of(entry.arrived)
        if window != windows.gathering:
            self._close(lane)
            windows.gathering = window

    def _close(self, lane: Lane[R]) -> None:
        """Wait for no more records, and end the window that is open."""
        if len(lane.batcher):
            self._append(lane, lane.batcher.take())
        if self.windows is not None and self.windows.gathering is not None:
            lane.batches.append(self._end_of(lane, self.windows.gathering))
            self.windows.gathering = None

    def _append(self, lane: Lane[R], entries: list[Entry[R]]) -> None:
        lane.batches.append(Batch(lane, entries, None if self.windows is None else self.windows.gathering))

    def _end_of(self, lane: Lane[R], window: Window | None, *, early: bool = False) -> Batch[R]:
        end: Batch[R] = Batch(lane, [], window)
        end.final, end.early, end.newest = True, early, self._newest
        return end

    # What is next.

    def _next(self, lane: Lane[R], now: float) -> Iterator[Decision[R]]:
        """Drop what is too old, and deliver a batch if one is due."""
        while not lane.busy and (due := self._due_at(lane)) is not None and due <= now:
            if not lane.batches:
                self._finish(lane)
            batch = lane.batches.popleft()
            yield from self._drop_old(batch, now)
            if batch.entries or batch.final:
                lane.busy = True
                yield Deliver(batch)

    def _due_at(self, lane: Lane[R]) -> float | None:
        """When something of an idle lane is due; None while it has nothing, or more is read at once."""
        if lane.batches:
            return lane.batches[0].due
        if self._more and self.hungry:
            return None
        if lane.batcher.due is not None or self.windows is None:
            return lane.batcher.due
        return self.windows.over(self._latest)

    def _finish(self, lane: Lane[R]) -> None:
        """What was gathered has to do for a batch; or nothing was, and the window is over."""
        if len(lane.batcher):
            self._append(lane, lane.batcher.take())
        else:
            self._close(lane)

    def _drop_old(self, batch: Batch[R], now: float) -> Iterator[Decision[R]]:
        """Take out what is too old: the records of a shard are in the order of their age."""
        age = self._policy.maximum_record_age
        oldest = now - (self.retention if age == WITHOUT_LIMIT else age)
        if batch.final and batch.newest < oldest:
            yield self._lose(batch)
        if expired := self._cut(batch, now - self.retention):
            yield Expire(expired)
        if age != WITHOUT_LIMIT and (aged := self._cut(batch, oldest)):
            yield GiveUp(aged, "RecordAgeExceeded", batch)

    def _cut(self, batch: Batch[R], oldest: float) -> list[Entry[R]]:
        entries = batch.entries
        if not entries or entries[0].arrived >= oldest:
            return []
        count = bisect_left(entries, oldest, key=attrgetter("arrived"))
        batch.entries = entries[count:]
        self._done(entries[:count])
        return entries[:count]

    # How batches end.

    def _ran(self, batch: Batch[R], now: float) -> None:
        batch.lane.busy = False
        batch.invokes += 1
        self._latest = now

    def _split_off(self, batch: Batch[R], entries: list[Entry[R]], retries: int = 0) -> None:
        """Part of a batch is the lane's next one."""
        part = Batch(batch.lane, entries, batch.window)
        part.retries, part.last = retries, batch.last
        batch.lane.batches.appendleft(part)

    def _retry(self, batch: Batch[R], now: float) -> None:
        """Try it again, if there is a retry left."""
        if batch.retries != self._policy.maximum_retry_attempts:
            batch.due = now + _delay(batch.retries)
            batch.retries += 1
            batch.lane.batches.appendleft(batch)
        elif batch.final:
            self._decided.append(self._lose(batch))
        else:
            self._give_up(batch.entries, "RetryAttemptsExhausted", batch)

    def _give_up(self, entries: Sequence[Entry[R]], condition: Condition, batch: Batch[R] | None = None) -> None:
        self._done(entries)
        self._decided.append(GiveUp(entries, condition, batch))

    def _done(self, entries: Sequence[Entry[R]]) -> None:
        self.held -= len(entries)
        for entry in entries:
            entry.done = True
        unfinished = self._unfinished
        while unfinished and unfinished[0].done:
            unfinished.popleft()

    def _keep(self, batch: Batch[R], state: bytes) -> None:
        """Keep a window's state until its end. One that is too large ends the window, which then begins anew."""
        if self.windows is None:
            return
        if batch.final:
            self.windows.state = FRESH
        elif not self.windows.accept(state):
            batch.lane.batches.appendleft(self._end_of(batch.lane, batch.window, early=True))

    def _lose(self, batch: Batch[R]) -> LoseWindow:
        assert self.windows is not None
        assert batch.window is not None
        batch.final, self.windows.state = False, FRESH
        return LoseWindow(batch.window)


def _delay(times: int) -> float:
    """Seconds until the next attempt, after so many before."""
    return min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(times, 10))
