"""Python values as a table stores them: as boto3 takes them, in DynamoDB's types and by its measure.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any

from lambdakit.local.sources.source import SourceError
from lambdakit.testing.events.attribute_values import typed_value

Attribute = dict[str, Any]
"""An attribute value: one type with a value, as in ``{"S": "text"}``."""
Item = dict[str, Attribute]

MAX_ITEM_BYTES = 400 * 1024
MAX_DIGITS = 38


def typed(item: Mapping[str, Any]) -> Item:
    """An item as it is stored.

    Raises:
        TypeError: a value is a float, or of a type that boto3 does not take.
        SourceError: ``ValidationException``: a number has too many digits.
    """
    return {name: attribute(value) for name, value in item.items()}


def check_size(item: Item) -> None:
    """Refuse an item that is too large.

    Raises:
        SourceError: ``ValidationException``.
    """
    if size_of(item) > MAX_ITEM_BYTES:
        raise SourceError("ValidationException", "Item size has exceeded the maximum allowed size")


def attribute(value: Any) -> Attribute:
    """One value with its type.

    Raises:
        TypeError, SourceError: as for ``typed``.

    >>> attribute({"total": Decimal("10.50"), "tags": {"b", "a"}})
    {'M': {'total': {'N': '10.5'}, 'tags': {'SS': ['a', 'b']}}}
    """
    if value is None or isinstance(value, bool | str | bytes | bytearray):
        return typed_value(value)
    if isinstance(value, int | float | Decimal):
        return {"N": _number(value)}
    if isinstance(value, Mapping):
        return {"M": {name: attribute(member) for name, member in value.items()}}
    if isinstance(value, list | tuple):
        return {"L": [attribute(member) for member in value]}
    if isinstance(value, AbstractSet):
        return _set(value)
    raise TypeError(f'Unsupported type "{type(value)}" for value "{value}"')


def _set(values: AbstractSet[Any]) -> Attribute:
    if not values:
        raise SourceError("ValidationException", "One or more parameter values were invalid: A set may not be empty")
    members = [attribute(value) for value in values]
    kinds = {kind for member in members for kind in member}
    if kinds not in ({"S"}, {"N"}, {"B"}):
        raise TypeError(f'Unsupported type "{type(values)}" for value "{values}"')
    [kind] = kinds
    return {f"{kind}S": sorted(member[kind] for member in members)}


def _number(value: float | Decimal) -> str:
    """A number in DynamoDB's way of writing it: no exponent, no zeros that say nothing."""
    if isinstance(value, float):
        raise TypeError("Float types are not supported. Use Decimal types instead.")
    number = Decimal(value)
    if not number.is_finite():
        raise TypeError("Infinity and NaN not supported")
    if len(_significant(number)) > MAX_DIGITS:
        raise SourceError("ValidationException", "Attempting to store more than 38 significant digits in a Number")
    text = f"{number:f}"
    text = text.rstrip("0").removesuffix(".") if "." in text else text
    return "0" if text == "-0" else text


def _significant(number: Decimal) -> str:
    """Its digits without the zeros around them."""
    return "".join(map(str, number.as_tuple().digits)).strip("0")


def size_of(item: Item) -> int:
    """How many bytes an item or a key counts for: its names and its values.

    Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Attribute) -> int:
    [(kind, content)] = value.items()
    if kind == "M":
        return 3 + len(content) + size_of(content)
    if kind == "L":
        return 3 + len(content) + sum(map(_size, content))
    if kind in ("SS", "NS", "BS"):
        return sum(_size({kind[0]: member}) for member in content)
    return _scalar_size(kind, content)


def _scalar_size(kind: str, content: Any) -> int:
    """A number takes a byte for every two digits, and one beside."""
    if kind in ("S", "B"):
        return len(str(content).encode() if kind == "S" else b64decode(content))
    if kind == "N":
        number = Decimal(content)
        return 1 + (len(_significant(number)) + 1) // 2 + number.is_signed()
    return 1
