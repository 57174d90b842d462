"""Where a builder takes names from: text, a function that a decorator has marked, or a trigger itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lambdakit.signature import name_of
from lambdakit.triggers.trigger import TRIGGERS, Trigger

Source = str | Trigger | Callable[..., object]
"""A resource's name or ARN, or what is triggered by it."""


def triggers_of(function: Source) -> list[Trigger]:
    """The triggers of a marked function, in the order of its decorators; a trigger by itself."""
    if isinstance(function, Trigger):
        return [function]
    return [trigger.for_function(getattr(function, "__name__", "")) for trigger in getattr(function, TRIGGERS, ())]


def trigger_of(given: Source, source: str) -> Any:
    """The trigger of a source, to take names from; None where a name was given.

    Raises:
        ValueError: it has no such trigger.
    """
    if isinstance(given, str):
        return None
    for trigger in triggers_of(given):
        if trigger.source == source:
            return trigger
    raise no_trigger(given, f"on_{source}")


def no_trigger(given: Source, wanted: str) -> ValueError:
    """That a function has not the trigger which is wanted, and what it has."""
    subject = name_of(given) if callable(given) else str(given)
    others = " and ".join(map(str, triggers_of(given))) or "no trigger at all"
    return ValueError(f"{subject} has no {wanted} to make an event for; it has {others}")
