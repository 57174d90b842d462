"""Events of an EventBridge bus.

Source: https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from lambdakit.testing.events.payload_examples import overlaid, payload_for
from lambdakit.testing.events.sources import Source, trigger_of
from lambdakit.testing.events.values import ACCOUNT, REGION, TIME, Event, iso, names, plain, present, uuid


def eventbridge(
    source: Source = "shop",
    detail_type: str | None = None,
    detail: Any = None,
    *,
    resources: Sequence[str] | None = None,
    via: str | Sequence[str] | None = None,
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """An event of a bus.

    For a handler the event is one that its pattern takes; what is given besides takes the place of what is made up.

    Args:
        source: Who sent it, or the handler that takes it.
        detail_type: What happened.
        detail: What is told of it: a dict, a model or any other JSON value; by default something that fits.
        resources: The ARNs of what it is about.
        via: ``"sqs"``, ``"sns"`` or ``("sns", "sqs")``, where a queue or topic is the rule's target; each may be named,
            as in ``"sqs:inbox"``.
        time: When it happened.
        region: The bus's region.
        account: The sender's account.

    Raises:
        ValueError: no event is found that the handler's pattern takes.

    >>> eventbridge("shop", "Order placed", {"id": "1"})["detail-type"]
    'Order placed'
    """
    trigger = trigger_of(source, "eventbridge")
    fitting = _fitting(trigger)
    wanted = fitting.pop("detail", {})
    told = payload_for(source, trigger, wanted) if detail is None else overlaid(wanted, plain(detail))
    given = present(source=None if trigger else source, resources=resources) | {"detail": plain(told)}
    event: Event = {
        "version": "0",
        "id": uuid("event", detail_type, given, iso(time)),
        "detail-type": "Order placed",
        "source": "shop",
        "account": account,
        "time": iso(time),
        "region": region,
        "resources": [],
        **fitting,
        **({"detail-type": detail_type} if detail_type else {}),
        **given,
    }
    envelopes = via if via is not None else trigger.via if trigger else ()
    if not envelopes:
        return event
    from lambdakit.testing.events.envelopes import delivered, steps

    return delivered([event], steps(envelopes), time=time, region=region, account=account)


def _fitting(trigger: Any) -> Event:
    """The fields that the trigger's pattern names."""
    if trigger is None or trigger.pattern is None:
        return {}
    from lambdakit.testing.events.pattern_examples import example_of_pattern

    fitting = example_of_pattern(trigger.pattern)
    if "resources" in fitting:
        fitting["resources"] = [*names(fitting["resources"])]
    return fitting
