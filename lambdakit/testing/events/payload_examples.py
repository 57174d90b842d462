"""Payloads that a handler can read, made from the types that it asks for."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, inf
from typing import TYPE_CHECKING, Any, get_args, get_origin

if TYPE_CHECKING:
    from lambdakit.http.parts import Part
    from lambdakit.testing.events.sources import Source
    from lambdakit.testing.events.values import Event

PAYLOAD: Event = {"id": "1", "total": 9.99}
"""The payload where nothing is known of what the handler wants."""

_FORMATS = {
    "date-time": "2026-01-01T12:00:00Z",
    "date": "2026-01-01",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "uuid": "0e3b0e1c-2f8a-4c1d-9b57-6a1f0c9d2e34",
    "email": "jane@example.com",
    "uri": "https://example.com/",
    "ipv4": "203.0.113.10",
    "ipv6": "2001:db8::10",
}


def payload_for(given: Source, trigger: Any, wanted: Any = None) -> Any:
    """A payload that fits: with what the handler asks for, and with what is wanted besides.

    Args:
        given: The handler; or a name, or a trigger, of which nothing is known.
        trigger: The handler's trigger, if there is one.
        wanted: What the payload must hold.

    Raises:
        RegistrationError: an annotation of the handler can't be read.
    """
    asked = None if trigger is None or given is trigger else _payload_type(given, trigger)
    if asked is None:
        return wanted or PAYLOAD
    return overlaid(example_of(asked), wanted) if wanted else example_of(asked)


def filter_example(trigger: Any) -> Event:
    """A record that the filter of the trigger's mapping lets through: the fields that the filter names."""
    criteria = getattr(trigger, "filter_criteria", ())
    if not criteria:
        return {}
    from lambdakit.patterns import FilterPattern
    from lambdakit.testing.events.pattern_examples import example_of_pattern

    return example_of_pattern(criteria[0], FilterPattern)


def overlaid(below: Any, above: Any) -> Any:
    """The members of both; those above win."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return {**below, **{key: overlaid(below.get(key), value) for key, value in above.items()}}


def _payload_type(function: Any, trigger: Any) -> Any:
    """The type of the payload, bare or in a record; None where the handler names none."""
    if trigger.source in ("http", "websocket"):
        return _body_type(trigger.handler(function).parts)
    from lambdakit.depends import dependency_of
    from lambdakit.middleware import Invocation
    from lambdakit.signature import asked_parameters, hints_of, is_context

    hints = hints_of(function)
    for parameter in asked_parameters(function):
        annotation = hints.get(parameter.name)
        if annotation in (None, Invocation) or is_context(annotation) or dependency_of(annotation) is not None:
            continue
        model = get_args(annotation)[0] if get_origin(annotation) is list else annotation
        if not hasattr(model, "lambdakit_source"):
            return annotation
        arguments: tuple[Any, ...] = model.__pydantic_generic_metadata__["args"]
        return arguments[0] if arguments else None
    return None


def _body_type(parts: Iterable[Part]) -> Any:
    """The type of a body: of several parts an object with all of them."""
    from typing_extensions import TypedDict

    from lambdakit.http.parts import BodyPart

    bodies = [part for part in parts if isinstance(part, BodyPart)]
    if bodies and bodies[0].is_embedded:
        return TypedDict("Body", {part.name: part.annotation for part in bodies})  # type: ignore[operator]
    return bodies[0].annotation if bodies else None


def example_of(annotation: Any) -> Any:
    """A JSON value that Pydantic reads as that type, unless it has validators or patterns of its own.

    >>> example_of(dict[str, list[int]])
    {'example': [1]}
    """
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticInvalidForJsonSchema

    try:
        schema = TypeAdapter(annotation).json_schema()
    except PydanticInvalidForJsonSchema:
        return PAYLOAD
    return _Examples(schema.get("$defs", {})).of(schema) if schema != {} else PAYLOAD


class _Examples:
    """Examples of JSON schemas, as Pydantic writes them."""

    def __init__(self, definitions: Event) -> None:
        self._definitions = definitions

    def of(self, schema: Event, inside: frozenset[str] = frozenset()) -> Any:
        """A value that fits: of an object what it requires, of alternatives the first that does not repeat itself.

        Args:
            schema: The schema.
            inside: The definitions that the value is a part of.
        """
        if "$ref" in schema:
            name = _definition(schema)
            return self.of(self._definitions[name], inside | {name})
        given = [schema[name] for name in ("const", "default") if name in schema]
        given += [schema[name][0] for name in ("examples", "enum") if schema.get(name)]
        if given:
            return given[0]
        alternatives = schema.get("anyOf") or schema.get("oneOf")
        if alternatives:
            return self.of(_first(alternatives, inside), inside)
        if schema.get("type") == "array":
            return self._array(schema, inside)
        return self._object(schema, inside) if schema.get("type") == "object" else _scalar(schema)

    def _object(self, schema: Event, inside: frozenset[str]) -> Event:
        members = schema.get("properties", {})
        found = {name: self.of(members[name], inside) for name in schema.get("required", ())}
        others = schema.get("additionalProperties")
        if found or members or others is False:
            return found
        return {"example": self.of(others, inside)} if isinstance(others, dict) else PAYLOAD

    def _array(self, schema: Event, inside: frozenset[str]) -> list[Any]:
        if "prefixItems" in schema:
            return [self.of(item, inside) for item in schema["prefixItems"]]
        items = schema.get("items", {})
        usual = 0 if _definition(items) in inside else 1
        length = max(schema.get("minItems", 0), min(usual, schema.get("maxItems", 1)))
        return [self.of(items, inside) for _ in range(length)]


def _definition(schema: Event) -> str:
    """The name of the definition that a schema refers to, ``""`` if it does not."""
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _first(alternatives: list[Event], inside: frozenset[str]) -> Event:
    """The first alternative that is neither null nor a part of itself; else null."""
    usable = [one for one in alternatives if one.get("type") != "null" and _definition(one) not in inside]
    return usable[0] if usable else alternatives[-1]


def _scalar(schema: Event) -> Any:
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return _number(schema, 1 if kind == "integer" else 9.5)
    if kind == "boolean":
        return True
    if kind == "null":
        return None
    text = _FORMATS.get(schema.get("format", ""), "example")
    return text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]


def _number(schema: Event, usual: float) -> float:
    """The usual number, or the closest one within the bounds."""
    step = schema.get("multipleOf", 1)
    above, below = schema.get("exclusiveMinimum", -inf), schema.get("exclusiveMaximum", inf)
    low = max(schema.get("minimum", -inf), above + step)
    high = min(schema.get("maximum", inf), below - step)
    if low > high:  # as in 0 < number < 1
        return float(above + below) / 2
    number: float = min(max(usual, low), high)
    return ceil(number / step) * step if "multipleOf" in schema else number
