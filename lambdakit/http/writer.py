"""From what a handler returns to the reply: serialised by the handler's own annotation."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from lambdakit.http.response import Reply, Response
from lambdakit.signature import members_of, plain_type
from lambdakit.validators import validator_of

if TYPE_CHECKING:
    from pydantic_core import SchemaSerializer

JSON = "application/json"

_PLAIN = (str, bytes, None, type(None), Any, object)
"""Types that say nothing about what JSON is to look like."""


class Writer:
    """Makes the replies of a handler.

    Attributes:
        annotation: The type of what is sent as JSON; None where the handler does not say.
        status: The status of what says none itself.

    Raises:
        PydanticUserError, NameError, TypeError: Pydantic can't serialise what the annotation says.
    """

    def __init__(self, handler: str, annotation: Any, status: int | None) -> None:
        self.status = status
        written = members_of(annotation)
        members = [inner for member in written for inner in _content_of(member)]
        modelled = [member for member in members if plain_type(member) not in _PLAIN]
        self.annotation: Any = reduce(or_, modelled) if modelled else None
        self._handler = handler
        self._has_text = len(modelled) < len(members) or not modelled
        self._response_has_text = self._has_text or any(is_response(m) and not _content_of(m) for m in written)
        self._json: Callable[[Any], str] = self._modelled() if modelled else json_of

    def reply(self, value: Any) -> Reply:
        """The reply for what the handler returned.

        Raises:
            ResponseValidationError: it is not what the annotation says.
        """
        if isinstance(value, Response):
            body, media_type = self._body(value.content, self._response_has_text)
            status = value.status or self.status or (200 if media_type else 204)
            return Reply(status, value.media_type or media_type, body, headers=value.headers, cookies=value.cookies)
        body, media_type = self._body(value, self._has_text)
        return Reply(self.status or (200 if media_type else 204), media_type, body)

    def _body(self, value: Any, has_text: bool) -> tuple[str | bytes, str]:
        if value is None:
            return "", ""
        if has_text:
            if isinstance(value, bytes):
                return value, "application/octet-stream"
            if type(value) is str:
                return value, "text/plain; charset=utf-8"
        return self._json(value), JSON

    def _modelled(self) -> Callable[[Any], str]:
        """What writes a value as the annotation says: other fields than that are left out."""
        annotation = self.annotation
        is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
        kind: type = annotation if is_model else _Nothing
        validate = validator_of(annotation).validate_python
        to_json = _serializer(annotation, is_model).to_json

        def write(value: Any) -> str:
            if not isinstance(value, kind):
                try:
                    value = validate(value, from_attributes=True)
                except ValidationError as error:
                    raise self._wrong(error) from error
            return to_json(value, by_alias=True).decode()

        return write

    def _wrong(self, error: ValidationError) -> Exception:
        from lambdakit.http.errors import ResponseValidationError, problems_of

        problems = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in problems_of(error)]
        return ResponseValidationError(self._handler, [problem.removeprefix(": ") for problem in problems])


def _serializer(annotation: Any, is_model: bool) -> SchemaSerializer:
    if is_model:
        serializer: SchemaSerializer = annotation.__pydantic_serializer__
        return serializer
    from pydantic import TypeAdapter

    return TypeAdapter(annotation).serializer


class _Nothing:
    """A class that no value is of."""


def _content_of(member: Any) -> tuple[Any, ...]:
    """What is sent of a member of the annotation: of ``Response[Order]`` an Order, of a bare Response anything."""
    if not is_response(member):
        return (member,)
    arguments = get_args(plain_type(member))
    return members_of(arguments[0]) if arguments else ()


def is_response(annotation: Any) -> bool:
    """Whether it is a Response, of whatever content."""
    plain = plain_type(annotation)
    kind = get_origin(plain) or plain
    return isinstance(kind, type) and issubclass(kind, Response)


def json_of(value: Any) -> str:
    """A value as JSON, by what it is itself."""
    from pydantic_core import to_json

    return to_json(_with_numbers(value), inf_nan_mode="null").decode()


def _with_numbers(value: Any) -> Any:
    """A value whose Decimals, as DynamoDB's client returns them, are numbers: Pydantic writes them as text."""
    kind = type(value)
    if kind is Decimal:
        return int(value) if value.is_finite() and value == value.to_integral_value() else float(value)
    if kind is dict:
        return {key: _with_numbers(member) for key, member in value.items()}
    if kind is list or kind is tuple:
        return [_with_numbers(member) for member in value]
    return value
