"""EventBridge events: what ``@on_eventbridge`` takes, matches and hands to a handler."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import TypeVar

from lambdakit.triggers.settings import as_tuple, check_arn, check_flag, check_range, check_rule_name, check_via
from lambdakit.triggers.trigger import Record, Specificity, Trigger, mark

if TYPE_CHECKING:
    from lambdakit.patterns import EventPattern

Handler = TypeVar("Handler", bound=Callable[..., object])


@dataclass(frozen=True, eq=False, repr=False)
class EventBridgeTrigger(Trigger):
    """Events of one bus that match a pattern, and the rule that selects them.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
    """

    source: ClassVar[str] = "eventbridge"
    labels: ClassVar[frozenset[str]] = frozenset({"eventbridge", "s3_eventbridge"})
    resource: ClassVar[str] = "pattern"
    noun: ClassVar[str] = "EventBridge event"
    payload_path: ClassVar[str] = "detail"

    pattern: Mapping[str, Any] | None = None
    bus: str | None = None
    name: str | None = None
    maximum_event_age_in_seconds: int | None = None
    maximum_retry_attempts: int | None = None
    dead_letter_queue: str | None = None
    enabled: bool = True
    via: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_pattern(self.pattern)
        check_arn("bus", self.bus)
        if self.name is not None:
            check_rule_name(self.name)
        check_arn("dead_letter_queue", self.dead_letter_queue)
        age = self.maximum_event_age_in_seconds
        check_range("maximum_event_age_in_seconds", age, 60, 86_400, "seconds", optional=True)
        check_range("maximum_retry_attempts", self.maximum_retry_attempts, 0, 185, optional=True)
        check_flag("enabled", self.enabled)
        check_via(self.via, ("sns", "sqs"))
        assert self._compiled or self.pattern is None  # compiled now, so that a wrong pattern is an error now

    @cached_property
    def _compiled(self) -> EventPattern | None:
        if self.pattern is None:
            return None
        from lambdakit.patterns import EventPattern

        return EventPattern(self.pattern)

    @cached_property
    def _conditions(self) -> dict[tuple[str, ...], list[Any]]:
        return dict(_leaves(self.pattern or {}))

    def conflicts(self, other: Trigger) -> bool:
        """Whether both have as many conditions and no field tells them apart."""
        if not isinstance(other, EventBridgeTrigger) or len(self._conditions) != len(other._conditions):
            return False
        return not any(
            all(_exclude(value, beside) for value in values for beside in other._conditions[path])
            for path, values in self._conditions.items()
            if path in other._conditions and path[-1] != "$or"
        )

    def repeats(self, other: Trigger) -> bool:
        """Whether both have the same pattern: where one function serves both, it does not matter which matches."""
        return isinstance(other, EventBridgeTrigger) and self.pattern == other.pattern

    def specificity(self, record: Record) -> Specificity | None:
        """The pattern with more conditions first."""
        if self._compiled is not None and not self._compiled.matches(record):
            return None
        return (len(self._conditions),)

    def why_not(self, record: Record) -> str:
        """What was asked for beside what came."""
        return f"takes {self}, this is {self.origin(record)}"

    @classmethod
    def records(cls, event: Any) -> list[Record]:
        """The event, which is one wherever it came through."""
        if "detail-type" not in event or "source" not in event:
            raise ValueError("not an EventBridge event: it has no detail-type or source")
        return [event]

    @classmethod
    def origin(cls, record: Record) -> str:
        """What the event says of itself; it does not name its bus."""
        return f"{record.get('detail-type')!r} of source {record.get('source')!r}"

    @classmethod
    def record_id(cls, record: Record) -> str:
        """The event's id."""
        return record.get("id") or ""

    @classmethod
    def payload_reader(cls, annotation: Any) -> Callable[[Record], Any]:
        """Of the detail."""
        from lambdakit.events.payload import detail_reader

        read = detail_reader(annotation)
        return lambda record: read(record.get("detail"))

    @classmethod
    def contents(cls, record: Record) -> Any:
        """The event itself: an AWS service's event says in its detail what happened."""
        return record


def _check_pattern(pattern: object) -> None:
    if callable(pattern):
        raise TypeError("write @on_eventbridge(...) with its pattern, or () for any event")
    if not isinstance(pattern, Mapping | None):
        raise ValueError(f"on_eventbridge takes a pattern such as {{'source': ['shop']}}, not {pattern!r}")


def _leaves(pattern: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    for name, condition in pattern.items():
        if isinstance(condition, Mapping):
            yield from _leaves(condition, (*path, *name.split(".")))
        else:
            yield (*path, *name.split(".")), condition


def _exclude(condition: Any, other: Any) -> bool:
    """Whether no value meets both conditions; False also where that takes more than a look at the two."""
    if not isinstance(condition, Mapping):
        return not _meets(condition, other)
    if not isinstance(other, Mapping):
        return not _meets(other, condition)
    [(operator, operand)] = condition.items()
    [(other_operator, other_operand)] = other.items()
    if operator == other_operator and operator in _EXCLUSIONS:
        return _EXCLUSIONS[operator](operand, other_operand)
    return {"exists": False} in (condition, other) and condition != other


def _meets(value: Any, condition: Any) -> bool:
    from lambdakit.patterns import EventPattern

    return EventPattern({"field": [condition]}).matches({"field": value})


def _apart(interval: list[Any], other: list[Any]) -> bool:
    (low, high), (other_low, other_high) = _bounds(interval), _bounds(other)
    return low > other_high or other_low > high


def _bounds(interval: list[Any]) -> tuple[tuple[float, int], tuple[float, int]]:
    """The least and the greatest of an interval; the second number tells an open end from a closed one."""
    low, high = (float("-inf"), 0), (float("inf"), 0)
    for sign, number in zip(interval[::2], interval[1::2], strict=True):
        if sign[0] in ">=":
            low = (number, int(sign == ">"))
        if sign[0] in "<=":
            high = (number, -int(sign == "<"))
    return low, high


def _strings(*operands: Any) -> bool:
    return all(isinstance(operand, str) for operand in operands)


# What two conditions with the same operator must be like to exclude each other.
_EXCLUSIONS: dict[str, Callable[[Any, Any], bool]] = {
    "exists": lambda there, also: there != also,
    "numeric": _apart,
    "prefix": lambda a, b: _strings(a, b) and not (a.startswith(b) or b.startswith(a)),
    "suffix": lambda a, b: _strings(a, b) and not (a.endswith(b) or b.endswith(a)),
}


def on_eventbridge(
    pattern: Mapping[str, Any] | None = None,
    *,
    bus: str | None = None,
    name: str | None = None,
    maximum_event_age_in_seconds: int | None = None,
    maximum_retry_attempts: int | None = None,
    dead_letter_queue: str | None = None,
    enabled: bool = True,
    via: str | Iterable[str] = (),
) -> Callable[[Handler], Handler]:
    """Run the decorated function for the events of a bus that match a pattern.

    It may ask for the detail (``order: Order``) or an ``EventBridgeEvent[Order]``. Where two patterns match an event,
    the one with more conditions takes it.

    Args:
        pattern: An event pattern, as EventBridge writes it; None takes any event that no other handler takes.
        bus: The bus, by name or ARN; None is the default bus.
        name: The rule's name.
        maximum_event_age_in_seconds: How long EventBridge tries to deliver an event: 60 to 86,400.
        maximum_retry_attempts: How often EventBridge tries again: 0 to 185.
        dead_letter_queue: The queue, by name or ARN, for events that EventBridge could not deliver.
        enabled: Whether the rule is.
        via: What the event comes through: ``"sqs"`` for a queue that is the rule's target, ``"sns"`` for a topic.

    Raises:
        ValueError: the pattern or a setting is none that EventBridge takes.

    >>> @on_eventbridge({"source": ["shop"], "detail-type": ["Order placed"]})
    ... def ship(order: dict[str, object]) -> None: ...
    """
    return mark(
        EventBridgeTrigger(
            pattern,
            bus,
            name,
            maximum_event_age_in_seconds,
            maximum_retry_attempts,
            dead_letter_queue,
            enabled,
            as_tuple(via, "via"),
        )
    )
