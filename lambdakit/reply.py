"""A handler's result as JSON can hold it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

_PLAIN = (str, int, float, bool, type(None), Decimal, bytes)


def jsonable(value: Any) -> Any:
    """Models, dataclasses, dates, sets and their like as JSON; what Lambda's runtime can write stays as it is.

    Decimals stay numbers, as the runtime writes them. What can't be JSON at all stays too: the runtime then says so
    with its own ``Runtime.MarshalError``.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is dict:
        return {key if type(key) is str else _key(key): jsonable(member) for key, member in value.items()}
    if kind is list or kind is tuple:
        return [jsonable(member) for member in value]
    from pydantic_core import PydanticSerializationError, to_jsonable_python

    try:
        return to_jsonable_python(value, inf_nan_mode="constants")
    except PydanticSerializationError:
        return value


def _key(key: Any) -> Any:
    """A name as JSON can hold it; what has none stays, for the runtime to complain about."""
    if isinstance(key, str | int | float | bool | None):
        return key
    name = jsonable(key)
    return name if isinstance(name, str | int | float | bool | None) else key
