"""Where a parameter's value comes from, said in its annotation: ``limit: Annotated[int, Query(le=100)] = 10``.

Without one of these a parameter is read from the path if the route names it there, from the query if its type is a
single value (a number, text, a date, an enum, ...), and else from the body.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args, get_origin

from lambdakit.signature import members_of, without_alias

if TYPE_CHECKING:
    import inspect
    from typing import Unpack

    from typing_extensions import TypedDict

    from lambdakit.http.parts import Part

    class Constraints(TypedDict, total=False):
        """What Pydantic's ``Field`` takes: what a value has to fulfil, and what is said about it."""

        gt: float
        ge: float
        lt: float
        le: float
        multiple_of: float
        min_length: int
        max_length: int
        pattern: str
        strict: bool
        title: str
        description: str
        examples: list[Any]


Place = Literal["path", "query", "header", "cookie", "body", "form", "file"]


class Mark:
    """Says where a parameter comes from.

    Args:
        alias: Its name in the request; by default the parameter's own.
        deprecated: Whether clients should stop sending it, for OpenAPI.
        **constraints: What Pydantic's ``Field`` takes: ``gt``, ``ge``, ``lt``, ``le``, ``multiple_of``, ``min_length``,
            ``max_length``, ``pattern``, ``strict``, and for OpenAPI ``title``, ``description``, ``examples``.
    """

    place: ClassVar[Place]

    def __init__(
        self, alias: str | None = None, *, deprecated: bool = False, **constraints: Unpack[Constraints]
    ) -> None:
        self.alias = alias
        self.deprecated = deprecated
        self.constraints = constraints

    def name(self, parameter: str) -> str:
        """The name in the request of a parameter, or of a field of a model of them."""
        return self.alias or parameter

    def part(self, parameter: inspect.Parameter, annotation: Any) -> Part:
        """What reads the parameter."""
        from lambdakit.http.parts import value_part

        return value_part(parameter, annotation, self)

    def constrained(self, annotation: Any) -> Any:
        """A type with the mark's constraints."""
        if not self.constraints:
            return annotation
        from pydantic import Field

        settings: dict[str, Any] = {**self.constraints}
        return Annotated[annotation, Field(**settings)]


class Path(Mark):
    """From the path: the value of ``{order_id}``, decoded."""

    place: ClassVar[Place] = "path"


class Query(Mark):
    """From the query: the last value of a name, all of them for a list; for a model, a value for each of its fields."""

    place: ClassVar[Place] = "query"


class Header(Mark):
    """From a header, with hyphens for the underscores of the parameter's name.

    A list gets the parts between commas. For a model, each of its fields is a header.
    """

    place: ClassVar[Place] = "header"

    def name(self, parameter: str) -> str:
        """With hyphens."""
        return self.alias or parameter.replace("_", "-")


class Cookie(Mark):
    """From a cookie; for a model, each of its fields is one."""

    place: ClassVar[Place] = "cookie"


class Body(Mark):
    """From the body: JSON of any type, but for ``str`` the text as it is and for ``bytes`` the bytes.

    Args:
        alias: Its name, where the body is an object of several parameters.
        embed: Whether the body is an object with the value under its name, as it is where there are several.
        media_type: The media type of a text or of bytes that are taken; by default any. JSON is ``application/json``.
        **constraints: As of the others.
    """

    place: ClassVar[Place] = "body"

    def __init__(
        self,
        alias: str | None = None,
        *,
        embed: bool = False,
        media_type: str | None = None,
        **constraints: Unpack[Constraints],
    ) -> None:
        super().__init__(alias, **constraints)
        self.embed = embed
        self.media_type = media_type

    def part(self, parameter: inspect.Parameter, annotation: Any) -> Part:
        """JSON, text or bytes."""
        from lambdakit.http.parts import BodyPart

        return BodyPart(parameter, annotation, self)


class Form(Mark):
    """From a field of a form, url-encoded or multipart; for a model, each of its fields is one."""

    place: ClassVar[Place] = "form"


class File(Mark):
    """From a file of a multipart form: an ``UploadFile``, its ``bytes``, or a list of either."""

    place: ClassVar[Place] = "file"

    def part(self, parameter: inspect.Parameter, annotation: Any) -> Part:
        """A file.

        Raises:
            TypeError: there is nothing installed that reads multipart forms.
        """
        from importlib.util import find_spec

        from lambdakit.http.parts import FilePart

        if find_spec("python_multipart") is None:
            raise TypeError("multipart forms need python-multipart: pip install 'lambdakit[multipart]'")
        return FilePart(parameter, annotation, self)


def mark_of(annotation: Any) -> Mark | None:
    """The mark in ``Annotated[T, Query()]``; of one that was written without parentheses too."""
    for member in (annotation, *members_of(annotation)):
        known = without_alias(member)
        if get_origin(known) is Annotated:
            for extra in _extras(known):
                if isinstance(extra, Mark):
                    return extra
                if isinstance(extra, type) and issubclass(extra, Mark):
                    return extra()
    return None


def _extras(annotated: Any) -> Sequence[Any]:
    extras: Sequence[Any] = get_args(annotated)[1:]
    return extras
