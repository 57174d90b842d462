"""Filter policies of SNS subscriptions: an event pattern that looks at a message's attributes or its body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NoReturn, cast

from pydantic_core import from_json

from lambdakit.local.sources.source import SourceError
from lambdakit.operators import BUS_OPERATORS, COMPARISONS, FILTER_OPERATORS, Build, Json, Path, Test
from lambdakit.patterns import EventPattern

if TYPE_CHECKING:
    from lambdakit.local.sources.outlet import MessageAttributes

FilterPolicyScope = Literal["MessageAttributes", "MessageBody"]

_OR = "$or"
_MOST_KEYS = 5
_MOST_COMBINATIONS = 150


def _exists(operand: Json, path: Path) -> Test:
    """``exists: true`` wants a value that says something."""
    test = BUS_OPERATORS["exists"](operand, path)
    return (lambda value: value is not None and value != "") if operand else test


class FilterPolicy(EventPattern):
    """A compiled filter policy. It is an ``EventPattern`` with SNS's own rules.

    - Among attributes it sees strings, numbers and, an element at a time, ``String.Array``; it does not see
      ``Binary``. A string with quotes or backslashes has to escape them as JSON does, or is not seen either.
    - A message without attributes is not taken, not even by ``exists: false``; of the body, only a JSON object can be.
    - ``exists: true`` takes neither null nor the empty string; ``prefix`` and ``suffix`` take a string;
      ``anything-but`` takes values, or one ``prefix``, ``suffix`` or ``wildcard``.
    - A policy on attributes does not nest. There are at most five keys, and 150 combinations of their values, each
      number of values times its depth.

    Two rules of SNS are not repeated here: what it finds too complex in wildcards, and that a ``$or`` which is none
    counts as a key (here it is refused).

    Args:
        policy: The policy.
        scope: What it looks at.

    Raises:
        SourceError: SNS would refuse it.

    Source: https://docs.aws.amazon.com/sns/latest/dg/sns-subscription-filter-policies.html

    >>> policy = FilterPolicy({"price": [{"numeric": [">", 100]}]})
    >>> policy.takes("", {"price": {"DataType": "Number", "StringValue": "250"}})
    True
    """

    __slots__ = ("scope",)

    _noun: ClassVar[str] = "filter policy"
    _operators: ClassVar[dict[str, Build]] = {
        **BUS_OPERATORS,
        "prefix": FILTER_OPERATORS["prefix"],
        "suffix": FILTER_OPERATORS["suffix"],
        "exists": _exists,
    }

    def __init__(self, policy: Mapping[str, Any], scope: FilterPolicyScope = "MessageAttributes") -> None:
        if scope not in ("MessageAttributes", "MessageBody"):
            problem = f"FilterPolicyScope: Invalid value [{scope}]. Please use either MessageBody or MessageAttributes"
            raise SourceError("InvalidParameter", f"Invalid parameter: Attributes Reason: {problem}")
        self.scope = scope
        rules = [*_rules(policy)]
        if scope == "MessageAttributes" and any(depth > 1 for _, depth in rules):
            problem = "Filter policy scope MessageAttributes does not support nested filter policy"
            raise SourceError("InvalidParameter", f"Invalid parameter: Attributes Reason: {problem}")
        if len(rules) > _MOST_KEYS:
            _fail(f"Filter policy can not have more than {_MOST_KEYS} keys")
        if _combinations(policy) > _MOST_COMBINATIONS:
            _fail("Filter policy is too complex")
        for values, _ in rules:
            for value in values:
                _check_value(value)
        try:
            super().__init__(policy)
        except ValueError as error:
            _fail(str(error))

    def takes(self, message: str, attributes: MessageAttributes) -> bool:
        """Whether a message with these attributes is delivered."""
        if self.scope == "MessageBody":
            body = _parsed(message)
            return isinstance(body, dict) and self.matches(body)
        seen = _seen(attributes)
        return bool(seen) and self.matches(seen)


# What the policy sees.


def _seen(attributes: MessageAttributes) -> dict[str, Any]:
    values = {name: _value(attribute) for name, attribute in attributes.items()}
    return {name: value for name, value in values.items() if value is not None}


def _value(attribute: Mapping[str, Any]) -> Any:
    """The value of an attribute as in JSON; None where the policy does not see it."""
    kind, text = attribute["DataType"], attribute.get("StringValue")
    if text is None:
        return None
    if kind == "String.Array":
        values = _parsed(text)
        return values if isinstance(values, list) else None
    if kind.startswith("Number"):
        return float(text)
    return _parsed(f'"{text}"') if '"' in text or "\\" in text else text


def _parsed(text: str) -> Any:
    try:
        return from_json(text)
    except ValueError:
        return None


# What SNS refuses, in its words.


def _fail(problem: str) -> NoReturn:
    raise SourceError("InvalidParameter", f"Invalid parameter: Attributes Reason: FilterPolicy: {problem}") from None


def _rules(policy: Mapping[str, Any], depth: int = 1) -> Iterator[tuple[Sequence[Any], int]]:
    """The values that each key lists, and how deep it lies."""
    for key, value in policy.items():
        if isinstance(value, Mapping):
            yield from _rules(cast("Mapping[str, Any]", value), depth + 1)
        elif not isinstance(value, list | tuple):
            _fail(f'"{key}" must be an object or an array')
        elif not value:
            _fail("Empty arrays are not allowed")
        elif _is_choice(key, value):
            for choice in value:
                yield from _rules(choice, depth)
        else:
            yield value, depth


def _combinations(policy: Mapping[str, Any], depth: int = 1) -> int:
    return prod(
        _combinations(value, depth + 1)
        if isinstance(value, Mapping)
        else sum(_combinations(choice, depth) for choice in value)
        if _is_choice(key, value)
        else len(value) * depth
        for key, value in policy.items()
    )


def _is_choice(key: str, value: Sequence[Any]) -> bool:
    return key == _OR and all(isinstance(choice, Mapping) for choice in value)


def _check_value(value: Any) -> None:
    if isinstance(value, Mapping):
        if len(value) != 1:
            _fail("Only one key allowed in match expression")
        [(operator, operand)] = value.items()
        _check_operator(str(operator), operand)
    elif not (value is None or isinstance(value, str | int | float)):
        _fail("Match value must be String, number, true, false, or null")


def _check_operator(operator: str, operand: Any) -> None:
    if operator not in BUS_OPERATORS:
        _fail(f"Unrecognized match type {operator}")
    if operator in _OF_STRINGS and not isinstance(operand, str):
        _fail(f"{operator} match pattern must be a string")
    if operator == "exists" and not isinstance(operand, bool):
        _fail("exists match pattern must be either true or false.")
    if operator == "numeric":
        _check_numeric(operand)
    if operator == "anything-but" and isinstance(operand, Mapping):
        for inner, text in operand.items():
            if inner not in ("prefix", "suffix", "wildcard"):
                _fail(f"Unsupported anything-but pattern: {inner}")
            _check_operator(inner, text)


_OF_STRINGS = ("prefix", "suffix", "wildcard", "equals-ignore-case", "cidr")


def _check_numeric(operand: Any) -> None:
    if not isinstance(operand, list | tuple):
        _fail("Value of numeric must be an array.")
    terms: list[Any] = [*operand, *[None] * (2 - len(operand))]
    sign, number, *upper = terms
    if not isinstance(sign, str):
        _fail(f"Invalid member in numeric match: {sign if operand else ']'}")
    if sign not in COMPARISONS:
        _fail(f"Unrecognized numeric range operator: {sign}")
    if not _is_number(number):
        _fail(f"Value of {'equals' if sign == '=' else sign} must be numeric")
    if upper and sign not in (">", ">="):
        _fail("Too many elements in numeric expression")
    if upper:
        _check_upper_bound(number, *upper)


def _check_upper_bound(number: float, sign: Any, limit: Any = None, *more: Any) -> None:
    if not isinstance(sign, str):
        _fail(f"Bad value in numeric range: {sign}")
    if sign not in ("<", "<="):
        _fail(f"Bad numeric range operator: {sign}")
    if not _is_number(limit):
        _fail(f"Value of {sign} must be numeric")
    if limit <= number:
        _fail("Bottom must be less than top")
    if more:
        _fail("Too many terms in numeric range expression")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
