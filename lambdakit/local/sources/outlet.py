"""The way out of a source to one target, and the record of what took it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

from lambdakit.errors import LambdakitError
from lambdakit.testing.events.values import text_of

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from lambdakit.local.clock import Clock

MessageAttributes: TypeAlias = Mapping[str, Mapping[str, Any]]
"""As in the APIs of SNS and SQS: ``{"DataType": "String", "StringValue": "text"}``, or ``BinaryValue`` with bytes."""


@runtime_checkable
class FunctionTarget(Protocol):
    """What is invoked asynchronously, as ``Function`` is."""

    @property
    def arn(self) -> str:
        """Its ARN."""
        ...

    def invoke_async(self, payload: Any) -> object:
        """Take an event."""
        ...


@runtime_checkable
class QueueTarget(Protocol):
    """What messages are sent to; a FIFO queue's ARN ends in ``.fifo``."""

    @property
    def arn(self) -> str:
        """Its ARN."""
        ...

    def send(
        self,
        body: str,
        *,
        message_attributes: MessageAttributes = ...,
        message_group_id: str | None = ...,
        message_deduplication_id: str | None = ...,
    ) -> object:
        """Take a message. What it does not have is not passed."""
        ...


@runtime_checkable
class TopicTarget(Protocol):
    """What messages are published to, as ``Topic`` is."""

    @property
    def arn(self) -> str:
        """Its ARN."""
        ...

    def publish(self, message: str, subject: str | None = None) -> object:
        """Take a message."""
        ...


@runtime_checkable
class BusTarget(Protocol):
    """What events are passed on to, as ``Bus`` is."""

    @property
    def arn(self) -> str:
        """Its ARN."""
        ...

    def accept(self, event: dict[str, Any], *, forwarded: bool = False) -> None:
        """Take a whole event, from a service or from another bus."""
        ...


Target: TypeAlias = FunctionTarget | QueueTarget | TopicTarget | BusTarget
Kind: TypeAlias = Literal["function", "queue", "topic", "bus"]


@dataclass(frozen=True)
class Parcel:
    """What goes to a target.

    Attributes:
        payload: The event; to a queue and a topic go text as it is and anything else as JSON.
        letter: What a dead-letter queue gets when the target does not take it; by default the payload.
        subject: For a topic.
        details: For a queue: what ``send`` takes by keyword.
        refusal: Why the target is not even asked, if it isn't.
    """

    payload: Any
    letter: Callable[[], str] | None = None
    subject: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])
    refusal: LambdakitError | None = None


@dataclass(frozen=True)
class Delivery:
    """A parcel that a target was handed.

    Attributes:
        target: The target's ARN.
        payload: The event, or the body of a message.
        time: When, in seconds since the clock's start.
        error: Why the target did not take it; None if it did.
    """

    target: str
    payload: Any
    time: float
    error: str | None = None


class Outlet:
    """Hands parcels to one target: each in an action of the clock of its own, so that the seed decides the order.

    To a FIFO queue they go in the order in which they were sent off.

    Args:
        clock: The clock.
        target: A function, a queue, a topic or a bus.
        kinds: Those of them that the source can deliver to.
        dead_letter_queue: The queue for what the target does not take.

    Attributes:
        target: The target.
        kind: What it is: ``"function"``, ``"queue"``, ``"topic"`` or ``"bus"``.
        delivered: What the target took, in the order of time.
        failed: What it did not take.

    Raises:
        TypeError: the source can't deliver to such a target.
    """

    def __init__(
        self, clock: Clock, target: Target, *kinds: Kind, dead_letter_queue: QueueTarget | None = None
    ) -> None:
        self.kind, self._hand_over = _way_to(target)
        if self.kind not in kinds:
            raise _not_such_a_target(target, kinds)
        self.target = target
        self.delivered: list[Delivery] = []
        self.failed: list[Delivery] = []
        self._clock = clock
        self._dead_letter_queue = dead_letter_queue
        self._in_order: deque[Parcel] | None = deque() if target.arn.endswith(".fifo") else None

    def send_off(self, parcel: Parcel) -> None:
        """Hand it over when the clock runs, at this instant."""
        if self._in_order is None:
            self._clock.at(self._clock.now, partial(self._deliver, parcel))
        else:
            self._in_order.append(parcel)
            self._clock.at(self._clock.now, self._deliver_next)

    def _details_of_letter(self, error: LambdakitError) -> dict[str, Any]:
        """What the dead-letter queue gets beside the letter."""
        return {}

    def _deliver_next(self) -> None:
        assert self._in_order is not None
        self._deliver(self._in_order.popleft())

    def _deliver(self, parcel: Parcel) -> None:
        try:
            if parcel.refusal is not None:
                raise parcel.refusal
            self._hand_over(parcel)
        except LambdakitError as error:  # refused; what anything else raises is nobody's to swallow
            self._give_up(parcel, error)
        else:
            self.delivered.append(Delivery(self.target.arn, parcel.payload, self._clock.now))

    def _give_up(self, parcel: Parcel, error: LambdakitError) -> None:
        self.failed.append(Delivery(self.target.arn, parcel.payload, self._clock.now, str(error)))
        letters = self._dead_letter_queue
        if letters is not None:
            letter = parcel.letter() if parcel.letter else text_of(parcel.payload)
            order = ("message_group_id", "message_deduplication_id") if letters.arn.endswith(".fifo") else ()
            details = {name: parcel.details[name] for name in order if name in parcel.details}
            letters.send(letter, **details, **self._details_of_letter(error))


def is_target(thing: object) -> TypeIs[Target]:
    """Whether it is anything that a source can deliver to."""
    return isinstance(thing, FunctionTarget | QueueTarget | TopicTarget | BusTarget)


def _way_to(target: object) -> tuple[Kind, Callable[[Parcel], object]]:
    if isinstance(target, FunctionTarget):
        return "function", lambda parcel: target.invoke_async(parcel.payload)
    if isinstance(target, QueueTarget):
        return "queue", lambda parcel: target.send(text_of(parcel.payload), **parcel.details)
    if isinstance(target, TopicTarget):
        return "topic", lambda parcel: target.publish(text_of(parcel.payload), subject=parcel.subject)
    if isinstance(target, BusTarget):
        return "bus", lambda parcel: target.accept(parcel.payload, forwarded=True)
    raise _not_such_a_target(target, ("function", "queue", "topic", "bus"))


def _not_such_a_target(target: object, kinds: Sequence[Kind]) -> TypeError:
    known = " or ".join(f"a {kind}" for kind in kinds)
    return TypeError(f"the target is {known} of the local Lambda, not {target!r}")
