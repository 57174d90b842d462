"""What a deployed App is invoked by: the sources that its decorators name, wired as its template would wire them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from lambdakit.local.sources.schedule import ScheduleSource
from lambdakit.testing.events.s3_objects import BUS_EVENTS
from lambdakit.triggers.dynamodb import CHANGES, DynamoDbTrigger
from lambdakit.triggers.settings import as_tuple

if TYPE_CHECKING:
    from lambdakit.app import App
    from lambdakit.local.function import Function
    from lambdakit.local.service import LocalLambda
    from lambdakit.triggers.eventbridge import EventBridgeTrigger
    from lambdakit.triggers.kinesis import KinesisTrigger
    from lambdakit.triggers.s3 import S3Trigger
    from lambdakit.triggers.schedule import ScheduleTrigger
    from lambdakit.triggers.sns import SnsTrigger
    from lambdakit.triggers.sqs import SqsTrigger
    from lambdakit.triggers.trigger import Trigger

_OURS = ("concurrency", "events", "queue", "stream", "table")
"""Settings of a trigger that are none of its mapping's."""
_TELLING = ("reason", "deletion-type")
"""Members of an S3 event's detail that tell its kind."""
VISIBILITY_TIMEOUTS = 6
"""AWS's advice: a queue hides messages for six times as long as the function may take."""


def wire(local: LocalLambda, function: Function, app: App) -> None:
    """Have the sources that an App's decorators name invoke its function.

    A source that is not there is made. A trigger that names none, or is reached through a topic or a queue (``via``),
    is for the test to wire: nothing says through which.
    """
    triggers: dict[str, list[Trigger]] = {}
    for handler in app.handlers:
        trigger = handler.trigger
        if _names_its_source(trigger):
            triggers.setdefault("-".join((trigger.source, *trigger.via)), []).append(trigger)
    for source, found in triggers.items():
        if source in _WIRES:
            _WIRES[source](local, function, found)


def _names_its_source(trigger: Trigger) -> bool:
    """Only a rule of EventBridge may be without: then it takes every event of its bus."""
    return trigger.source == "eventbridge" or (
        bool(trigger.resource) and getattr(trigger, trigger.resource) is not None
    )


def _wire_s3(local: LocalLambda, function: Function, triggers: list[S3Trigger]) -> None:
    for trigger in triggers:
        if not any(_covers(other, trigger) for other in triggers if other is not trigger):
            assert trigger.bucket is not None
            local.bucket(trigger.bucket).notify(function, trigger.events, trigger.prefix, trigger.suffix)


def _covers(wide: S3Trigger, narrow: S3Trigger) -> bool:
    """Whether what one asks for holds all that the other does; App tells the two apart, and S3 takes one of them."""
    return (
        wide.bucket == narrow.bucket
        and narrow.prefix.startswith(wide.prefix)
        and narrow.suffix.endswith(wide.suffix)
        and all(any(_takes(event, name) for event in as_tuple(wide.events)) for name in as_tuple(narrow.events))
    )


def _takes(wide: str, narrow: str) -> bool:
    wide, narrow = wide.removeprefix("s3:"), narrow.removeprefix("s3:")
    return wide == narrow or (wide.endswith(":*") and narrow.startswith(wide[:-1]))


def _wire_s3_events(local: LocalLambda, function: Function, triggers: list[S3Trigger]) -> None:
    for number, trigger in enumerate(triggers, 1):
        assert trigger.bucket is not None
        bucket = local.bucket(trigger.bucket)
        bucket.event_bridge = local.bus()
        local.bus().rule(f"{function.name}-{bucket.name}-{number}", _bus_pattern(bucket.name, trigger), function)


def _bus_pattern(bucket: str, trigger: S3Trigger) -> dict[str, Any]:
    """The pattern of a rule that takes what a notification would."""
    detail: dict[str, Any] = {"bucket": {"name": [bucket]}}
    if trigger.prefix or trigger.suffix:
        text = "*".join(part.replace("\\", "\\\\") for part in (trigger.prefix, trigger.suffix))
        detail["object"] = {"key": [{"wildcard": text}]}
    pattern: dict[str, Any] = {"source": ["aws.s3"], "detail": detail}
    kinds = [
        _kind_of_event(*told)
        for name, told in BUS_EVENTS.items()
        if any(_takes(event, name) for event in as_tuple(trigger.events))
    ]
    if len(kinds) > 1:
        return {**pattern, "$or": kinds}
    [only] = kinds
    return {**pattern, **only, "detail": {**detail, **only.get("detail", {})}}


def _kind_of_event(detail_type: str, told: Mapping[str, Any]) -> dict[str, Any]:
    telling = {name: [value] for name, value in told.items() if name in _TELLING}
    return {"detail-type": [detail_type], **({"detail": telling} if telling else {})}


def _wire_sqs(local: LocalLambda, function: Function, triggers: list[SqsTrigger]) -> None:
    for trigger in triggers:
        assert trigger.queue is not None
        if not local.has_queue(trigger.queue):
            window = trigger.maximum_batching_window_in_seconds
            local.queue(trigger.queue, visibility_timeout=max(30, VISIBILITY_TIMEOUTS * int(function.timeout) + window))
        local.map(local.queue(trigger.queue), function, **_mapping_settings(trigger))


def _wire_streams(local: LocalLambda, function: Function, triggers: list[KinesisTrigger]) -> None:
    for trigger in triggers:
        assert trigger.stream is not None
        local.map(local.stream(trigger.stream), function, **_mapping_settings(trigger))


def _wire_tables(local: LocalLambda, function: Function, triggers: list[DynamoDbTrigger]) -> None:
    """One mapping a table: handlers of its different changes share it, with the settings of the first of them."""
    for table in dict.fromkeys(trigger.table for trigger in triggers):
        assert table is not None
        ours = [trigger for trigger in triggers if trigger.table == table]
        wanted = [change for change in CHANGES if any(change in trigger.events for trigger in ours)]
        settings = _mapping_settings(ours[0])
        if len(wanted) < len(CHANGES):
            settings.setdefault("filter_criteria", [{"eventName": wanted}])
        local.map(local.table(table), function, **settings)


def _mapping_settings(trigger: Any) -> dict[str, Any]:
    """A trigger's settings, as its mapping has them; lambdakit always answers which records failed."""
    settings = {name: value for name, value in trigger.settings().items() if name not in _OURS}
    return {**settings, "function_response_types": "ReportBatchItemFailures"}


def _wire_topics(local: LocalLambda, function: Function, triggers: list[SnsTrigger]) -> None:
    for trigger in triggers:
        assert trigger.topic is not None
        letters = None if trigger.redrive_policy is None else local.queue(trigger.redrive_policy)
        local.topic(trigger.topic).subscribe(
            function,
            trigger.filter_policy,
            cast("Any", trigger.filter_policy_scope),
            dead_letter_queue=letters,
        )


def _wire_buses(local: LocalLambda, function: Function, triggers: list[EventBridgeTrigger]) -> None:
    for number, trigger in enumerate(triggers, 1):
        name = trigger.name or f"{function.name}-{number}"
        letters = None if trigger.dead_letter_queue is None else local.queue(trigger.dead_letter_queue)
        local.bus(trigger.bus or "default").rule(
            name, trigger.pattern, function, enabled=trigger.enabled, dead_letter_queue=letters
        )


def _wire_schedules(local: LocalLambda, function: Function, triggers: Iterable[ScheduleTrigger]) -> None:
    for trigger in triggers:
        local.schedules[trigger.name] = ScheduleSource.of_trigger(trigger, function, local.place)


_WIRES: dict[str, Callable[[LocalLambda, Function, Any], None]] = {
    "s3": _wire_s3,
    "s3-eventbridge": _wire_s3_events,
    "sqs": _wire_sqs,
    "kinesis": _wire_streams,
    "dynamodb": _wire_tables,
    "sns": _wire_topics,
    "eventbridge": _wire_buses,
    "schedule": _wire_schedules,
}
