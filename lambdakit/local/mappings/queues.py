"""The event source mapping of an SQS queue.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, cast

from pydantic_core import from_json

from lambdakit.local.mappings.answers import ALL_FAILED, read_answer
from lambdakit.local.mappings.batches import Batcher
from lambdakit.local.mappings.mapping import Invocable, Mapping
from lambdakit.local.mappings.scaling import Scaling, ScalingLimits
from lambdakit.local.mappings.settings import QueueSettings
from lambdakit.local.sources.queue import MOST_IN_FLIGHT, MOST_OF_A_BATCH
from lambdakit.local.sources.receiving import QueueSource, Received

if TYPE_CHECKING:
    from lambdakit.local.clock import Clock
    from lambdakit.local.invocation import Invocation

FIRST_DELAY = 1.0
LONGEST_DELAY = 60.0
"""Seconds until a batch that was throttled is tried again, or a queue that could not be reached: doubled each time."""
VISIBILITY_MARGIN = 30
"""Seconds by which messages are hidden longer than they can take, if the queue's own time is too short for that."""
INVOCATIONS_OF_A_POLLER = 10
PROVISIONED_GROWTH = 1_000

Delivery = tuple[Received, str, bytes]
"""A message, the receipt handle that it came with, and its record."""


class _Cancellable(Protocol):
    """A poll, or the time until the next one."""

    def cancel(self) -> None: ...


class _Batch:
    """Messages on their way through the function, until they are seen in the queue again."""

    __slots__ = ("body", "deliveries", "throttles", "until")

    def __init__(self, deliveries: list[Delivery], until: float) -> None:
        self.deliveries = deliveries
        self.until = until
        self.throttles = 0
        self.body = b'{"Records":[' + b",".join([record for _, _, record in deliveries]) + b"]}"


class QueueMapping(Mapping[QueueSource[Any], QueueSettings]):
    """Polls an SQS queue, invokes the function with batches of its messages, and deletes those that it was done with.

    A batch that failed is left to the queue, which shows its messages again after their visibility timeout; one that
    was throttled is tried again until then. A standard queue is processed by five batches at once, and more while it
    takes them (see ``Scaling``); a FIFO queue by as many as there are groups. The delays are of our own choosing where
    AWS publishes none. Lambda may also wait up to 20 s for the messages of a queue with little traffic when there is a
    batching window; here it never does.

    Args:
        clock: Runs it.
        source: The queue.
        function: What is invoked.
        settings: How.

    Attributes:
        running: How many batches are being processed.

    Raises:
        InvokeError: Lambda would not take the settings for this queue and this function.
    """

    def __init__(self, clock: Clock, source: QueueSource[Any], function: Invocable, settings: QueueSettings) -> None:
        settings.check_source(
            fifo=source.fifo, visibility_timeout=source.visibility_timeout, function_timeout=function.timeout
        )
        self.running = 0
        self._window = settings.maximum_batching_window_in_seconds
        self._record: Callable[[Any], bytes] = source.records(window=self._window > 0)
        self._batcher = Batcher[Delivery](settings.batch_size, self._window)
        self._scaling = Scaling(_limits(settings, fifo=source.fifo))
        self._ready: deque[_Batch] = deque()
        self._poll: _Cancellable | None = None
        self._polled = 0.0
        self._failed_polls = 0
        self._gathering: _Cancellable | None = None
        self._gathering_due: float | None = None
        self._growing: _Cancellable | None = None
        super().__init__(clock, source, function, settings)  # last: on a real clock it may poll at once

    # Polling.

    def _start(self) -> None:
        self._go_on()

    def _stop(self) -> None:
        if self._poll is not None:
            self._poll.cancel()
            self._poll = None
        self._close_batch()
        self._wait_for_more()
        self._go_on()

    @property
    def _busy(self) -> bool:
        return bool(self.running or self._ready or len(self._batcher))

    def _go_on(self) -> None:
        """Process what is ready, and ask for more while there is room for it."""
        limit = self._scaling.limit(self._clock.now)
        while self._ready and self.running < limit:
            self._begin_batch(self._ready.popleft())
        if self.running >= limit:
            self._scaling.busy(self._clock.now)
            self._grow()
        elif self.state == "Enabled" and self._poll is None:
            self._scaling.relaxed(self._clock.now)
            self._ask()
        if not self.running and self._growing is not None:
            self._growing.cancel()
            self._growing = None

    def _ask(self) -> None:
        self._polled = self._clock.now
        most = min(MOST_OF_A_BATCH, self.settings.batch_size - len(self._batcher))
        self._poll = self.source.poll(most, self._visibility_timeout(), self._receive, self._fail_to_poll)

    def _visibility_timeout(self) -> float | None:
        """How long messages are hidden: as the queue says, unless that is too short for gathering and processing."""
        longest = self._window + self.function.timeout
        too_short = self._window and longest > self.source.visibility_timeout
        return longest + VISIBILITY_MARGIN if too_short else None

    def _fail_to_poll(self, error: Exception) -> None:
        self._failed_polls += 1
        self._poll = self._clock.at(self._clock.now + _delay(self._failed_polls), self._poll_again)

    def _poll_again(self) -> None:
        self._poll = None
        self._go_on()

    def _grow(self) -> None:
        """Look for more to do when there may be one batch more at once."""
        due = self._scaling.next_growth(self._clock.now)
        if self._growing is None and due is not None:
            self._growing = self._clock.at(due, self._grown)

    def _grown(self) -> None:
        self._growing = None
        self._go_on()

    # Gathering.

    def _receive(self, messages: Sequence[Received]) -> None:
        self._poll, self._failed_polls = None, 0
        now = self._clock.now
        if not self.running and now > self._polled:
            self._scaling.idle()
        self.counts.received += len(messages)
        for delivery in self._wanted(messages):
            full = self._batcher.add(delivery, len(delivery[2]), now)
            if full is not None:
                self._add_batch(full)
        if self._window:
            self._wait_for_more()
        else:
            self._close_batch()
        self._go_on()

    def _wanted(self, messages: Sequence[Received]) -> list[Delivery]:
        """The messages that pass the filters; the others are deleted."""
        record = self._record
        deliveries: list[Delivery] = [(each, cast("str", each.receipt_handle), record(each)) for each in messages]
        filters = self.settings.filters
        if not filters:
            return deliveries
        wanted: list[Delivery] = []
        unwanted: list[Delivery] = []
        for delivery in deliveries:
            (wanted if filters.passes(from_json(delivery[2])) else unwanted).append(delivery)
        self._delete(unwanted)
        self.counts.filtered += len(unwanted)
        return wanted

    def _wait_for_more(self) -> None:
        """Have a timer for the end of the batching window of the batch that is open, and else none."""
        due = self._batcher.due
        if due == self._gathering_due:
            return
        if self._gathering is not None:
            self._gathering.cancel()
        self._gathering_due = due
        self._gathering = None if due is None else self._clock.at(due, self._end_window)

    def _end_window(self) -> None:
        self._gathering_due = self._gathering = None
        self._close_batch()
        self._go_on()

    def _close_batch(self) -> None:
        if len(self._batcher):
            self._add_batch(self._batcher.take())

    def _add_batch(self, deliveries: list[Delivery]) -> None:
        hidden = self._visibility_timeout() or self.source.visibility_timeout
        self._ready.append(_Batch(deliveries, deliveries[0][0].last_received + hidden))

    # Processing.

    def _begin_batch(self, batch: _Batch) -> None:
        if self._clock.now >= batch.until:
            self.counts.returned += len(batch.deliveries)
            return
        self.running += 1
        self.function.call(batch.body, partial(self._end, batch))

    def _end(self, batch: _Batch, invocation: Invocation) -> None:
        """An invocation with a batch ended, or was throttled."""
        if invocation.throttle is not None and self._try_again(batch):
            return
        self.running -= 1
        lost = () if invocation.throttle is not None else self._settle_batch(batch, invocation)
        self._go_on()
        self._settle()
        if lost:
            self._lose(lost)

    def _try_again(self, batch: _Batch) -> bool:
        """Try a batch later that was throttled; not if its messages are seen again by then."""
        if not self.source.fifo:
            self._scaling.failed(self._clock.now)
        batch.throttles += 1
        again = self._clock.now + _delay(batch.throttles)
        if again >= batch.until:
            self.counts.returned += len(batch.deliveries)
            return False
        self._clock.at(again, lambda: self.function.call(batch.body, partial(self._end, batch)))
        return True

    def _settle_batch(self, batch: _Batch, invocation: Invocation) -> Sequence[str]:
        """Delete what the function was done with.

        Returns:
            The ids of messages that it listed as failed though nobody looks.
        """
        deliveries = batch.deliveries
        known = [message.message_id for message, _, _ in deliveries]
        report = self.settings.report_batch_item_failures
        outcome = invocation.outcome
        answer = read_answer(outcome, known, report_batch_item_failures=report) if outcome else ALL_FAILED
        if answer.failed is None:
            self.counts.returned += len(deliveries)
            if not report and not self.source.fifo:
                self._scaling.failed(self._clock.now)
            return ()
        self._scaling.succeeded()
        lost = [message_id for message_id in known if message_id in answer.ignored]
        done = [each for each in deliveries if each[0].message_id not in answer.failed] if answer.failed else deliveries
        self._delete(done)
        self.counts.processed += len(done) - len(lost)
        self.counts.returned += len(deliveries) - len(done)
        return lost

    def _delete(self, deliveries: Iterable[Delivery]) -> None:
        self.source.delete_batch((message, handle) for message, handle, _ in deliveries)


def _limits(settings: QueueSettings, *, fifo: bool) -> ScalingLimits:
    """How many batches at once: a FIFO queue sees to it itself that there are no more than it has groups."""
    if settings.pollers is not None:
        start, most = settings.pollers.minimum_pollers, settings.pollers.maximum_pollers
        return ScalingLimits(start * INVOCATIONS_OF_A_POLLER, PROVISIONED_GROWTH, most * INVOCATIONS_OF_A_POLLER)
    if fifo:
        most = settings.maximum_concurrency or MOST_IN_FLIGHT
        return ScalingLimits(start=most, most=most)
    return ScalingLimits(most=settings.maximum_concurrency or ScalingLimits.most)


def _delay(times: int) -> float:
    """Seconds to wait after so many failures in a row."""
    return min(FIRST_DELAY * 2.0 ** (times - 1), LONGEST_DELAY)
