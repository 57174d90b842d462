"""Schedules: what ``@on_schedule`` takes, matches and hands to a handler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from typing_extensions import TypeVar

from lambdakit.schedules import Schedule
from lambdakit.triggers.settings import check_flag, check_range, check_rule_name, check_text, check_time
from lambdakit.triggers.trigger import Record, Specificity, Trigger, mark

Handler = TypeVar("Handler", bound=Callable[..., object])


@dataclass(frozen=True, eq=False, repr=False)
class ScheduleTrigger(Trigger):
    """One schedule of EventBridge Scheduler or of an EventBridge rule.

    Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
    """

    source: ClassVar[str] = "schedule"
    labels: ClassVar[frozenset[str]] = frozenset({"eventbridge_schedule"})
    resource: ClassVar[str] = "expression"
    noun: ClassVar[str] = "scheduled event"
    payload_path: ClassVar[str] = "detail"

    expression: str
    name: str = ""
    timezone: str | None = None
    input: Any = None
    description: str | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    flexible_time_window_in_minutes: int | None = None
    enabled: bool = True

    def __post_init__(self) -> None:
        _check_expression(self.expression)
        check_text("timezone", self.timezone, 50)
        Schedule.parse(self.expression, self.timezone)
        if self.name != "":
            check_rule_name(self.name)
        window = self.flexible_time_window_in_minutes
        check_range("flexible_time_window_in_minutes", window, 1, 1_440, "minutes", optional=True)
        check_text("description", self.description, 512)
        check_flag("enabled", self.enabled)
        check_time("start_date", self.start_date)
        check_time("end_date", self.end_date)
        _check_input(self.input)
        if self.start_date and self.end_date and self.start_date >= self.end_date:
            raise ValueError(f"start_date lies before end_date, not {self.start_date} after {self.end_date}")

    def for_function(self, name: str) -> ScheduleTrigger:
        """Named after the function, where it has no name."""
        return self if self.name else replace(self, name=name)

    def conflicts(self, other: Trigger) -> bool:
        """Whether both have the same name."""
        return isinstance(other, ScheduleTrigger) and self.name == other.name

    def specificity(self, record: Record) -> Specificity | None:
        """Its own name before any other; a single schedule takes any, whatever its rule is called."""
        return (_schedule_name(record) == self.name,)

    def why_not(self, record: Record) -> str:
        """What was asked for beside what came."""
        return f"takes the schedule named {self.name!r}, this is from {self.origin(record)}"

    @classmethod
    def origin(cls, record: Record) -> str:
        """The rule or schedule."""
        return f"schedule {_schedule_name(record)!r}"

    @classmethod
    def record_id(cls, record: Record) -> str:
        """The event's id."""
        return record.get("id") or ""

    @classmethod
    def payload_reader(cls, annotation: Any) -> Callable[[Record], Any]:
        """Of the detail, where the schedule's input is."""
        from lambdakit.events.payload import detail_reader

        read = detail_reader(annotation)
        return lambda record: read(record.get("detail"))


def _check_expression(expression: object) -> None:
    if callable(expression):
        raise TypeError("write @on_schedule with its expression, as in @on_schedule('rate(5 minutes)')")
    if not isinstance(expression, str):
        raise ValueError(f"a schedule's expression is text such as 'rate(5 minutes)', not {expression!r}")


def _check_input(value: object) -> None:
    if value is None:
        return
    from pydantic_core import PydanticSerializationError, to_json

    try:
        to_json(value)
    except PydanticSerializationError as error:
        raise ValueError(f"input is what JSON can hold: {error}") from error


def _schedule_name(record: Record) -> str:
    resources = record.get("resources") or [""]
    return str(resources[0]).rpartition("/")[2]


def on_schedule(
    expression: str,
    *,
    name: str = "",
    timezone: str | None = None,
    input: Any = None,  # noqa: A002 - AWS's own name
    description: str | None = None,
    start_date: datetime | None = None,
    end_date: datetime | None = None,
    flexible_time_window_in_minutes: int | None = None,
    enabled: bool = True,
) -> Callable[[Handler], Handler]:
    """Run the decorated function when a schedule fires.

    It may ask for a ``ScheduledEvent``, for the schedule's input (``job: Job``), or for nothing. Several schedules are
    told apart by their names; a single one takes any scheduled event.

    Args:
        expression: ``rate(5 minutes)``, ``cron(0 12 * * ? *)`` or ``at(2026-12-24T18:00:00)``.
        name: The name of the rule or schedule; by default the function's.
        timezone: The IANA time zone the expression is meant in; None is UTC.
        input: What the schedule hands over, as JSON; it arrives as the event's detail.
        description: What it is for.
        start_date: When it begins to fire.
        end_date: When it ceases to.
        flexible_time_window_in_minutes: How much later than due it may fire: 1 to 1,440; None for not at all.
        enabled: Whether it fires.

    Raises:
        ValueError: the expression, the time zone or a setting is wrong.

    >>> @on_schedule("cron(0 8 ? * MON-FRI *)", timezone="Europe/Berlin")
    ... def report() -> None: ...
    """
    return mark(
        ScheduleTrigger(
            expression,
            name,
            timezone,
            input,
            description,
            start_date,
            end_date,
            flexible_time_window_in_minutes,
            enabled,
        )
    )
