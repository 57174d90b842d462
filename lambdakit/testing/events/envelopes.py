"""Events that come through a topic, a queue or both."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from lambdakit.testing.events.sns_messages import notification, sns
from lambdakit.testing.events.sqs_messages import sqs
from lambdakit.testing.events.values import Event, arn


def steps(via: str | Sequence[str]) -> list[tuple[str, str]]:
    """The kind and the name of each envelope, from the sender outwards: of ``"sns:alerts,sqs"``, or a list of such."""
    given = via.split(",") if isinstance(via, str) else via
    return [(kind, name) for kind, _, name in (step.strip().partition(":") for step in given if step)]


def delivered(
    contents: Sequence[Any],
    envelopes: Sequence[tuple[str, str]],
    *,
    time: datetime,
    region: str,
    account: str,
    subject: str | None = None,
) -> Event:
    """The event of the outermost envelope, in which each of the contents comes by itself.

    Raises:
        ValueError: there is no such envelope, or none that can have another around it.
    """
    *inner, (kind, name) = envelopes
    for number, (inner_kind, inner_name) in enumerate(inner):
        _check(inner_kind, ("sns",), f"another envelope around it, as {envelopes[number + 1][0]!r} would be")
        topic = arn("sns", inner_name or "notifications", region, account)
        contents = [
            notification(topic, each, position, subject=subject, time=time).document()
            for position, each in enumerate(contents)
        ]
    _check(kind, ("sns", "sqs"), "a function to deliver to")
    if kind == "sqs":
        return sqs(name or "notifications", *contents, time=time, region=region, account=account)
    return sns(name or "notifications", *contents, subject=subject, time=time, region=region, account=account)


def _check(kind: str, possible: Sequence[str], role: str) -> None:
    if kind not in possible:
        raise ValueError(f"of the envelopes in via, {' or '.join(map(repr, possible))} can have {role}, not {kind!r}")
