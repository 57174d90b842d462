"""The checks that triggers share: names, ranges, choices. Each raises a ValueError that says what would be right."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

_NAME = r"[A-Za-z0-9_.-]+"
_MANY = 8  # choices that nobody wants to read through where a close one is known
_PATH = r"[A-Za-z0-9_./-]+"


def check_name(decorator: str, name: object, what: str, service: str) -> None:
    """A resource's name, its ARN or None; a function in its place means that the parentheses were forgotten."""
    if callable(name):
        raise TypeError(f"write @{decorator}() with its parentheses")
    if name is None:
        return
    if not isinstance(name, str) or not name:
        raise ValueError(f"{decorator} takes the {what} as text, not {name!r}")
    if name.startswith("arn:"):
        if name.count(":") < 5 or name.split(":")[2] != service:
            raise ValueError(f"{decorator} takes an ARN of {service} (arn:aws:{service}:...), not {name!r}")
    elif not re.fullmatch(_NAME, name):
        raise ValueError(f"a {what} has letters, digits, '-', '_' and '.', not {name!r}")


def check_range(
    setting: str, value: object, lowest: int, highest: int, unit: str = "", *, optional: bool = False
) -> None:
    """A whole number within AWS's limits."""
    if value is None and optional:
        return
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise ValueError(f"{setting} is {lowest:,} to {highest:,}{unit and ' ' + unit}, not {value!r}")


def check_choice(setting: str, value: object, values: Iterable[str]) -> None:
    """One of AWS's values."""
    choices = list(values)
    if value in choices:
        return
    from difflib import get_close_matches

    close = get_close_matches(str(value), choices, n=1)
    meant = f"; did you mean {close[0]!r}?" if close else ""
    known = f"one of {', '.join(map(repr, choices))}, " if not (close and len(choices) > _MANY) else ""
    raise ValueError(f"{setting} is {known}not {value!r}{meant}")


def check_flag(setting: str, value: object) -> None:
    """True or False."""
    if not isinstance(value, bool):
        raise ValueError(f"{setting} is True or False, not {value!r}")


def check_text(setting: str, value: object, longest: int) -> None:
    """A text, or None."""
    if value is not None and not (isinstance(value, str) and len(value) <= longest):
        given = f"{len(value):,}" if isinstance(value, str) else repr(value)
        raise ValueError(f"{setting} is text of at most {longest:,} characters, not {given}")


def check_rule_name(value: object) -> None:
    """The name of an EventBridge rule or a schedule."""
    if not (isinstance(value, str) and re.fullmatch(r"[.\-_A-Za-z0-9]{1,64}", value)):
        raise ValueError(f"a schedule's or rule's name has 1 to 64 letters, digits, '.', '-' and '_', not {value!r}")


def check_time(setting: str, value: object) -> None:
    """A point in time, or None."""
    if value is None:
        return
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError(f"{setting} is a datetime with its time zone (tzinfo=UTC), not {value!r}")


def check_arn(setting: str, value: object) -> None:
    """A resource's name or its ARN, or None."""
    if value is None:
        return
    arn = isinstance(value, str) and value.startswith("arn:")
    if not isinstance(value, str) or (value.count(":") < 5 if arn else not re.fullmatch(_PATH, value)):
        raise ValueError(f"{setting} is a name or an ARN (arn:aws:sqs:region:account:name), not {value!r}")


def check_via(via: Sequence[str], path: Sequence[str]) -> None:
    """The envelopes on the way from the source to the function, in the order in which AWS can chain them."""
    if list(via) != [envelope for envelope in path if envelope in via]:
        words = f"one of {', '.join(map(repr, path))}, or some of them in that order" if len(path) > 1 else repr(*path)
        raise ValueError(f"via is {words}, not {via[0] if len(via) == 1 else tuple(via)!r}")


def as_tuple(value: object, setting: str = "it") -> tuple[str, ...]:
    """One text or several as a tuple.

    Raises:
        ValueError: it is something else.
    """
    values: tuple[Any, ...] = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
    if not all(isinstance(one, str) for one in values):
        raise ValueError(f"{setting} is a text or several in a tuple, not {value!r}")
    return values


Patterns = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None


def filter_patterns(value: Patterns) -> tuple[Mapping[str, Any], ...]:
    """A mapping's filter criteria, compiled once to see that they are right.

    Raises:
        ValueError: there are more than 10, or Lambda would reject one.
    """
    if value is None:
        return ()
    patterns: tuple[Any, ...] = tuple(value) if isinstance(value, list | tuple) else (value,)
    if not all(isinstance(pattern, Mapping) for pattern in patterns):
        raise ValueError(f"filter_criteria is a pattern as {{'body': {{'kind': ['a']}}}}, or several, not {value!r}")
    if len(patterns) > 10:
        raise ValueError(f"filter_criteria holds at most 10 patterns (5 without a raised quota), not {len(patterns)}")
    if patterns:
        from lambdakit.patterns import FilterPattern

        for pattern in patterns:
            FilterPattern(pattern)
    return patterns


def closeness(given: str | None, name: str, *arns: str) -> tuple[int] | None:
    """How closely a trigger's name or ARN means a resource: an ARN, being longer, before a name before any (None)."""
    return (len(given or ""),) if given is None or given == name or given in arns else None
