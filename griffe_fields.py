"""Shows the fields of a model, a dataclass or a typed dict; by itself, Griffe leaves out what has no docstring."""

from collections.abc import Iterator
from typing import Any

from griffe import Attribute, Class, ExprCall, ExprSubscript, ExprTuple, Extension


class Fields(Extension):
    """Lists them in the docstring of their class: each with its type and, for an event, its place in what AWS sends."""

    def on_class(self, *, cls: Class, **_: Any) -> None:
        """Change the docstring of one class."""
        fields = list(_fields(cls))
        if fields and cls.docstring and "Attributes:" not in cls.docstring.value:
            rows = "".join(f"\n    {field.name} ({_type(field)}): {_place(field)}" for field in fields)
            cls.docstring.value += f"\n\nAttributes:{rows}"


def _fields(cls: Class) -> Iterator[Attribute]:
    """Its own, then those that it inherits."""
    inherited = [alias.final_target for alias in cls.inherited_members.values()]
    for member in (*cls.members.values(), *inherited):
        if isinstance(member, Attribute) and "instance-attribute" in member.labels and member.annotation is not None:
            yield member


def _type(field: Attribute) -> str:
    """As it is annotated, without what is for Pydantic alone."""
    annotation = field.annotation
    if isinstance(annotation, ExprSubscript) and str(annotation.left) == "Annotated":
        assert isinstance(annotation.slice, ExprTuple)
        annotation = annotation.slice.elements[0]
    return str(annotation)


def _place(field: Attribute) -> str:
    """``s3.bucket.name`` of ``at("s3", "bucket", "name")``; where an event has no call, AWS has the same name."""
    if not field.path.startswith("lambdakit.events."):
        return ""
    arguments = map(str, field.value.arguments) if isinstance(field.value, ExprCall) else ()
    names = [argument[1:-1] for argument in arguments if argument[0] in "'\""]
    return f"``{'.'.join(names) or field.name}``"
