"""Local schedules: when they fire, what they send, and that no run goes on for ever for their sake."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit import App, identify, on_schedule
from lambdakit.events import ScheduledEvent
from lambdakit.local.sources.bus import Bus
from lambdakit.local.sources.schedule import ScheduleSource
from lambdakit.local.sources.source import Place, SourceError
from lambdakit.local.sources.topic import Topic
from lambdakit.local.virtual.clock import VirtualClock
from lambdakit.schedules import Schedule
from lambdakit.testing import events
from lambdakit.triggers.schedule import ScheduleTrigger
from tests.fake_targets import FakeFunction, FakeQueue

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = 60, 3_600, 86_400


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(start=START)


@pytest.fixture
def function() -> FakeFunction:
    return FakeFunction()


def _schedule(
    clock: VirtualClock, expression: str, target: Any = None, *, timezone: str | None = None, **settings: Any
) -> ScheduleSource:
    when = Schedule.parse(expression, timezone)
    return ScheduleSource("nightly", Place(clock), when, target or FakeFunction(), **settings)


def _fired(schedule: ScheduleSource) -> list[float]:
    """In seconds since the start."""
    return [(time - START).total_seconds() for time in schedule.fired]


# When.


def test_a_rate_of_a_rule_begins_with_its_first_period(clock: VirtualClock, function: FakeFunction) -> None:
    """Counted from when the rule was made."""
    clock.run(until=10)
    schedule = _schedule(clock, "rate(5 minutes)", function)
    clock.run(until=HOUR / 4)

    assert _fired(schedule) == [310, 610]
    assert [delivery.time for delivery in schedule.outlet.delivered] == [310, 610]


def test_a_rate_of_scheduler_begins_at_once(clock: VirtualClock) -> None:
    """Unless it has a start date."""
    schedule = _schedule(clock, "rate(5 minutes)", scheduler=True)
    later = _schedule(clock, "rate(5 minutes)", start_date=START + timedelta(seconds=400))
    clock.run(until=HOUR / 4)

    assert (_fired(schedule), _fired(later)) == ([0, 300, 600, 900], [400, 700])


def test_cron_fires_at_its_times(clock: VirtualClock) -> None:
    """In UTC."""
    schedule = _schedule(clock, "cron(30 2 ? * MON-FRI *)")  # the 1st is a Thursday
    clock.run(until=5 * DAY)

    assert _fired(schedule) == [2.5 * HOUR, DAY + 2.5 * HOUR, 4 * DAY + 2.5 * HOUR]


def test_a_time_zone_has_its_summer(clock: VirtualClock) -> None:
    """What is skipped in spring does not fire, and what comes twice in autumn fires once."""
    schedule = _schedule(clock, "cron(30 2 29-30 3 ? *)", timezone="Europe/Berlin")  # 2:30 is left out on the 29th
    autumn = _schedule(clock, "cron(30 2 25-26 10 ? *)", timezone="Europe/Berlin")  # 2:30 comes twice on the 25th
    clock.run(until=364 * DAY)

    assert [f"{time:%m-%d %H:%M}" for time in schedule.fired + autumn.fired] == [
        "03-30 00:30",
        "10-25 00:30",
        "10-26 01:30",
    ]


def test_at_fires_once(clock: VirtualClock) -> None:
    """Whatever its dates, which Scheduler ignores."""
    schedule = _schedule(clock, "at(2026-01-01T01:00:00)", end_date=START + timedelta(minutes=1))
    clock.run(until=DAY)

    assert (_fired(schedule), schedule.next_at) == ([HOUR], None)


def test_what_is_over_never_fires(clock: VirtualClock) -> None:
    """Nor is it an error."""
    schedule = _schedule(clock, "at(2025-12-31T23:00:00)")
    clock.run(until=DAY)

    assert (schedule.fired, schedule.next_at) == ([], None)


def test_it_fires_between_its_dates(clock: VirtualClock) -> None:
    """Both included."""
    dates: dict[str, Any] = {"start_date": START + timedelta(hours=2), "end_date": START + timedelta(hours=4)}
    rate, cron = _schedule(clock, "rate(1 hour)", **dates), _schedule(clock, "cron(0 * * * ? *)", **dates)
    clock.run(until=DAY)

    assert _fired(rate) == _fired(cron) == [2 * HOUR, 3 * HOUR, 4 * HOUR]


def test_a_window_delays_what_is_sent(clock: VirtualClock) -> None:
    """By up to so many minutes, as the seed decides; the event tells when it was due."""
    function = FakeFunction()
    schedule = _schedule(clock, "rate(1 hour)", function, flexible_time_window_in_minutes=15)
    clock.run(until=DAY)

    delays = [at.time - due for at, due in zip(schedule.outlet.delivered, _fired(schedule), strict=False)]
    assert all(0 <= delay <= 15 * MINUTE for delay in delays)
    assert len({*delays}) > 20
    assert function.events[1]["time"] == "2026-01-01T01:00:00Z"


def test_what_is_not_enabled_does_not_fire(clock: VirtualClock) -> None:
    """Until it is."""
    schedule = _schedule(clock, "rate(1 hour)", enabled=False)
    clock.run(until=2 * HOUR)
    then = schedule.next_at
    schedule.enabled = True
    clock.run(until=4 * HOUR)

    assert (then, _fired(schedule), schedule.next_at) == (None, [3 * HOUR, 4 * HOUR], START + timedelta(hours=5))


def test_a_schedule_keeps_no_run_going(clock: VirtualClock) -> None:
    """It fires for as long as there is something else to do."""
    schedule = _schedule(clock, "rate(1 hour)")
    clock.run()
    clock.at(2.5 * HOUR, lambda: None)
    clock.run()

    assert (_fired(schedule), clock.now) == ([HOUR, 2 * HOUR], 2.5 * HOUR)


def test_neither_does_a_window(clock: VirtualClock) -> None:
    """What is due in it is sent when its time comes, not for its own sake."""
    function = FakeFunction()
    _schedule(clock, "at(2026-01-01T01:00:00)", function, flexible_time_window_in_minutes=1_440)
    clock.run(until=HOUR)
    clock.run()
    before = len(function.events)
    clock.run(until=2 * DAY)

    assert (before, len(function.events)) == (0, 1)


@given(
    st.sampled_from(["rate(7 minutes)", "cron(0/20 * * * ? *)", "cron(15 10 L * ? *)", "rate(1 day)"]),
    st.integers(0, 10 * DAY),
    st.lists(st.integers(0, 3 * DAY), max_size=4),
)
def test_it_fires_whenever_it_is_due(expression: str, made: int, steps: list[int]) -> None:
    """In however many runs the time passes, and none of them twice."""
    clock = VirtualClock(start=START)
    clock.run(until=made)
    schedule = _schedule(clock, expression)
    for step in steps:
        clock.run(until=clock.now + step)

    expected, instant = [], START + timedelta(seconds=made)
    when = Schedule.parse(expression)
    while (instant := when.next_after(instant, START + timedelta(seconds=made)) or clock.today) <= clock.today:
        expected.append(instant)
    assert (schedule.fired, schedule.next_at) == (expected, instant)


# What it sends.


def test_a_rule_sends_a_scheduled_event(clock: VirtualClock, function: FakeFunction) -> None:
    """Without an input; of the rule that it is."""
    _schedule(clock, "rate(1 hour)", function)
    clock.run(until=HOUR)

    [event] = function.events
    assert (identify(event), event) == (
        "eventbridge_schedule",
        events.schedule("nightly", time=START + timedelta(hours=1)),
    )


def test_scheduler_sends_an_event_of_its_own(clock: VirtualClock, function: FakeFunction) -> None:
    """Without an input; its detail is text."""
    schedule = _schedule(clock, "at(2026-01-01T01:00:00)", function)
    clock.run(until=HOUR)

    [event] = function.events
    assert (identify(event), event["resources"], event["detail"]) == ("eventbridge_schedule", [schedule.arn], "{}")
    assert schedule.arn == "arn:aws:scheduler:us-east-1:123456789012:schedule/default/nightly"


def test_each_firing_has_an_id_of_its_own(clock: VirtualClock, function: FakeFunction) -> None:
    """As each event has."""
    _schedule(clock, "rate(1 hour)", function)
    clock.run(until=3 * HOUR)

    assert len({event["id"] for event in function.events}) == 3


def test_an_input_is_sent_as_it_is(clock: VirtualClock, function: FakeFunction) -> None:
    """In the place of the event."""
    queue = FakeQueue()
    for target in (function, queue):
        _schedule(clock, "rate(1 hour)", target, input={"full": True})
    clock.run(until=HOUR)

    assert (function.events, queue.bodies) == ([{"full": True}], ['{"full":true}'])


def test_a_detail_is_that_of_the_event(clock: VirtualClock, function: FakeFunction) -> None:
    """As JSON text where the event is Scheduler's."""
    for scheduler in (False, True):
        _schedule(clock, "cron(0 1 * * ? *)", function, detail={"full": True}, scheduler=scheduler)
    clock.run(until=HOUR)

    assert {event["source"]: event["detail"] for event in function.events} == {
        "aws.events": {"full": True},
        "aws.scheduler": '{"full":true}',
    }


def test_scheduler_fills_in_what_it_knows(clock: VirtualClock, function: FakeFunction) -> None:
    """A rule does not."""
    given = {
        "arn": "<aws.scheduler.schedule-arn>",
        "time": "at <aws.scheduler.scheduled-time>",
        "id": "<aws.scheduler.execution-id>",
        "attempt": "<aws.scheduler.attempt-number>",
    }
    schedule = _schedule(clock, "rate(1 hour)", function, input=given, start_date=START + timedelta(hours=1))
    _schedule(clock, "rate(1 hour)", function, input=given)
    clock.run(until=HOUR)

    filled = next(event for event in function.events if event != given)
    assert len(filled["id"]) == 16
    assert {**filled, "id": ""} == {
        "arn": schedule.arn,
        "time": "at 2026-01-01T01:00:00Z",
        "id": "",
        "attempt": "1",
    }
    assert given in function.events


def test_a_queue_gets_text_as_it_is(clock: VirtualClock) -> None:
    """With the group, where there is one."""
    queue = FakeQueue("inbox.fifo")
    _schedule(
        clock, "at(2026-01-01T01:00:00)", queue, input="due at <aws.scheduler.scheduled-time>", message_group_id="g"
    )
    clock.run(until=HOUR)

    assert (queue.bodies, queue.messages[0].message_group_id) == (["due at 2026-01-01T01:00:00Z"], "g")


def test_a_topic_gets_json(clock: VirtualClock) -> None:
    """Of the event."""
    topic = Topic("ticks", Place(clock))
    _schedule(clock, "rate(1 hour)", topic)
    clock.run(until=HOUR)

    assert [json.loads(message.message)["source"] for message in topic.published] == ["aws.events"]


# What is refused.


def test_a_function_takes_json(clock: VirtualClock) -> None:
    """An input that is none is refused when the schedule is made."""
    with pytest.raises(SourceError, match=r"Invalid RequestJson provided\. Reason The request is not a valid JSON"):
        _schedule(clock, "rate(1 hour)", input="no JSON")


def test_a_bus_is_no_target(clock: VirtualClock) -> None:
    """Nor anything else but functions, queues and topics."""
    with pytest.raises(TypeError, match="the target is a function or a queue or a topic of the local Lambda, not <Bus"):
        _schedule(clock, "rate(1 hour)", Bus("default", Place(clock)))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"flexible_time_window_in_minutes": 0}, "flexible_time_window_in_minutes is 1 to 1,440 minutes, not 0"),
        ({"start_date": datetime(2026, 1, 1)}, "start_date is a datetime with its time zone"),  # noqa: DTZ001
        ({"start_date": START, "end_date": START}, "start_date lies before end_date"),
        ({"start_date": START, "scheduler": False}, "a rule has no time zone"),
        ({"enabled": "yes"}, "enabled is True or False"),
        ({"input": object()}, "input is what JSON can hold"),
        ({"detail": object()}, "input is what JSON can hold"),
        ({"input": {}, "detail": {}}, "an input takes the place of the event"),
    ],
    ids=["window", "naive", "dates", "rule", "enabled", "input", "detail", "both"],
)
def test_a_wrong_setting_is_refused(clock: VirtualClock, settings: dict[str, Any], words: str) -> None:
    """As the decorator refuses it."""
    with pytest.raises(ValueError, match=words):
        _schedule(clock, "rate(1 hour)", **settings)


@pytest.mark.parametrize("name", ["", "a b", "n" * 65])
def test_a_schedule_has_a_name_that_aws_takes(clock: VirtualClock, name: str) -> None:
    """64 letters, digits, dots, hyphens and underscores."""
    with pytest.raises(ValueError, match="a schedule's or rule's name has 1 to 64 letters"):
        ScheduleSource(name, Place(clock), Schedule.parse("rate(1 hour)"), FakeFunction())


# Handlers.


def test_a_handler_runs_when_its_schedule_fires(clock: VirtualClock, function: FakeFunction) -> None:
    """It gets the event, with the time at which it was due."""
    seen: list[str] = []

    @on_schedule("rate(1 hour)", name="nightly")
    def handle(event: ScheduledEvent) -> None:
        seen.append(f"{event.schedule} {event.time:%H:%M}")

    _schedule(clock, "rate(1 hour)", function)
    clock.run(until=2 * HOUR)
    for event in function.events:
        App(handle)(event, None)

    assert seen == ["nightly 01:00", "nightly 02:00"]


@pytest.mark.parametrize(
    "trigger",
    [
        ScheduleTrigger("rate(1 hour)", "nightly"),
        ScheduleTrigger("rate(1 hour)", "nightly", input={"full": True}),
        ScheduleTrigger("cron(0 1 * * ? *)", "nightly", "Europe/London", input={"full": True}),
        ScheduleTrigger("at(2026-01-01T01:00:00)", "nightly"),
        ScheduleTrigger("rate(1 hour)", "nightly", start_date=START, flexible_time_window_in_minutes=1),
    ],
    ids=["rate", "input", "time zone", "at", "window"],
)
def test_what_a_decorator_asks_for_reaches_its_handler(
    clock: VirtualClock, function: FakeFunction, trigger: ScheduleTrigger
) -> None:
    """With the input for a detail."""
    seen: list[tuple[str, object, datetime]] = []

    @on_schedule(trigger.expression, name="nightly", timezone=trigger.timezone, input=trigger.input)
    def handle(event: ScheduledEvent) -> None:
        seen.append((event.schedule, event.detail, event.time))

    schedule = ScheduleSource.of_trigger(trigger, function, Place(clock))
    clock.run(until=HOUR + MINUTE)
    for event in function.events:
        App(handle)(event, None)

    assert {(name, str(detail)) for name, detail, _ in seen} == {("nightly", str(trigger.input or {}))}
    assert [time for _, _, time in seen] == schedule.fired != []
