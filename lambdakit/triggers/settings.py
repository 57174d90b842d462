"""The checks that triggers share: names, ranges, choices. Each raises a ValueError that says what would be right."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def check_name(decorator: str, name: object, what: str) -> None:
    """A resource's name is text or None; a function in its place means that the parentheses were forgotten."""
    if callable(name):
        raise TypeError(f"write @{decorator}() with its parentheses")
    if name is not None and (not isinstance(name, str) or not name):
        raise ValueError(f"{decorator} takes the {what} as text, not {name!r}")


def check_range(setting: str, value: object, lowest: int, highest: int, unit: str = "") -> None:
    """A whole number within AWS's limits, or None."""
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise ValueError(f"{setting} is {lowest} to {highest}{unit and ' ' + unit}, not {value!r}")


def check_choice(setting: str, value: object, values: Iterable[str]) -> None:
    """One of AWS's values."""
    choices = list(values)
    if value not in choices:
        from difflib import get_close_matches

        close = get_close_matches(str(value), choices, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"{setting} is one of {', '.join(map(repr, choices))}, not {value!r}{meant}")


def check_arn(setting: str, value: object) -> None:
    """A resource's name or its ARN, or None."""
    if value is None:
        return
    if not isinstance(value, str) or not value or (value.startswith("arn:") and value.count(":") < 5):
        raise ValueError(f"{setting} is a name or an ARN (arn:aws:sqs:region:account:name), not {value!r}")


def as_tuple(value: str | Iterable[str]) -> tuple[str, ...]:
    """One text or several as a tuple."""
    return (value,) if isinstance(value, str) else tuple(value)


Patterns = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


def filter_patterns(value: Patterns) -> tuple[Mapping[str, Any], ...]:
    """A mapping's filter criteria, compiled once to see that they are right.

    Raises:
        ValueError: there are more than 10, or Lambda would reject one.
    """
    if value is None:
        return ()
    patterns = (value,) if isinstance(value, Mapping) else tuple(value)
    if len(patterns) > 10:
        raise ValueError(f"filter_criteria holds at most 10 patterns (5 without a raised quota), not {len(patterns)}")
    if patterns:
        from lambdakit.patterns import FilterPattern

        for pattern in patterns:
            FilterPattern(pattern)
    return patterns


def same_name(given: str | None, name: str, arn: str) -> bool:
    """Whether a trigger's name or ARN means that resource; None means any."""
    return given is None or given == (arn if given.startswith("arn:") else name)
