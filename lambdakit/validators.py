"""Pydantic's validator of any type."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import SchemaValidator, core_schema

if TYPE_CHECKING:
    from pydantic.plugin._schema_validator import PluggableSchemaValidator

    Validator = SchemaValidator | PluggableSchemaValidator


def validator_of(annotation: Any) -> Validator:
    """What reads a value of that type; a model has its own, for any other type one is made."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if not annotation.__pydantic_complete__:
            annotation.model_rebuild()
        return annotation.__pydantic_validator__
    if isinstance(annotation, type) and annotation in _SCHEMAS:
        return SchemaValidator(_SCHEMAS[annotation]())
    from pydantic import TypeAdapter

    return TypeAdapter(annotation).validator


# The types that parameters mostly have: an adapter of each would cost a cold start.
_SCHEMAS: dict[Any, Callable[[], core_schema.CoreSchema]] = {
    bool: core_schema.bool_schema,
    float: core_schema.float_schema,
    int: core_schema.int_schema,
    str: core_schema.str_schema,
}
