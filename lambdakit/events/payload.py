"""Payloads that travel inside a field: JSON in a message body, base64 in a Kinesis record.

Each marker goes into an annotation, as in ``body: Annotated[Body, Text()]``. ``str`` and ``bytes`` are taken as they
come, any other type is read from JSON, or from the text itself where that is no JSON of it and the type takes text, as
an enum or a UUID does. A value that is no text is taken for the payload itself, so that a unit test can write
``SqsRecord[Order](message_id="1", body=Order(...))``.
"""

from __future__ import annotations

from base64 import b64decode
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import GetCoreSchemaHandler, ValidationError
from pydantic_core import core_schema, to_json

from lambdakit.signature import members_of, plain_type
from lambdakit.validators import validator_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdakit.validators import Validator

    Read = Callable[[Any], Any]


def decode_base64(value: Any) -> Any:
    """Bytes of base64 text; anything else as it is."""
    return b64decode(value, validate=True) if isinstance(value, str) else value


def _as_it_is(value: Any) -> Any:
    return value


def _is_text(annotation: Any) -> bool:
    return all(plain_type(member) in (str, bytes) for member in members_of(annotation))


def _from_text(text: Any, as_json: Read, as_value: Read) -> Any:
    try:
        return as_json(text)
    except ValidationError as error:
        return _not_json(text, as_value, error)


def _not_json(text: Any, as_value: Read, error: ValidationError) -> Any:
    """A value that is written as it is, such as a date or an enum's; else the text was to be JSON, and is not."""
    try:
        return as_value(text.decode() if isinstance(text, bytes) else text)
    except (ValidationError, UnicodeDecodeError):
        raise error from None


def _from_value(value: Any, as_json: Read, as_value: Read) -> Any:
    """A model in strict mode takes a date from JSON's text but not from Python's, so JSON is the second try."""
    try:
        return as_value(value)
    except ValidationError as error:
        try:
            return as_json(to_json(value))
        except ValidationError as of_json:
            raise min(error, of_json, key=ValidationError.error_count) from None
        except ValueError:  # a value that JSON does not have
            raise error from None


class Text:
    """A field that holds text."""

    decode = staticmethod(_as_it_is)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        inner, decode = handler(source), self.decode
        if _is_text(source):
            return core_schema.no_info_before_validator_function(decode, inner)
        validator = _later(source)

        def read(value: Any, as_json: Read) -> Any:
            value = decode(value)
            if isinstance(value, str | bytes):
                return _from_text(value, as_json, lambda text: validator().validate_python(text))
            return validator().validate_python(value)

        return core_schema.no_info_wrap_validator_function(read, core_schema.json_schema(inner))


class Base64(Text):
    """A field that holds base64 of bytes."""

    decode = staticmethod(decode_base64)


class Value:
    """A field that holds a JSON value, or (EventBridge Scheduler) the text of one."""

    decode = staticmethod(_as_it_is)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        decode, text, validator = self.decode, _is_text(source), _later(source)

        def read(value: Any, as_value: Read) -> Any:
            read = _from_text if isinstance(value, str) and not text else _from_value
            return read(decode(value), lambda json: validator().validate_json(json), as_value)

        return core_schema.no_info_wrap_validator_function(read, handler(source))


def text_reader(annotation: Any) -> Read:
    """What reads a payload of that type from text."""
    validator = validator_of(annotation)
    as_json, as_value = validator.validate_json, validator.validate_python

    def read(text: Any) -> Any:
        try:
            return as_json(text)
        except ValidationError as error:
            return _not_json(text, as_value, error)

    return as_value if _is_text(annotation) else read


def base64_reader(annotation: Any) -> Read:
    """What reads a payload of that type from base64."""
    read = text_reader(annotation)
    return lambda value: read(decode_base64(value))


def value_reader(annotation: Any) -> Read:
    """What reads a payload of that type from a value that came out of JSON."""
    validator = validator_of(annotation)
    return lambda value: _from_value(value, validator.validate_json, validator.validate_python)


def detail_reader(annotation: Any) -> Read:
    """What reads a payload of that type from an EventBridge detail, which Scheduler sends as JSON text."""
    from_value, from_text = value_reader(annotation), text_reader(annotation)
    return lambda value: (from_text if isinstance(value, str) else from_value)(value)


def _later(source: Any) -> Callable[[], Validator]:
    """A second validator of a field's type, made when a value comes that the field's own is not for."""
    return cache(lambda: validator_of(plain_type(source) if isinstance(source, TypeVar) else source))
