"""The event source mapping of a broker's queue: Amazon MQ, ActiveMQ or RabbitMQ.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pydantic_core import to_json

from lambdakit.local.mappings.answers import ALL_FAILED, read_answer
from lambdakit.local.mappings.broker_records import BrokerRecords
from lambdakit.local.mappings.polling import Cancellable, PollingMapping
from lambdakit.local.mappings.settings import BrokerSettings, check_timeout
from lambdakit.local.sources.broker import Broker, BrokerMessage
from lambdakit.testing.events.values import Event

if TYPE_CHECKING:
    from lambdakit.local.clock import Clock, Timer
    from lambdakit.local.invocation import Invocation
    from lambdakit.local.mappings.mapping import Invocable

CONCURRENCY = {"ActiveMQ": 5, "RabbitMQ": 1}
"""How many batches of a broker's queue are processed at once."""
REDELIVERY_DELAY = 1.0
"""Seconds until a batch that failed is tried again, as ActiveMQ's redelivery policy has it."""
PATIENCE = 100
"""So many attempts the clock is kept running for; later ones are made when time passes anyway."""

Delivery = tuple[BrokerMessage, Event]
"""A message and its record."""


class BrokerBatch:
    """Messages on their way through the function, until it is done with them."""

    __slots__ = ("attempts", "messages", "retry")

    def __init__(self, messages: list[BrokerMessage]) -> None:
        self.messages = messages
        self.attempts = 0
        self.retry: Timer | None = None


class BrokerMapping(PollingMapping[Broker, BrokerSettings, Delivery, BrokerBatch]):
    """Polls a queue of a broker, and invokes the function with batches of its messages.

    A batch that failed or was throttled is tried again each second, as a whole, until it succeeds, its messages expire
    or ActiveMQ has seen them fail seven times. After a hundred attempts it no longer keeps the clock running.

    Args:
        clock: Runs it.
        source: The broker.
        function: What is invoked.
        settings: How.

    Raises:
        InvokeError: Lambda would not take the settings for this function.
    """

    def __init__(self, clock: Clock, source: Broker, function: Invocable, settings: BrokerSettings) -> None:
        check_timeout(function.timeout)
        self._queue = source.queue(settings.queue, settings.virtual_host)
        self._records = BrokerRecords(source, self._queue)
        self._waiting: dict[BrokerBatch, None] = {}
        super().__init__(clock, source, function, settings, envelope=len(self._records.event([])))

    # Polling.

    def _room(self) -> int:
        return CONCURRENCY[self.source.engine]

    def _ask(self) -> Cancellable:
        most = self.settings.batch_size - len(self._batcher)
        return self._queue.poll(most, self._receive, self._fail_to_poll)

    def _stop(self) -> None:
        super()._stop()
        for batch in [*self._waiting]:
            assert batch.retry is not None
            batch.retry.cancel()
            self._queue.give_back(batch.messages)
            self.counts.returned += len(batch.messages)
            self._finish(batch)

    def _receive(self, messages: list[BrokerMessage]) -> None:
        self.counts.received += len(messages)
        wanted: list[tuple[Delivery, int]] = []
        for message in messages:
            record = self._record(message)
            size = len(to_json(record))
            if self._takes(message, record, size):
                wanted.append(((message, record), size))
        self._ready += self._gather(wanted)
        self._go_on()

    def _takes(self, message: BrokerMessage, record: Event, size: int) -> bool:
        """Whether the function is to see a message; if not, the broker is told that it is done."""
        if not self._batcher.fits(size):
            self.counts.discarded += 1
        elif not self.settings.filters.passes(record):
            self.counts.filtered += 1
        else:
            return True
        self._queue.acknowledge([message])
        return False

    def _batch(self, deliveries: list[Delivery]) -> BrokerBatch:
        return BrokerBatch([message for message, _ in deliveries])

    # Processing.

    def _process(self, batch: BrokerBatch) -> None:
        self.running += 1
        self._invoke(batch)

    def _invoke(self, batch: BrokerBatch) -> None:
        self._waiting.pop(batch, None)
        batch.attempts += 1
        event = self._records.event([self._record(message) for message in batch.messages])
        self.function.call(event, partial(self._end, batch))

    def _end(self, batch: BrokerBatch, invocation: Invocation) -> None:
        """An invocation with a batch ended, or was throttled."""
        known = [message.message_id for message in batch.messages]
        outcome = invocation.outcome
        answer = read_answer(outcome, known, report_batch_item_failures=False) if outcome else ALL_FAILED
        if answer.failed is None:
            self._try_again(batch, failed=invocation.throttle is None)
            return
        lost = [message_id for message_id in known if message_id in answer.ignored]
        self.counts.processed += len(known) - len(lost)
        self._queue.acknowledge(batch.messages)
        self._finish(batch)
        if lost:
            self._lose(lost)

    def _try_again(self, batch: BrokerBatch, *, failed: bool) -> None:
        at = self._clock.now + REDELIVERY_DELAY
        retried = self._queue.try_again(batch.messages, at, failed=failed)
        self.counts.expired += len(retried.expired)
        self.counts.discarded += len(retried.given_up)
        batch.messages = retried.again
        if not batch.messages:
            self._finish(batch)
        elif self.state == "Enabled":
            self._waiting[batch] = None
            batch.retry = self._clock.at(at, partial(self._invoke, batch), background=batch.attempts > PATIENCE)
        else:
            self._queue.give_back(batch.messages)
            self.counts.returned += len(batch.messages)
            self._finish(batch)

    def _finish(self, batch: BrokerBatch) -> None:
        self._waiting.pop(batch, None)
        self.running -= 1
        self._go_on()
        self._settle()

    def _record(self, message: BrokerMessage) -> Event:
        return self._records.record(message, round((self._clock.epoch + self._clock.now) * 1000))
