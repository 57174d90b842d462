"""Payloads that travel inside a field: JSON in a message body, base64 in a Kinesis record.

Each marker goes into an annotation, as in ``body: Annotated[Body, Text()]``. ``str`` and ``bytes`` are taken as they
come, any other type is read from JSON. A value that is no text is taken for the payload itself, so that a unit test
can write ``SqsRecord[Order](message_id="1", body=Order(...))``.
"""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING, Annotated, Any, NewType, TypeVar, get_args, get_origin

from pydantic import BaseModel, GetCoreSchemaHandler, ValidationError
from pydantic_core import core_schema, from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic.plugin._schema_validator import PluggableSchemaValidator
    from pydantic_core import SchemaValidator


def plain_type(annotation: Any) -> Any:
    """The type below Annotated, NewType, ``type`` aliases and a TypeVar's default."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif isinstance(annotation, NewType):
            annotation = annotation.__supertype__
        elif isinstance(annotation, TypeVar):
            annotation = getattr(annotation, "__default__", Any)
        elif hasattr(annotation, "__value__"):  # TypeAliasType, of typing and of typing_extensions
            annotation = annotation.__value__
        else:
            return annotation


def decode_base64(value: Any) -> Any:
    """Bytes of base64 text; anything else as it is."""
    return b64decode(value, validate=True) if isinstance(value, str) else value


def json_text(value: Any) -> Any:
    """The JSON text of a value that is not text yet."""
    return value if isinstance(value, str | bytes | bytearray) else to_json(value)


class Text:
    """A field that holds text; JSON where the type is neither str nor bytes."""

    decode = staticmethod(lambda value: value)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        inner = handler(source)
        decode = self.decode
        if plain_type(source) in (str, bytes):
            return core_schema.no_info_before_validator_function(decode, inner)
        return core_schema.no_info_before_validator_function(
            lambda value: json_text(decode(value)), core_schema.json_schema(inner)
        )


class Base64(Text):
    """A field that holds base64 of bytes; JSON in them where the type is neither str nor bytes."""

    decode = staticmethod(decode_base64)


class Value:
    """A field that holds a JSON value, or (EventBridge Scheduler) the text of one."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        inner = handler(source)
        if plain_type(source) is str:
            return inner
        return core_schema.no_info_before_validator_function(json_text, core_schema.json_schema(inner))


def text_reader(annotation: Any) -> Callable[[Any], Any]:
    """What reads a payload of that type from text."""
    return _reader(annotation, lambda value: value)


def base64_reader(annotation: Any) -> Callable[[Any], Any]:
    """What reads a payload of that type from base64."""
    return _reader(annotation, decode_base64)


def _reader(annotation: Any, decode: Callable[[Any], Any]) -> Callable[[Any], Any]:
    validator = _validator(annotation)
    text = plain_type(annotation) in (str, bytes)
    validate: Callable[[Any], Any] = validator.validate_python if text else validator.validate_json
    return validate if decode is not decode_base64 else lambda value: validate(decode(value))


def value_reader(annotation: Any) -> Callable[[Any], Any]:
    """What reads a payload of that type from a value that came out of JSON.

    A model in strict mode takes a date from JSON's text but not from Python's, so a value that does not fit is read
    once more as JSON before it is refused.
    """
    validator = _validator(annotation)

    def read(value: Any) -> Any:
        try:
            return validator.validate_python(value)
        except ValidationError as error:
            try:
                return validator.validate_json(to_json(value))
            except ValidationError:
                raise error from None

    return read


def detail_reader(annotation: Any) -> Callable[[Any], Any]:
    """What reads a payload of that type from an EventBridge detail, which Scheduler sends as JSON text."""
    read = value_reader(annotation)
    if plain_type(annotation) is str:
        return read
    return lambda value: read(from_json(value) if isinstance(value, str) else value)


def _validator(annotation: Any) -> SchemaValidator | PluggableSchemaValidator:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not annotation.__pydantic_complete__:
            annotation.model_rebuild()
        return annotation.__pydantic_validator__
    from pydantic import TypeAdapter  # a load of its own, which models do without

    return TypeAdapter(annotation).validator
