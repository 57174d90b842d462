"""Parts of a request: what each parameter of a handler is read from, decided once at the start."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from lambdakit.http.errors import Problem, RequestValidationError, missing, problems_of
from lambdakit.signature import members_of, plain_type
from lambdakit.validators import validator_of

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from lambdakit.http.parameters import Body, Mark, Place
    from lambdakit.http.request import HttpRequest

    Given = Callable[[HttpRequest, str], Any]

JSON = "application/json"
REQUIRED = inspect.Parameter.empty


class Part:
    """A parameter that is read from the request.

    Attributes:
        place: Where it comes from.
        name: Its name there.
        annotation: Its type, with the constraints of its mark.
        default: Its default, or ``REQUIRED``.
        mark: What its annotation says, or what follows from its type.
    """

    def __init__(self, parameter: inspect.Parameter, annotation: Any, mark: Mark) -> None:
        self.place: Place = mark.place
        self.name = mark.name(parameter.name)
        self.annotation = mark.constrained(annotation)
        self.default = parameter.default
        self.mark = mark

    def read(self, request: HttpRequest) -> Any:
        """The value of the parameter.

        Raises:
            RequestValidationError: the request has none that fits.
            HTTPError: the body is not of the media type that the parameter takes.
        """
        raise NotImplementedError(type(self))

    def problems(self, request: HttpRequest) -> list[Problem]:
        """What is wrong with it in a request."""
        try:
            self.read(request)
        except RequestValidationError as error:
            return error.errors
        return []

    def absent(self, *place: str) -> Any:
        """The default.

        Raises:
            RequestValidationError: there is none.
        """
        if self.default is REQUIRED:
            raise RequestValidationError([missing(*place)])
        return self.default


class ValuePart(Part):
    """A parameter with a name in the path, the query, the headers, the cookies or a form: one value, or a list."""

    def __init__(self, parameter: inspect.Parameter, annotation: Any, mark: Mark) -> None:
        super().__init__(parameter, annotation, mark)
        self._given = (_LISTS if is_list(annotation) else _SINGLES)[self.place]
        is_text = self.annotation is str and self.place != "form"
        self._validate = _same if is_text else validator_of(self.annotation).validate_python

    def read(self, request: HttpRequest) -> Any:
        """The value as its type has it."""
        given = self._given(request, self.name)
        if given is None:
            return self.absent(self.place, self.name)
        try:
            return self._validate(given)
        except ValidationError as error:
            raise RequestValidationError(problems_of(error, self.place, self.name)) from error


class ModelPart(Part):
    """A model whose fields are names in the query, the headers, the cookies or a form."""

    def __init__(self, parameter: inspect.Parameter, annotation: Any, mark: Mark, model: type[BaseModel]) -> None:
        super().__init__(parameter, annotation, mark)
        self.model = model
        self.fields = {_key(name, field): field for name, field in model.model_fields.items()}
        self.names = {key: key if key == field.alias else mark.name(key) for key, field in self.fields.items()}
        self._validate = validator_of(self.annotation).validate_python

    def read(self, request: HttpRequest) -> Any:
        """The model, of the values that are there."""
        given = {key: value for key in self.names if (value := self._given(request, key)) is not None}
        if not given and self.default is not REQUIRED:
            return self.default
        try:
            return self._validate(given)
        except ValidationError as error:
            problems = problems_of(error, self.place)
        for problem in problems:
            problem["loc"][1:2] = [self.names.get(key, key) for key in problem["loc"][1:2]]
        raise RequestValidationError(problems)

    def _given(self, request: HttpRequest, key: str) -> Any:
        return (_LISTS if is_list(self.fields[key].annotation) else _SINGLES)[self.place](request, self.names[key])


class BodyPart(Part):
    """The body: text or bytes as they are, JSON, or a member of it where that is an object of several parameters.

    Attributes:
        is_content: Whether the body is taken as it is.
        is_embedded: Whether it is a member of an object.
    """

    def __init__(self, parameter: inspect.Parameter, annotation: Any, mark: Body) -> None:
        super().__init__(parameter, annotation, mark)
        kinds = {plain_type(member) for member in members_of(annotation)}
        self.is_embedded = mark.embed
        self.is_content = kinds <= {str, bytes} and not mark.embed
        self.is_text = str in kinds
        self.media_type = mark.media_type
        self._validator = validator_of(self.annotation)

    def embed(self) -> None:
        """Make it a member of an object."""
        self.is_embedded, self.is_content = True, False

    def read(self, request: HttpRequest) -> Any:
        """The value that the body, or its part, stands for."""
        if self.is_content:
            return self._as_it_is(request)
        content = request.content
        if not content:
            return self.absent(*self._place)
        if request.content_type != JSON:
            _check_json(request)
        if self.is_embedded:
            return self._member(request)
        try:
            return self._validator.validate_json(content)
        except ValidationError as error:
            raise RequestValidationError(problems_of(error, "body")) from error

    @property
    def _place(self) -> tuple[str, ...]:
        return ("body", self.name) if self.is_embedded else ("body",)

    def _as_it_is(self, request: HttpRequest) -> Any:
        """Text or bytes; those of an empty body only where there is no default."""
        if not request.content and self.default is not REQUIRED:
            return self.default
        if self.media_type and request.media_type != self.media_type:
            from lambdakit.http.media import unsupported

            raise unsupported(request.media_type, self.media_type)
        try:
            return self._validator.validate_python(request.text() if self.is_text else request.body)
        except ValidationError as error:
            raise RequestValidationError(problems_of(error, "body")) from error

    def _member(self, request: HttpRequest) -> Any:
        from pydantic_core import to_json

        members = request.json()
        if not isinstance(members, dict):
            raise RequestValidationError([{"loc": ["body"], "msg": "Input should be an object", "type": "dict_type"}])
        if self.name not in members:
            return self.absent(*self._place)
        try:
            return self._validator.validate_json(to_json(members[self.name]))
        except ValidationError as error:
            raise RequestValidationError(problems_of(error, *self._place)) from error


class FilePart(Part):
    """A file of a form, or several: with its name, or its bytes alone."""

    def __init__(self, parameter: inspect.Parameter, annotation: Any, mark: Mark) -> None:
        super().__init__(parameter, annotation, mark)
        self.is_list = is_list(annotation)
        self.is_bytes = any(plain_type(member) is bytes for member in leaves_of(annotation))

    def read(self, request: HttpRequest) -> Any:
        """The file, or the list of them."""
        from lambdakit.http.forms import UploadFile

        given = [value for value in request.form.all(self.name) if value != ""]  # what a browser sends for no file
        if not given:
            return self.absent("form", self.name)
        uploads = [value for value in given if isinstance(value, UploadFile)]
        if len(uploads) < len(given):
            problem = {"loc": ["form", self.name], "msg": "Input should be a file", "type": "file_type"}
            raise RequestValidationError([problem])
        files: list[Any] = [upload.content for upload in uploads] if self.is_bytes else [*uploads]
        return files if self.is_list else files[-1]


def _check_json(request: HttpRequest) -> None:
    from lambdakit.http.media import is_json, unsupported

    if not is_json(request.media_type):
        raise unsupported(request.media_type, JSON)


def part_of(parameter: inspect.Parameter, annotation: Any, names: Collection[str]) -> Part:
    """What a parameter is read from, by its mark or else its type, at a route whose path has those names.

    Raises:
        TypeError, PydanticUserError, NameError: its type is none that can be read from there.
    """
    from lambdakit.http.parameters import Body, File, Path, Query, mark_of

    mark = mark_of(annotation)
    if mark is None and any(_is_upload(member) for member in leaves_of(annotation)):
        mark = File()
    if mark is None:
        mark = Path() if parameter.name in names else Body() if is_body(annotation) else Query()
    if isinstance(mark, Path) and mark.name(parameter.name) not in names:
        raise TypeError(f"the route has no {{{mark.name(parameter.name)}}} in its path")
    return mark.part(parameter, annotation)


def value_part(parameter: inspect.Parameter, annotation: Any, mark: Mark) -> Part:
    """The part of a parameter that has a name, or is a model of such."""
    members = [plain_type(member) for member in members_of(annotation)]
    models = [member for member in members if isinstance(member, type) and issubclass(member, BaseModel)]
    if models:
        return ModelPart(parameter, annotation, mark, models[0])
    if any(map(_is_structured, members)):
        raise TypeError(f"a {mark.place} has values under names: ask for a Pydantic model, or for each of them")
    return ValuePart(parameter, annotation, mark)


def is_body(annotation: Any) -> bool:
    """Whether a type without a mark is read from the body: models, collections, anything; not a single value."""
    return any(map(_is_complex, members_of(annotation)))


def _is_complex(member: Any) -> bool:
    plain = plain_type(member)
    kind = get_origin(plain) or plain
    if kind in (Any, object):
        return True
    if not isinstance(kind, type) or issubclass(kind, str | Enum):
        return False
    return issubclass(kind, Collection | BaseModel) or is_dataclass(kind)


def _is_structured(plain: Any) -> bool:
    kind = get_origin(plain) or plain
    return isinstance(kind, type) and (is_dataclass(kind) or issubclass(kind, Mapping))


def is_list(annotation: Any) -> bool:
    """Whether a type takes several values of one name."""
    kinds = [get_origin(plain) or plain for plain in map(plain_type, members_of(annotation))]
    several = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Collection)]
    return any(not issubclass(kind, str | bytes | Enum | dict) for kind in several)


def leaves_of(annotation: Any) -> list[Any]:
    """The types of a union, those within a list too."""
    plain = [plain_type(member) for member in members_of(annotation)]
    return [leaf for member in plain for leaf in (get_args(member) if is_list(member) else (member,))]


def _is_upload(leaf: Any) -> bool:
    plain = plain_type(leaf)
    return getattr(plain, "__module__", "") == "lambdakit.http.forms" and plain.__name__ == "UploadFile"


def _key(name: str, field: FieldInfo) -> str:
    """What Pydantic calls a field in its input."""
    alias = field.validation_alias
    return alias if isinstance(alias, str) else name


def _same(value: Any) -> Any:
    return value


def _between_commas(request: HttpRequest, name: str) -> list[str] | None:
    header = request.headers.get(name)
    return None if header is None else [value.strip() for value in header.split(",")]


def _one(values: Mapping[str, str], name: str) -> list[str] | None:
    return [values[name]] if name in values else None


_SINGLES: dict[Place, Given] = {
    "path": lambda request, name: request.path_parameters.get(name),
    "query": lambda request, name: request.query.get(name),
    "header": lambda request, name: request.headers.get(name),
    "cookie": lambda request, name: request.cookies.get(name),
    "form": lambda request, name: request.form.get(name),
}
_LISTS: dict[Place, Given] = {
    "path": lambda request, name: _one(request.path_parameters, name),
    "query": lambda request, name: request.query.all(name) or None,
    "header": _between_commas,
    "cookie": lambda request, name: _one(request.cookies, name),
    "form": lambda request, name: request.form.all(name) or None,
}
