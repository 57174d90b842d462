"""A local schedule: an EventBridge rule with a schedule expression, or a schedule of EventBridge Scheduler.

Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic_core import from_json

from lambdakit.local.sources.outlet import Outlet, Parcel
from lambdakit.local.sources.source import Place, Source, SourceError
from lambdakit.schedules import Schedule
from lambdakit.testing.events.scheduled_events import schedule as scheduled_event
from lambdakit.testing.events.values import iso, text_of
from lambdakit.triggers.schedule import ScheduleTrigger
from lambdakit.triggers.settings import check_rule_name

if TYPE_CHECKING:
    from lambdakit.local.sources.outlet import Target


class ScheduleSource(Source):
    """Fires on the clock's time, in the background: it keeps no run going, as it has no end of its own.

    A rule sends its ``input``, by default a ``Scheduled Event`` of ``aws.events``. So does Scheduler, where the event
    is of ``aws.scheduler``; in its input ``<aws.scheduler.schedule-arn>``, ``<aws.scheduler.scheduled-time>``,
    ``<aws.scheduler.execution-id>`` and ``<aws.scheduler.attempt-number>`` are replaced. A rate fires first when a
    rule's first period is over, but with Scheduler at once, or at the ``start_date``.

    Args:
        name: The name of the rule or schedule.
        place: Where it is.
        schedule: When it fires.
        target: A function, a queue or a topic.
        input: What it sends: any JSON value; text is sent as it is, and for a function has to be JSON.
        detail: What the event has for its detail, in the place of nothing; not with an ``input``.
        start_date: When it begins to fire; not for ``at``, whose dates Scheduler ignores.
        end_date: When it ceases to.
        flexible_time_window_in_minutes: How much later than due it may fire: 1 to 1,440; the seed decides.
        scheduler: Whether it is Scheduler's rather than a rule; by default where only Scheduler can do it.
        message_group_id: The message group; a FIFO queue needs one.
        enabled: Whether it fires.

    Attributes:
        schedule: When it fires.
        scheduler: Whether it is Scheduler's.
        outlet: What its target took: ``outlet.delivered``.
        fired: When it was due so far, in UTC.
        enabled: Whether it fires.

    Raises:
        SourceError: AWS would refuse it.
        TypeError: the target is neither a function, nor a queue or topic.
        ValueError: a name, date or window is none that AWS takes.

    >>> from lambdakit.local.virtual.clock import VirtualClock
    >>> class Nightly:
    ...     arn = "arn:aws:lambda:us-east-1:123456789012:function:nightly"
    ...     def invoke_async(self, payload: object) -> None: ...
    >>> clock = VirtualClock()
    >>> schedule = ScheduleSource("nightly", Place(clock), Schedule.parse("cron(0 2 * * ? *)"), Nightly())
    >>> clock.run(until=2 * 86_400)
    >>> [f"{time:%d %H:%M}" for time in schedule.fired]
    ['01 02:00', '02 02:00']
    """

    def __init__(
        self,
        name: str,
        place: Place,
        schedule: Schedule,
        target: Target,
        *,
        input: Any = None,  # noqa: A002 - AWS's own name
        detail: Any = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
        flexible_time_window_in_minutes: int | None = None,
        scheduler: bool | None = None,
        message_group_id: str | None = None,
        enabled: bool = True,
    ) -> None:
        window = flexible_time_window_in_minutes
        check_rule_name(name)
        content = detail if input is None else input
        # The decorator refuses what AWS would.
        ScheduleTrigger(
            schedule.expression, name, schedule.timezone, content, None, start_date, end_date, window, enabled
        )
        needs_scheduler = schedule.needs_scheduler or bool(start_date or end_date or window)
        if needs_scheduler and scheduler is False:
            raise ValueError("a rule has no time zone, no at(), no dates and no window: leave out scheduler=False")
        if input is not None and detail is not None:
            raise ValueError("an input takes the place of the event, so that has no detail: give one of them")
        self.scheduler = needs_scheduler if scheduler is None else scheduler
        service, path = ("scheduler", f"schedule/default/{name}") if self.scheduler else ("events", f"rule/{name}")
        super().__init__(name, place, place.arn(service, path))
        self.schedule = schedule
        self.enabled = enabled
        self.fired: list[datetime] = []
        self.outlet = Outlet(place.clock, target, "function", "queue", "topic")
        self._input = input
        self._detail = detail
        self._details = {"message_group_id": message_group_id} if message_group_id else {}
        self._window = timedelta(minutes=window or 0)
        is_once, is_rate = schedule.expression.startswith("at("), schedule.expression.startswith("rate(")
        now = place.clock.today
        self._start = None if is_once else start_date or (now if is_rate else None)
        self._end = None if is_once else end_date
        if input is not None:
            self._payload(now)  # sees now whether it is one
        self._due: datetime | None = None
        self._wait_after(now - timedelta.resolution if is_rate and self.scheduler else now)

    @classmethod
    def of_trigger(cls, trigger: ScheduleTrigger, target: Target, place: Place) -> ScheduleSource:
        """What a handler's decorator asks for: its target gets a ``Scheduled Event`` whose detail is the input."""
        return cls(
            trigger.name,
            place,
            Schedule.parse(trigger.expression, trigger.timezone),
            target,
            detail=trigger.input,
            start_date=trigger.start_date,
            end_date=trigger.end_date,
            flexible_time_window_in_minutes=trigger.flexible_time_window_in_minutes,
            enabled=trigger.enabled,
        )

    @property
    def next_at(self) -> datetime | None:
        """When it is due next, in UTC; None if that is never."""
        return self._due if self.enabled else None

    def _wait_after(self, instant: datetime) -> None:
        due = self.schedule.next_after(instant, self._start)
        self._due = None if due is None or (self._end is not None and due > self._end) else due
        if self._due is not None:
            clock = self.place.clock
            clock.at(self._due.timestamp() - clock.epoch, self._fire, background=True)

    def _fire(self) -> None:
        due, clock = self._due, self.place.clock
        assert due is not None
        self._wait_after(due)
        if not self.enabled:
            return
        self.fired.append(due)
        delay = clock.random.random() * self._window.total_seconds()
        clock.at(clock.now + delay, partial(self._send, due), background=delay > 0)

    def _send(self, due: datetime) -> None:
        self.outlet.send_off(Parcel(self._payload(due), details=self._details))

    def _payload(self, due: datetime) -> Any:
        if self._input is None:
            return scheduled_event(
                self.name,
                input=self._detail,
                scheduler=self.scheduler,
                time=due,
                region=self.place.region,
                account=self.place.account,
            )
        text = text_of(self._input)
        if self.scheduler:
            for keyword, value in self._context(due).items():
                text = text.replace(f"<aws.scheduler.{keyword}>", value)
        return _parsed(text) if self.outlet.kind == "function" else text

    def _context(self, due: datetime) -> dict[str, str]:
        """Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html."""
        return {
            "schedule-arn": self.arn,
            "scheduled-time": iso(due),
            "execution-id": self.place.new_id().replace("-", "")[:16],
            "attempt-number": "1",
        }


def _parsed(text: str) -> Any:
    try:
        return from_json(text)
    except ValueError as error:
        message = f"Invalid RequestJson provided. Reason The request is not a valid JSON: {error}"
        raise SourceError("ValidationException", message) from None
