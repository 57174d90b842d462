"""SQS queues, standard and FIFO.

Source: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/welcome.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from lambdakit.local.sources.consumers import Consumers, Poll
from lambdakit.local.sources.deduplication import Deduplication
from lambdakit.local.sources.lines import FifoLine, StandardLine
from lambdakit.local.sources.messages import GONE, VISIBLE, Message, read_attributes, read_body, size_of
from lambdakit.local.sources.queue_records import LocalQueueRecords
from lambdakit.local.sources.receipts import Receipts
from lambdakit.local.sources.source import EventSource, SourceError
from lambdakit.local.sources.store import Store
from lambdakit.testing.events.values import letters
from lambdakit.triggers.settings import check_choice, check_flag, check_range

if TYPE_CHECKING:
    from lambdakit.local.sources.source import Place

MAXIMUM_MESSAGE_SIZE = 1_048_576
"""The largest message, and the largest batch of them: 1 MiB."""
MOST_IN_FLIGHT = 120_000
MOST_OF_A_BATCH = 10
"""Messages that are sent or received in one request."""
LONGEST_VISIBILITY_TIMEOUT = 43_200
LONGEST_DELAY = 900
PURGE_INTERVAL = 60
FIRST_SEQUENCE_NUMBER = 18_849_496_460_467_696_128

_TOKEN = re.compile("[!-~]{1,128}")
"""Letters, digits and punctuation, as groups and ids have them."""


@dataclass
class QueueCounts:
    """What happened to a queue's messages. Each that was sent is in it, or has ended in one of these ways.

    Attributes:
        sent: Messages that came, from other queues too.
        received: How often one was received.
        deleted: Those that a consumer was done with.
        dead_lettered: Those that went to the dead-letter queue.
        redriven: Those that went from here back to their source.
        expired: Those that were too old.
        purged: Those that were purged.
        deduplicated: What was sent twice and not taken; not among ``sent``.
    """

    sent: int = 0
    received: int = 0
    deleted: int = 0
    dead_lettered: int = 0
    redriven: int = 0
    expired: int = 0
    purged: int = 0
    deduplicated: int = 0


class Queue(EventSource):
    """A queue of SQS; a FIFO queue if its name ends in ``.fifo``. ``len()`` counts its messages, iterating shows them.

    A standard queue hands messages out in the order they came; one that was received and not deleted goes to the end.
    With ``reordering`` and ``duplicates`` it makes use of what SQS allows itself, settled by the clock's seed.

    Args:
        name: 1 to 80 letters, digits, ``-`` and ``_``, with ``.fifo`` at the end for a FIFO queue.
        place: Where it is.
        visibility_timeout: How long a message that was received is hidden, in seconds.
        delay_seconds: How long a message is hidden after it was sent.
        message_retention_period: How long a message is kept, in seconds.
        maximum_message_size: In bytes.
        receive_message_wait_time_seconds: How long a consumer waits for messages; kept for those who ask for it.
        content_based_deduplication: Whether a FIFO queue takes messages with one body for the same message.
        deduplication_scope: Whether those may be the same in all the ``"queue"`` or in a ``"messageGroup"``.
        dead_letter_queue: Where messages go that were received too often.
        max_receive_count: How often is not too often.
        duplicates: The probability that a message of a standard queue is delivered once more, at once.
        reordering: The probability that a message of a standard queue is handed out too early.

    Attributes:
        counts: What happened to the messages.

    Raises:
        SourceError: SQS would not take a setting.
    """

    kind = "sqs"

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        visibility_timeout: int = 30,
        delay_seconds: int = 0,
        message_retention_period: int = 345_600,
        maximum_message_size: int = MAXIMUM_MESSAGE_SIZE,
        receive_message_wait_time_seconds: int = 0,
        content_based_deduplication: bool = False,
        deduplication_scope: str = "queue",
        dead_letter_queue: Queue | None = None,
        max_receive_count: int = 10,
        duplicates: float = 0.0,
        reordering: float = 0.0,
    ) -> None:
        _check_name(name)
        super().__init__(name, place, place.arn("sqs", name))
        self.fifo = name.endswith(".fifo")
        self.visibility_timeout = visibility_timeout
        self.delay_seconds = delay_seconds
        self.message_retention_period = message_retention_period
        self.maximum_message_size = maximum_message_size
        self.receive_message_wait_time_seconds = receive_message_wait_time_seconds
        self.content_based_deduplication = content_based_deduplication
        self.deduplication_scope = deduplication_scope
        self.dead_letter_queue = dead_letter_queue
        self.max_receive_count = max_receive_count
        self.duplicates = duplicates
        self.reordering = reordering
        self._check_settings()
        self.counts = QueueCounts()
        self.sender_id = f"AROA{letters(17, 'sender', place.account)}:sender"
        self.sources: list[Queue] = []
        if dead_letter_queue is not None:
            dead_letter_queue.sources.append(self)
        self._receipts = Receipts(self.arn)
        self._deduplication = Deduplication()
        self._purged = float("-inf")
        self._store = Store(FifoLine() if self.fifo else StandardLine(place.clock.random, reordering))
        self._consumers = Consumers(place.clock, self._store, self._serve)

    # Looking at it.

    def __len__(self) -> int:
        return len(self._current())

    def __iter__(self) -> Iterator[Message]:
        return iter([*self._current()])

    @property
    def visible(self) -> int:
        """How many messages can be received (``ApproximateNumberOfMessages``), or in a FIFO queue wait for others."""
        return self._current().visible

    @property
    def in_flight(self) -> int:
        """How many messages were received and not deleted (``ApproximateNumberOfMessagesNotVisible``)."""
        return self._current().in_flight

    @property
    def delayed(self) -> int:
        """How many messages can't be received yet (``ApproximateNumberOfMessagesDelayed``)."""
        return self._current().delayed

    # Sending.

    def send(
        self,
        body: Any,
        *,
        delay_seconds: int | None = None,
        message_attributes: Mapping[str, Any] | None = None,
        message_group_id: str | None = None,
        message_deduplication_id: str | None = None,
        error: str | None = None,
    ) -> Message:
        """Send a message.

        Args:
            body: Text as it is, bytes in UTF-8, anything else (a model, a dict, ...) as JSON.
            delay_seconds: How long it is hidden first: 0 to 900; not in a FIFO queue.
            message_attributes: Text, numbers and bytes, or as boto3 or an event has them.
            message_group_id: The group, which a FIFO queue needs.
            message_deduplication_id: What makes it the same as another; FIFO queues only.
            error: What ``Message.error`` is to tell of the message.

        Returns:
            The message; in a FIFO queue the one of the last five minutes that it is the same as.

        Raises:
            SourceError: SQS would not take it.
        """
        _check_token("MessageGroupId", message_group_id)
        _check_token("MessageDeduplicationId", message_deduplication_id)
        text = read_body(body)
        attributes = read_attributes(message_attributes) if message_attributes else None
        if size_of(text, attributes) > self.maximum_message_size:
            raise _invalid(
                f"One or more parameters are invalid. Reason: Message must be shorter than "
                f"{self.maximum_message_size} bytes."
            )
        delay = self._delay(delay_seconds)
        message = Message(self.place.new_id(), text, self._milliseconds())
        message.raw_attributes, message.message_group_id, message.error = attributes, message_group_id, error
        if self.fifo:
            return self._send_in_order(message, message_deduplication_id, delay)
        if message_deduplication_id is not None:
            raise _unfit("MessageDeduplicationId", message_deduplication_id)
        self._take_in(message, delay)
        return message

    def send_batch(
        self,
        bodies: Sequence[Any],
        *,
        delay_seconds: int | None = None,
        message_attributes: Mapping[str, Any] | None = None,
        message_group_id: str | None = None,
    ) -> list[Message]:
        """Send up to ten messages at once, of 1 MiB together; see ``send``.

        Raises:
            SourceError: SQS would not take the batch, or one of its messages; those before it were sent.
        """
        if not bodies:
            message = "There should be at least one SendMessageBatchRequestEntry in the request."
            raise SourceError("AWS.SimpleQueueService.EmptyBatchRequest", message)
        if len(bodies) > MOST_OF_A_BATCH:
            message = f"Maximum number of entries per request are {MOST_OF_A_BATCH}. You have sent {len(bodies)}."
            raise SourceError("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", message)
        texts = [read_body(body) for body in bodies]
        attributes = read_attributes(message_attributes or {})
        size = sum(size_of(text, attributes) for text in texts)
        if size > MAXIMUM_MESSAGE_SIZE:
            message = f"Batch requests cannot be longer than {MAXIMUM_MESSAGE_SIZE} bytes. You have sent {size} bytes."
            raise SourceError("AWS.SimpleQueueService.BatchRequestTooLong", message)
        return [
            self.send(
                text,
                delay_seconds=delay_seconds,
                message_attributes=message_attributes,
                message_group_id=message_group_id,
            )
            for text in texts
        ]

    # Receiving.

    def receive(self, max_number_of_messages: int = 1, *, visibility_timeout: int | None = None) -> list[Message]:
        """Receive what is there, without waiting: up to ten messages.

        Raises:
            SourceError: the number or the time (0 to 43,200 seconds) is out of range, or too many messages are in
                flight.
        """
        if not 1 <= max_number_of_messages <= MOST_OF_A_BATCH:
            raise _invalid(
                f"Value {max_number_of_messages} for parameter MaxNumberOfMessages is invalid. "
                f"Reason: Must be between 1 and {MOST_OF_A_BATCH}, if provided."
            )
        if visibility_timeout is not None:
            _check_visibility_timeout(visibility_timeout)
        in_flight = self.in_flight
        if in_flight >= MOST_IN_FLIGHT and not self.fifo:
            raise SourceError("OverLimit", f"Too many messages in flight: {in_flight}; at most {MOST_IN_FLIGHT}.")
        messages = self._receive(max_number_of_messages, visibility_timeout)
        self._consumers.wake()
        return messages

    def records(self, *, window: bool) -> Callable[[Message], bytes]:
        """What writes a message that was just received as it stands in an event; for the mapping."""
        return LocalQueueRecords(self.arn, self.sender_id, window=window).record

    def poll(
        self,
        most: int,
        visibility_timeout: float | None,
        then: Callable[[list[Message]], None],
        failed: Callable[[Exception], None] | None = None,
    ) -> Poll[Message]:
        """Wait for messages, for as long as it takes: ``then`` is given up to so many, once, in an action of the clock.

        Nothing that only waits keeps the clock running; messages that are to be seen again at some time do. ``failed``
        is for a queue that can't be reached: this one can.
        """
        return self._consumers.wait(most, visibility_timeout, then)

    def delete(self, message: Message | str) -> None:
        """Delete a message that was received, by its receipt handle or with the one it was given last.

        An old handle does nothing: the message was received again since, or is gone. In a FIFO queue it is refused
        once the message is to be seen again.

        Raises:
            SourceError: it is no receipt handle of this queue, or it has expired.
        """
        found = self._find(message)
        if found is not None:
            self._delete(found)
            self._consumers.wake()

    def delete_batch(self, receipts: Iterable[tuple[Message, str]]) -> None:
        """Delete messages with the receipt handles that a poll gave, as far as those are still valid."""
        self._current()
        for message, handle in receipts:
            if message.state != GONE and self._is_valid(message, handle):
                self._delete(message)
        self._consumers.wake()

    def change_visibility(self, message: Message | str, visibility_timeout: int) -> None:
        """Hide a message that was received for so many seconds from now, 0 to 43,200; with 0 it is seen at once.

        Raises:
            SourceError: it is not in flight any more, or would be so for more than 12 hours.
        """
        _check_visibility_timeout(visibility_timeout)
        found = self._find(message)
        if found is None:
            raise _invalid(
                f"Value {_handle(message)} for parameter ReceiptHandle is invalid. Reason: Message does not exist or "
                "is not available for visibility timeout change."
            )
        until = self._clock.now + visibility_timeout
        if until - found.last_received > LONGEST_VISIBILITY_TIMEOUT:
            raise _invalid(
                f"Value {visibility_timeout} for parameter VisibilityTimeout is invalid. Reason: Total "
                f"VisibilityTimeout for the message is beyond the limit [{LONGEST_VISIBILITY_TIMEOUT} seconds]"
            )
        self._store.hide(found, until)
        self._current()
        self._consumers.wake()

    # Looking after it.

    def purge(self) -> None:
        """Delete all messages, those in flight too.

        Raises:
            SourceError: that was done in the last 60 seconds already.
        """
        if self._clock.now - self._purged < PURGE_INTERVAL:
            raise SourceError(
                "AWS.SimpleQueueService.PurgeQueueInProgress",
                f"Only one PurgeQueue operation on {self.name} is allowed every {PURGE_INTERVAL} seconds.",
            )
        self._purged = self._clock.now
        messages = [*self]
        for message in messages:
            self._store.remove(message)
        self.counts.purged += len(messages)
        self._consumers.wake()

    def redrive_to_source(self) -> int:
        """Send what this dead-letter queue holds and nobody has in flight back where it came from, as new messages.

        Returns:
            How many messages were moved. What was not moved here by a queue, as Lambda's dead letters, stays.

        Raises:
            SourceError: it is no queue's dead-letter queue.
        """
        if not self.sources:
            raise _invalid("Source queue must be configured as a Dead Letter Queue.")
        moved = [message for message in self if message.state == VISIBLE and message.source is not None]
        for message in moved:
            assert message.source is not None
            self._store.remove(message)
            self.counts.redriven += 1
            message.source._take_back(message)
        return len(moved)

    # How messages come,

    def _milliseconds(self) -> int:
        return round((self._clock.epoch + self._clock.now) * 1000)

    def _delay(self, delay_seconds: int | None) -> int:
        if delay_seconds is None:
            return self.delay_seconds
        if self.fifo and delay_seconds:
            raise _unfit("DelaySeconds", delay_seconds)
        if not 0 <= delay_seconds <= LONGEST_DELAY:
            raise _invalid(
                f"Value {delay_seconds} for parameter DelaySeconds is invalid. "
                f"Reason: DelaySeconds must be >= 0 and <= {LONGEST_DELAY}."
            )
        return self.delay_seconds if self.fifo else delay_seconds

    def _send_in_order(self, message: Message, deduplication_id: str | None, delay: int) -> Message:
        if message.message_group_id is None:
            raise SourceError("MissingParameter", "The request must contain the parameter MessageGroupId.")
        if deduplication_id is None and self.content_based_deduplication:
            deduplication_id = sha256(message.body.encode()).hexdigest()
        if deduplication_id is None:
            raise _invalid(
                "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided "
                "explicitly"
            )
        scope = message.message_group_id if self.deduplication_scope == "messageGroup" else None
        key, now = (scope, deduplication_id), self._clock.now
        known = self._deduplication.find(key, now)
        if known is not None:
            self.counts.deduplicated += 1
            return known
        self._deduplication.note(key, message, now)
        message.message_deduplication_id = deduplication_id
        self._take_in(message, delay)
        return message

    def _take_in(self, message: Message, delay: int = 0) -> None:
        self.counts.sent += 1
        if self.fifo:
            message.number = self.counts.sent
            message.sequence_number = str(FIRST_SEQUENCE_NUMBER + message.number * 256)
        self._store.put(message, self._clock.now + delay if delay else None)
        self._consumers.wake()

    def _take_dead(self, message: Message, source: Queue) -> None:
        """Have a message that another queue gives up: in a standard queue it is as old as it was there."""
        dead = message.copy(message.message_id, self._milliseconds() if self.fifo else message.sent_timestamp)
        dead.receive_count, dead.first_received = message.receive_count, message.first_received
        dead.source = source
        self._take_in(dead)

    def _take_back(self, message: Message) -> None:
        """Have a message anew, as another one, that was given up here."""
        self._take_in(message.copy(self.place.new_id(), self._milliseconds()))

    # how they are received,

    def _serve(self, poll: Poll[Message]) -> list[Message]:
        self._current()
        return self._receive(poll.most, poll.visibility_timeout)

    def _receive(self, most: int, visibility_timeout: float | None) -> list[Message]:
        """The next messages, which are in flight then; those that were received too often go elsewhere."""
        until = self._clock.now + (self.visibility_timeout if visibility_timeout is None else visibility_timeout)
        limit = float("inf") if self.dead_letter_queue is None else self.max_receive_count
        most = min(most, MOST_IN_FLIGHT - self._store.in_flight)
        received: list[Message] = []
        while len(received) < most and (taken := self._store.take(most - len(received), until)):
            for message in taken:
                if message.receive_count < limit:
                    received.append(message)
                else:
                    self._dead_letter(message)
        self._deliver(received)
        return received

    def _deliver(self, messages: list[Message]) -> None:
        now, milliseconds = self._clock.now, self._milliseconds()
        for message in messages:
            message.receive_count += 1
            message.last_received = now
            if message.first_received is None:
                message.first_received = milliseconds
            message.receipt_handle = self._receipts.handle(message)
        self.counts.received += len(messages)
        if self.duplicates:
            for message in messages:
                if message.receive_count == 1 and self._clock.random.random() < self.duplicates:
                    self._store.show(message)

    def _dead_letter(self, message: Message) -> None:
        assert self.dead_letter_queue is not None
        self._store.remove(message)
        self.counts.dead_lettered += 1
        self.dead_letter_queue._take_dead(message, self)

    # how they are found by their receipt handles,

    def _find(self, message: Message | str) -> Message | None:
        """The message that was last received with this handle; None if it was received again since, or is gone."""
        handle = _handle(message)
        message_id = self._receipts.message_id(handle)
        self._current()
        found = self._store.find(message_id)
        if found is None or self._is_valid(found, handle):
            return found
        if self.fifo:
            raise _invalid(
                f"Value {handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
            )
        return None

    def _is_valid(self, message: Message, handle: str | None) -> bool:
        return message.receipt_handle == handle and not (self.fifo and message.state == VISIBLE)

    def _delete(self, message: Message) -> None:
        self._store.remove(message)
        self.counts.deleted += 1

    def _current(self) -> Store:
        """The messages as they are at this time."""
        oldest = self._milliseconds() - self.message_retention_period * 1000
        self.counts.expired += self._store.pass_time(self._clock.now, oldest)
        return self._store

    # What is refused.

    def _check_settings(self) -> None:
        ranges = {
            "visibility_timeout": (0, LONGEST_VISIBILITY_TIMEOUT),
            "delay_seconds": (0, LONGEST_DELAY),
            "message_retention_period": (60, 1_209_600),
            "maximum_message_size": (1_024, MAXIMUM_MESSAGE_SIZE),
            "receive_message_wait_time_seconds": (0, 20),
        }
        for setting, (lowest, highest) in ranges.items():
            with _refusing(setting):
                check_range(setting, getattr(self, setting), lowest, highest)
        with _refusing("redrive_policy"):
            check_range("max_receive_count", self.max_receive_count, 1, 1_000)
        with _refusing("deduplication_scope"):
            check_choice("deduplication_scope", self.deduplication_scope, ["queue", "messageGroup"])
        with _refusing("content_based_deduplication"):
            check_flag("content_based_deduplication", self.content_based_deduplication)
        if self.content_based_deduplication and not self.fifo:
            raise SourceError("InvalidAttributeName", "Unknown Attribute ContentBasedDeduplication.")
        if self.dead_letter_queue is not None and self.dead_letter_queue.fifo != self.fifo:
            raise _invalid("Dead-letter queue must be same type of queue as the source.")
        if (self.duplicates or self.reordering) and self.fifo:
            raise ValueError("a FIFO queue neither duplicates messages nor changes their order")


def _handle(message: Message | str) -> str | None:
    return message.receipt_handle if isinstance(message, Message) else message


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,80}|[A-Za-z0-9_-]{1,75}\.fifo", name):
        raise _invalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")


@contextmanager
def _refusing(setting: str) -> Generator[None]:
    """Refuse what a check finds wrong in the words of SQS; a note says what would be right."""
    try:
        yield
    except ValueError as error:
        attribute = "".join(map(str.capitalize, setting.split("_")))
        refusal = SourceError("InvalidAttributeValue", f"Invalid value for the parameter {attribute}.")
        refusal.add_note(str(error))
        raise refusal from error


def _check_token(parameter: str, token: str | None) -> None:
    if token is not None and not _TOKEN.fullmatch(token):
        raise _invalid(
            f"Value {token} for parameter {parameter} is invalid. Reason: {parameter} can only include alphanumeric "
            "and punctuation characters. 1 to 128 in length."
        )


def _check_visibility_timeout(seconds: int) -> None:
    if not 0 <= seconds <= LONGEST_VISIBILITY_TIMEOUT:
        raise _invalid(
            f"Value {seconds} for parameter VisibilityTimeout is invalid. "
            f"Reason: Must be between 0 and {LONGEST_VISIBILITY_TIMEOUT}, if provided."
        )


def _invalid(message: str) -> SourceError:
    return SourceError("InvalidParameterValue", message)


def _unfit(parameter: str, value: object) -> SourceError:
    return _invalid(
        f"Value {value} for parameter {parameter} is invalid. "
        "Reason: The request include parameter that is not valid for this queue type."
    )
