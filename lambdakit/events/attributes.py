"""DynamoDB's attribute values as Python values, without boto3.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from decimal import Decimal
from typing import Any


def _number(text: str) -> int | Decimal:
    """An int where the text is one: exact as Decimal, and at home in JSON."""
    return int(text) if text.removeprefix("-").isdecimal() else Decimal(text)


def _binary(text: str) -> bytes:
    return b64decode(text, validate=True)


def _list(members: Any) -> list[Any]:
    if not isinstance(members, list):
        raise TypeError("not a list")
    return members


_READERS: dict[str, Callable[[Any], Any]] = {
    "S": str,
    "N": _number,
    "B": _binary,
    "BOOL": bool,
    "NULL": lambda _: None,
    "M": lambda members: {name: python_value(member) for name, member in members.items()},
    "L": lambda members: [python_value(member) for member in _list(members)],
    "SS": lambda members: set(_list(members)),
    "NS": lambda members: {_number(member) for member in _list(members)},
    "BS": lambda members: {_binary(member) for member in _list(members)},
}


def python_value(attribute: dict[str, Any]) -> Any:
    """The Python value of one attribute value.

    Raises:
        ValueError: it is not one type descriptor with a value.

    >>> python_value({"L": [{"S": "a"}, {"N": "1"}, {"N": "1.5"}]})
    ['a', 1, Decimal('1.5')]
    """
    if not _is_attribute_value(attribute):
        raise ValueError(f"not a DynamoDB attribute value, such as {{'S': 'text'}}: {type(attribute).__name__}")
    [(descriptor, value)] = attribute.items()
    try:
        return _READERS[descriptor](value)
    except (TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"not the value of a DynamoDB {descriptor!r}: {type(value).__name__}") from error


def python_item(value: Any) -> Any:
    """The Python values of an image or a key; anything else as it is, for records built in a test."""
    if isinstance(value, dict) and all(map(_is_attribute_value, value.values())):
        return {name: python_value(attribute) for name, attribute in value.items()}
    return value


def _is_attribute_value(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in _READERS
