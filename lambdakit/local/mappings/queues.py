"""The event source mapping of an SQS queue.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

from pydantic_core import from_json

from lambdakit.local.mappings.answers import ALL_FAILED, read_answer
from lambdakit.local.mappings.polling import Cancellable, PollingMapping, delay
from lambdakit.local.mappings.scaling import Scaling, ScalingLimits
from lambdakit.local.mappings.settings import QueueSettings
from lambdakit.local.sources.queue import MOST_IN_FLIGHT, MOST_OF_A_BATCH
from lambdakit.local.sources.receiving import QueueSource, Received

if TYPE_CHECKING:
    from lambdakit.local.clock import Clock
    from lambdakit.local.invocation import Invocation
    from lambdakit.local.mappings.mapping import Invocable

VISIBILITY_MARGIN = 30
"""Seconds by which messages are hidden longer than they can take, if the queue's own time is too short for that."""
INVOCATIONS_OF_A_POLLER = 10
PROVISIONED_GROWTH = 1_000

Delivery = tuple[Received, str, bytes]
"""A message, the receipt handle that it came with, and its record."""


class QueueBatch:
    """Messages on their way through the function, until they are seen in the queue again.

    Attributes:
        after: A batch that has to wait for this one, as it is of the same groups.
    """

    __slots__ = ("after", "body", "deliveries", "throttles", "until")

    def __init__(self, deliveries: list[Delivery], until: float) -> None:
        self.deliveries = deliveries
        self.until = until
        self.throttles = 0
        self.after: QueueBatch | None = None
        self.body = b'{"Records":[' + b",".join([record for _, _, record in deliveries]) + b"]}"

    def line(self) -> Iterator[Delivery]:
        """Its messages, and those of the batches that wait for it."""
        batch: QueueBatch | None = self
        while batch is not None:
            yield from batch.deliveries
            batch = batch.after


class QueueMapping(PollingMapping[QueueSource[Any], QueueSettings, Delivery, QueueBatch]):
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
        self._record: Callable[[Any], bytes] = source.records(window=settings.maximum_batching_window_in_seconds > 0)
        self._scaling = Scaling(_limits(settings, fifo=source.fifo))
        self._processing: set[QueueBatch] = set()
        self._asked = 0.0
        self._growing: Cancellable | None = None
        super().__init__(clock, source, function, settings)  # last: on a real clock it may poll at once

    # Polling.

    def _room(self) -> int:
        return self._scaling.limit(self._clock.now)

    def _ask(self) -> Cancellable:
        self._asked = self._clock.now
        most = min(MOST_OF_A_BATCH, self.settings.batch_size - len(self._batcher))
        return self.source.poll(most, self._visibility_timeout(), self._receive, self._fail_to_poll)

    def _visibility_timeout(self) -> float | None:
        """How long messages are hidden: as the queue says, unless that is too short for gathering and processing."""
        longest = self._window + self.function.timeout
        too_short = self._window and longest > self.source.visibility_timeout
        return longest + VISIBILITY_MARGIN if too_short else None

    def _go_on(self) -> None:
        super()._go_on()
        now = self._clock.now
        if self.running < self._scaling.limit(now):
            self._scaling.relaxed(now)
        else:
            self._scaling.busy(now)
            self._await_growth()
        if not self.running and self._growing is not None:
            self._growing.cancel()
            self._growing = None

    def _await_growth(self) -> None:
        """Look for more to do when there may be one batch more at once."""
        due = self._scaling.next_growth(self._clock.now)
        if self._growing is None and due is not None:
            self._growing = self._clock.at(due, self._grow)

    def _grow(self) -> None:
        self._growing = None
        self._go_on()

    def abandon(self) -> list[Any]:
        """Let go of the messages that wait here or are with the function: nothing runs any more.

        Returns:
            The messages, those that were with the function first.
        """
        batches = [*self._processing, *self._ready, *self._close()]
        self._processing.clear()
        self._ready.clear()
        left = [message for batch in batches for message, _, _ in batch.line()]
        self.counts.returned += len(left)
        return left

    # Gathering.

    def _receive(self, messages: Sequence[Received]) -> None:
        if not self.running and self._clock.now > self._asked:
            self._scaling.idle()
        self.counts.received += len(messages)
        batches = self._gather((delivery, len(delivery[2])) for delivery in self._wanted(messages))
        if self.source.fifo:
            for batch, after in pairwise(batches):
                batch.after = after
            del batches[1:]
        self._ready += batches
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

    def _batch(self, deliveries: list[Delivery]) -> QueueBatch:
        hidden = self._visibility_timeout() or self.source.visibility_timeout
        return QueueBatch(deliveries, deliveries[0][0].last_received + hidden)

    # Processing.

    def _process(self, batch: QueueBatch) -> None:
        if self._clock.now >= batch.until:
            self._leave(batch)
        else:
            self.running += 1
            self._processing.add(batch)
            self._invoke(batch)

    def _invoke(self, batch: QueueBatch) -> None:
        self.function.call(batch.body, partial(self._end, batch))

    def _end(self, batch: QueueBatch, invocation: Invocation) -> None:
        """An invocation with a batch ended, or was throttled."""
        lost: Sequence[str] = ()
        if invocation.throttle is None:
            self._finish(batch)
            lost = self._settle_batch(batch, invocation)
        elif not self._try_again(batch):
            self._finish(batch)
            self._leave(batch)
        self._go_on()
        self._settle()
        if lost:
            self._lose(lost)

    def _finish(self, batch: QueueBatch) -> None:
        self.running -= 1
        self._processing.discard(batch)

    def _try_again(self, batch: QueueBatch) -> bool:
        """Have a batch that was throttled be tried later; not if its messages are seen again by then."""
        if not self.source.fifo:
            self._scaling.failed(self._clock.now)
        batch.throttles += 1
        again = self._clock.now + delay(batch.throttles)
        if again >= batch.until:
            return False
        self._clock.at(again, partial(self._invoke, batch))
        return True

    def _leave(self, batch: QueueBatch) -> None:
        """Leave a batch to the queue, with what waits for it."""
        self.counts.returned += sum(1 for _ in batch.line())

    def _settle_batch(self, batch: QueueBatch, invocation: Invocation) -> Sequence[str]:
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
            self._leave(batch)
            if not report and not self.source.fifo:
                self._scaling.failed(self._clock.now)
            return ()
        self._scaling.succeeded()
        lost = [message_id for message_id in known if message_id in answer.ignored]
        done = [each for each in deliveries if each[0].message_id not in answer.failed] if answer.failed else deliveries
        self._delete(done)
        self.counts.processed += len(done) - len(lost)
        self.counts.returned += len(deliveries) - len(done)
        if batch.after is not None:
            self._follow(batch.after, all_done=len(done) == len(deliveries))
        return lost

    def _follow(self, batch: QueueBatch, *, all_done: bool) -> None:
        """It is the turn of a batch that had to wait; not after a failure, for the sake of order."""
        if all_done:
            self._ready.appendleft(batch)
        else:
            self._leave(batch)

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
