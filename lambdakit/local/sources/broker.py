"""Brokers of Amazon MQ, with their queues: ActiveMQ and RabbitMQ, as far as a Lambda function gets to see of them.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from lambdakit.local.sources.consumers import Consumers, Poll
from lambdakit.local.sources.serial import serialize
from lambdakit.local.sources.source import EventSource
from lambdakit.testing.events.values import bytes_of, uuid
from lambdakit.triggers.settings import check_choice, check_range

if TYPE_CHECKING:
    from lambdakit.local.clock import Clock
    from lambdakit.local.sources.source import Place

Engine = Literal["ActiveMQ", "RabbitMQ"]

MAXIMUM_REDELIVERIES = 6
"""How often ActiveMQ delivers a message again before it gives it up."""
DEAD_LETTER_QUEUE = "ActiveMQ.DLQ"
NEVER = float("inf")
JSON, BYTES = "application/json", "application/octet-stream"


@dataclass
class BrokerCounts:
    """What happened to the messages of a broker's queue. Each that was sent is in it, or ended in one of these ways.

    Attributes:
        sent: Messages that came.
        acknowledged: Those that a consumer was done with.
        expired: Those whose time to live was over.
        dead_lettered: Those that ActiveMQ gave up.
    """

    sent: int = 0
    acknowledged: int = 0
    expired: int = 0
    dead_lettered: int = 0


@dataclass(eq=False, kw_only=True, slots=True)
class BrokerMessage:
    """A message of a broker's queue.

    Attributes:
        message_id: Its id.
        data: Its body.
        content_type: What was sent: text, JSON or bytes.
        sent_timestamp: When it was sent, in milliseconds of Unix time.
        expires: When it is too old, in seconds of the clock.
        time_to_live: How long it lives, in seconds; None is for ever.
        properties: Those of JMS, or the headers of AMQP.
        priority, correlation_id, reply_to, type: As in JMS and AMQP.
        redeliveries: How often it was delivered again.
    """

    message_id: str
    data: bytes
    content_type: str
    sent_timestamp: int
    expires: float
    time_to_live: float | None
    properties: dict[str, Any]
    priority: int
    correlation_id: str | None
    reply_to: str | None
    type: str | None
    redeliveries: int = 0

    def is_over(self, now: float) -> bool:
        """Whether it is too old at that time."""
        return self.expires <= now


class Retried(NamedTuple):
    """What becomes of messages that the function is not done with."""

    again: list[BrokerMessage]
    expired: list[BrokerMessage]
    given_up: list[BrokerMessage]


class BrokerQueue:
    """A queue of a broker. ``len()`` counts its messages, iterating shows those that nobody has.

    Attributes:
        name: Its name.
        virtual_host: The virtual host of RabbitMQ that it is in.
        counts: What happened to the messages.
    """

    def __init__(self, clock: Clock, broker: Broker, name: str, virtual_host: str) -> None:
        self._clock = clock
        serialize(self, clock)
        self._broker = broker
        self.name = name
        self.virtual_host = virtual_host
        self.counts = BrokerCounts()
        self._waiting: deque[BrokerMessage] = deque()
        self._first_end = NEVER
        self._delivered: dict[BrokerMessage, None] = {}
        self._consumers = Consumers[BrokerMessage](clock, self, lambda poll: self._deliver(poll.most))

    def __len__(self) -> int:
        return self.visible + len(self._delivered)

    def __iter__(self) -> Iterator[BrokerMessage]:
        self._expire()
        return iter([*self._waiting])

    @property
    def visible(self) -> int:
        """How many messages wait for a consumer."""
        self._expire()
        return len(self._waiting)

    @property
    def next_change(self) -> None:
        """Nothing here is hidden until some time."""
        return

    def send(
        self,
        body: Any,
        *,
        properties: Mapping[str, Any] | None = None,
        time_to_live: float | None = None,
        priority: int | None = None,
        correlation_id: str | None = None,
        reply_to: str | None = None,
        type: str | None = None,  # noqa: A002 - JMS's own name
    ) -> BrokerMessage:
        """Send a message.

        Args:
            body: Bytes and text as they are, anything else (a model, a dict, ...) as JSON.
            properties: The properties of JMS, or the headers of AMQP.
            time_to_live: After so many seconds it is too old; None is never.
            priority: 0 to 9 in ActiveMQ, to 255 in RabbitMQ; a message is told its priority, but not served before
                others.
            correlation_id: As in JMS and AMQP.
            reply_to: Where answers are wanted.
            type: What kind of message it is.

        Raises:
            ValueError: the priority is out of range.
        """
        rabbit = self._broker.engine == "RabbitMQ"
        check_range("priority", priority, 0, 255 if rabbit else 9, optional=True)
        message = BrokerMessage(
            message_id=self._broker.message_id(),
            data=bytes_of(body),
            content_type=BYTES if isinstance(body, bytes) else "text/plain" if isinstance(body, str) else JSON,
            sent_timestamp=round((self._clock.epoch + self._clock.now) * 1000),
            expires=NEVER if time_to_live is None else self._clock.now + time_to_live,
            time_to_live=time_to_live,
            properties=dict(properties or {}),
            priority=priority if priority is not None else (0 if rabbit else 4),
            correlation_id=correlation_id,
            reply_to=reply_to,
            type=type,
        )
        self._take_in(message)
        return message

    def poll(
        self,
        most: int,
        then: Callable[[list[BrokerMessage]], None],
        failed: Callable[[Exception], None] | None = None,
    ) -> Poll[BrokerMessage]:
        """Wait for messages: ``then`` is given up to so many, once, in an action of the clock.

        They are the consumer's until it acknowledges them or gives them back. ``failed`` is for brokers that can't be
        reached: this one can.
        """
        return self._consumers.wait(most, None, then)

    def acknowledge(self, messages: Iterable[BrokerMessage]) -> None:
        """Be done with messages."""
        for message in messages:
            del self._delivered[message]
            self.counts.acknowledged += 1

    def give_back(self, messages: Iterable[BrokerMessage]) -> None:
        """Have messages be delivered again, before all others."""
        given_back = [*messages]
        for message in reversed(given_back):
            del self._delivered[message]
            message.redeliveries += 1
            self._waiting.appendleft(message)
            self._first_end = min(self._first_end, message.expires)
        self._consumers.wake()

    def try_again(self, messages: Iterable[BrokerMessage], at: float, *, failed: bool) -> Retried:
        """Keep messages to try them again at that time: those that are not too old then.

        Of those that failed ActiveMQ gives up what it has delivered again six times. Those that were throttled were
        not delivered at all.
        """
        retried = Retried([], [], [])
        for message in messages:
            if message.is_over(at):
                retried.expired.append(message)
            elif failed and self._broker.engine == "ActiveMQ" and message.redeliveries == MAXIMUM_REDELIVERIES:
                retried.given_up.append(message)
            else:
                message.redeliveries += failed
                retried.again.append(message)
        for message in retried.expired + retried.given_up:
            del self._delivered[message]
        self.counts.expired += len(retried.expired)
        self.counts.dead_lettered += len(retried.given_up)
        for message in retried.given_up:
            self._broker.queue(DEAD_LETTER_QUEUE)._take_in(message)
        return retried

    def _take_in(self, message: BrokerMessage) -> None:
        self.counts.sent += 1
        self._waiting.append(message)
        self._first_end = min(self._first_end, message.expires)
        self._consumers.wake()

    def _deliver(self, most: int) -> list[BrokerMessage]:
        self._expire()
        messages = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        self._delivered.update(dict.fromkeys(messages))
        return messages

    def _expire(self) -> None:
        now = self._clock.now
        if now < self._first_end:
            return
        left = deque(message for message in self._waiting if not message.is_over(now))
        self.counts.expired += len(self._waiting) - len(left)
        self._waiting = left
        self._first_end = min((each.expires for each in left), default=NEVER)

    def __repr__(self) -> str:
        return f"<BrokerQueue {self.name!r} of {self._broker.name!r}>"


class Broker(EventSource):
    """A broker of Amazon MQ.

    What Lambda does not see of a broker is not here: topics, exchanges, other consumers, selectors, schedules. Expired
    messages are gone; ActiveMQ may be set up to keep them.

    Args:
        name: Its name.
        place: Where it is.
        engine: ``"ActiveMQ"`` or ``"RabbitMQ"``.

    Attributes:
        queues: Its queues, by name and virtual host.

    Raises:
        ValueError: there is no such engine.
    """

    kind = "mq"

    def __init__(self, name: str, place: Place, *, engine: Engine = "ActiveMQ") -> None:
        check_choice("engine", engine, ["ActiveMQ", "RabbitMQ"])
        self._id = uuid("broker", name)
        super().__init__(name, place, place.arn("mq", f"broker:{name}:b-{self._id}"))
        self.engine: Engine = engine
        self.queues: dict[tuple[str, str], BrokerQueue] = {}
        self._messages = 0

    def queue(self, name: str, virtual_host: str = "/") -> BrokerQueue:
        """A queue, which is made when it is asked for first."""
        key = name, virtual_host
        if key not in self.queues:
            self.queues[key] = BrokerQueue(self._clock, self, name, virtual_host)
        return self.queues[key]

    def message_id(self) -> str:
        """The id of a new message, as its engine makes them."""
        if self.engine == "RabbitMQ":
            return self.place.new_id()
        self._messages += 1
        started = round(self._clock.epoch * 1000)
        return f"ID:b-{self._id}-1.mq.{self.place.region}.amazonaws.com-61616-{started}-4:1:1:1:{self._messages}"
