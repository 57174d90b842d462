"""The base of every event model."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar, Literal

from pydantic import AliasPath, BaseModel, ConfigDict, Field
from pydantic_core import from_json


class EventModel(BaseModel):
    """An event or a record of one: frozen, read from AWS's names, and built in a test from its own."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, frozen=True)

    lambdakit_source: ClassVar[str] = ""
    """The source that delivers it."""
    lambdakit_unit: ClassVar[Literal["event", "record"]] = "record"
    """Whether it is the whole event or one record of it."""


def at(name: str, *inside: str) -> Any:
    """A field that is always there, at that place of the raw record."""
    return Field(validation_alias=_path(name, inside))


def usually(name: str, *inside: str, default: Any = None) -> Any:
    """A field at that place of the raw record that may be missing."""
    return Field(default=default, validation_alias=_path(name, inside))


def _path(name: str, inside: tuple[str, ...]) -> str | AliasPath:
    return AliasPath(name, *inside) if inside else name


def last_part(arn: str | None, separator: str = ":") -> str:
    """The name at the end of an ARN, ``""`` without one."""
    return (arn or "").rpartition(separator)[2]


_ATTRIBUTE_READERS: dict[object, Callable[[str], Any]] = {
    "Binary": lambda text: b64decode(text, validate=True),
    "Number": Decimal,
    "String.Array": from_json,
}


def attribute_value(kind: object, text: Any) -> Any:
    """The Python value of a message attribute; its text where the sender's label does not fit it.

    An attribute accompanies a message: a wrong one must not make the message unreadable.
    """
    try:
        return _ATTRIBUTE_READERS[kind](text)
    except (KeyError, ValueError, TypeError, ArithmeticError):
        return text
