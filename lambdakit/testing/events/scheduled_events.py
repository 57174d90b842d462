"""What schedules send: those of EventBridge Scheduler, and rules of EventBridge that have a schedule.

Source: https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets-templated.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from lambdakit.testing.events.sources import Source, trigger_of
from lambdakit.testing.events.values import ACCOUNT, REGION, TIME, Event, iso, milliseconds, plain, text_of, uuid


def schedule(
    name: Source = "nightly",
    *,
    input: Any = None,  # noqa: A002 - AWS's own name
    scheduler: bool = False,
    group: str = "default",
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """One firing of a schedule.

    Args:
        name: The name of the rule or the schedule, or the handler that it runs.
        input: What the schedule hands over; by default what the handler's trigger says, or nothing.
        scheduler: Whether it is a schedule of EventBridge Scheduler, which sends its detail as JSON text, or a rule.
        group: The schedule's group, for Scheduler.
        time: When it was due.
        region: The schedule's region.
        account: The schedule's account.

    >>> schedule("nightly")["resources"]
    ['arn:aws:events:us-east-1:123456789012:rule/nightly']
    >>> schedule("nightly", input={"full": True}, scheduler=True)["detail"]
    '{"full":true}'
    """
    trigger = trigger_of(name, "schedule")
    own_name = (trigger.name or "nightly") if trigger else str(name)
    handed = input if input is not None or trigger is None else trigger.input
    detail = {} if handed is None else plain(handed)
    place = f"scheduler:{region}:{account}:schedule/{group}" if scheduler else f"events:{region}:{account}:rule"
    return {
        "version": "0",
        "id": uuid("firing", place, own_name, milliseconds(time)),
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler" if scheduler else "aws.events",
        "account": account,
        "time": iso(time),
        "region": region,
        "resources": [f"arn:aws:{place}/{own_name}"],
        "detail": text_of(detail) if scheduler else detail,
    }
