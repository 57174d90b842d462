"""Payloads of direct invocations, which are the caller's own.

Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

from typing import Any

from lambdakit.testing.events.payload_examples import PAYLOAD, payload_for
from lambdakit.testing.events.sources import trigger_of
from lambdakit.testing.events.values import Event, plain
from lambdakit.triggers.trigger import TRIGGERS, Trigger


def invoke(payload: Any = None) -> Any:
    """The payload of a direct invocation, after its way through JSON.

    Args:
        payload: A dict, a model or any other JSON value; or the handler that is invoked, for a payload that fits.

    >>> from datetime import date
    >>> invoke({"day": date(2026, 1, 1)})
    {'day': '2026-01-01'}
    """
    if isinstance(payload, Trigger) or hasattr(payload, TRIGGERS):
        return plain(payload_for(payload, trigger_of(payload, "invoke")))
    return plain(PAYLOAD if payload is None else payload)


def stepfunctions(error: str = "States.TaskFailed", cause: str = "The card was declined.") -> Event:
    """What a ``Catch`` of a state machine hands to the state that runs the function.

    Args:
        error: The name of the error.
        cause: Why it happened, in words or as JSON text.

    >>> stepfunctions(error="States.Timeout")["Error"]
    'States.Timeout'
    """
    return {"Error": error, "Cause": cause}
