"""Events that an event pattern lets through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from lambdakit.patterns import EventPattern

if TYPE_CHECKING:
    from lambdakit.testing.events.values import Event

_MOST = 2000
"""How many events to try, of those that take one value of each field."""

_WORDS = ("example", "another", "third", "", 0, 1, False)
"""Values to try where a pattern says only what a value must not be."""


def example_of_pattern(pattern: Mapping[str, Any], kind: type[EventPattern] = EventPattern) -> Event:
    """An event that a pattern lets through, with the fields that the pattern names.

    Raises:
        ValueError: none was found, as where conditions contradict each other.

    >>> example_of_pattern({"source": ["shop"], "detail": {"total": [{"numeric": [">=", 100]}]}})
    {'source': 'shop', 'detail': {'total': 100}}
    """
    compiled = kind(pattern)
    for event in islice(_Examples(kind).events(compiled.pattern), _MOST):
        if compiled.matches(event):
            return event
    raise ValueError(f"found no event that this pattern lets through: {compiled.text}")


class _Examples:
    """Examples of patterns of a kind: those of each field fit the field, but perhaps not each other."""

    def __init__(self, kind: type[EventPattern]) -> None:
        self._kind = kind

    def events(self, pattern: Mapping[str, Any]) -> Iterator[Event]:
        """Objects that take one of the values of each field."""
        choices = [list(islice(self._members(key, value), _MOST)) for key, value in pattern.items()]
        for chosen in product(*choices):
            event: Event = {}
            for members in chosen:
                event = merged(event, members)
            yield event

    def _members(self, key: str, condition: Any) -> Iterator[Event]:
        """What an object may have to satisfy one condition."""
        if key == "$or":
            for pattern in condition:
                yield from self.events(pattern)
            return
        first, dot, rest = key.partition(".")
        if dot:
            yield from ({first: members} for members in self._members(rest, condition))
        elif isinstance(condition, Mapping):
            yield from ({key: members} for members in self.events(condition))
        else:
            fits = self._kind({key: condition}).matches
            yield from (members for members in [*({key: value} for value in _values(condition)), {}] if fits(members))


def merged(one: Any, other: Any) -> Any:
    """What has the members of both; where both have a value, a list of them, of which a pattern takes any element."""
    if isinstance(one, dict) and isinstance(other, dict):
        common = {key: merged(one[key], other[key]) for key in one.keys() & other.keys()}
        return {**one, **other, **common}
    return one if one == other else [*_listed(one), *_listed(other)]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _values(conditions: Iterable[Any]) -> Iterator[Any]:
    for condition in conditions:
        if not isinstance(condition, Mapping):
            yield condition
            continue
        [(operator, operand)] = condition.items()
        yield from _satisfying(operator, operand)


def _satisfying(operator: str, operand: Any) -> Iterator[Any]:
    """Values that an operator may take; ``matches`` has the last word."""
    if operator in ("prefix", "suffix", "equals-ignore-case"):
        yield operand["equals-ignore-case"] if isinstance(operand, Mapping) else operand
    elif operator == "wildcard":
        yield _filled_in(operand)
    elif operator == "numeric":
        yield from _numbers(operand)
    elif operator == "cidr":
        from ipaddress import ip_network

        yield str(ip_network(operand, strict=False)[1])
    elif operator == "anything-but":
        yield from _WORDS
    elif operand:  # exists
        yield "example"


def _filled_in(wildcard: str) -> str:
    """With a word for each star, and without the backslashes that escape."""
    characters = iter(wildcard)
    return "".join(next(characters) if each == "\\" else "x" if each == "*" else each for each in characters)


def _numbers(operand: list[Any]) -> Iterator[float]:
    """Numbers at the bounds, beside them, and between."""
    bounds: list[float] = operand[1::2]
    for bound in bounds:
        yield from (bound, bound + 1, bound - 1)
    yield sum(bounds) / len(bounds)
