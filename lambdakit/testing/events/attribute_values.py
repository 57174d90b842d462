"""Python values as DynamoDB's attribute values.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

if TYPE_CHECKING:
    from lambdakit.testing.events.values import Event


def typed_item(item: Any) -> Event:
    """An item (a dict, a model, a dataclass) as an image of it.

    Raises:
        ValueError: it is no item, or DynamoDB has no such value.
    """
    members = _members(item)
    if members is None:
        raise ValueError(f"an image is a dict or a model of an item, not {item!r}")
    return {name: typed_value(value) for name, value in members.items()}


def typed_value(value: Any) -> Event:
    """One value with its type; dates, enums and the like as the text or number that JSON has for them.

    Raises:
        ValueError: DynamoDB has no such value.

    >>> typed_value({"tags": {"b", "a"}, "total": Decimal("9.99"), "raw": b"x"})
    {'M': {'tags': {'SS': ['a', 'b']}, 'total': {'N': '9.99'}, 'raw': {'B': 'eA=='}}}
    """
    if value is None or isinstance(value, bool):
        return {"NULL": True} if value is None else {"BOOL": value}
    if type(value) in (str, int, float, Decimal, bytes, bytearray):
        return _scalar(value)
    if isinstance(value, AbstractSet):
        return _set(value)
    if isinstance(value, list | tuple):
        return {"L": [typed_value(member) for member in value]}
    members = _members(value)
    if members is not None:
        return {"M": {str(name): typed_value(member) for name, member in members.items()}}
    return typed_value(to_jsonable_python(value))


def _members(value: Any) -> Mapping[str, Any] | None:
    if isinstance(value, Mapping):
        return value
    if hasattr(value, "model_dump"):
        dumped: Mapping[str, Any] = value.model_dump(by_alias=True)
        return dumped
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    return None


def _scalar(value: Any) -> Event:
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bytes | bytearray):
        return {"B": b64encode(value).decode()}
    if not isfinite(value):
        raise ValueError(f"DynamoDB has no number {value}")
    return {"N": str(value)}


def _set(values: AbstractSet[Any]) -> Event:
    """A set of texts, of numbers or of bytes, in an order that does not change."""
    members = [typed_value(value) for value in values]
    kinds = {kind for member in members for kind in member}
    if len(kinds) != 1 or not kinds < {"S", "N", "B"}:
        raise ValueError(f"a set has members in DynamoDB, all texts, all numbers or all bytes, unlike {values!r}")
    [kind] = kinds
    return {f"{kind}S": sorted(member[kind] for member in members)}
