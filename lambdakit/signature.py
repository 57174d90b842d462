"""What a function's signature says: its types, its parameters, and where it is written."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping
from types import SimpleNamespace, UnionType
from typing import Annotated, Any, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

from lambdakit.errors import RegistrationError

LOCAL_NAMES = "__lambdakit_locals__"

_EMPTY = inspect.Parameter.empty
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def name_of(function: Callable[..., Any]) -> str:
    """``module.function``, as messages and explanations name it."""
    return f"{getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', repr(function))}"


def where(function: Callable[..., Any]) -> str:
    """``module.function (file:line)``."""
    code = getattr(_written(function), "__code__", None)
    return f"{name_of(function)} ({code.co_filename}:{code.co_firstlineno})" if code else name_of(function)


def hints_of(function: Callable[..., Any], local_names: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The annotations of its parameters, evaluated, ``Annotated`` kept. What it returns is its own affair.

    Args:
        function: A function, or anything else that is called: a class, a partial, an object with ``__call__``.
        local_names: What its annotations may name beside what its module has, unless it was marked with its own.

    Raises:
        RegistrationError: an annotation names something that is not there.
    """
    annotated = [parameter for parameter in parameters_of(function).values() if parameter.annotation is not _EMPTY]
    return _evaluated(function, {parameter.name: parameter.annotation for parameter in annotated}, local_names)


def return_hint_of(function: Callable[..., Any]) -> Any:
    """The annotation of what it returns, evaluated, ``Annotated`` kept; ``Any`` without one.

    Raises:
        RegistrationError: it names something that is not there.
    """
    annotation = inspect.signature(function).return_annotation
    return Any if annotation is _EMPTY else _evaluated(function, {"return": annotation}, None)["return"]


def _evaluated(
    function: Callable[..., Any], written: Mapping[str, Any], local_names: Mapping[str, Any] | None
) -> dict[str, Any]:
    annotations = SimpleNamespace(__annotations__=written)
    names = getattr(function, LOCAL_NAMES, local_names)
    try:
        return get_type_hints(annotations, _globals(function), {**(names or {})}, include_extras=True)
    except NameError as error:
        raise RegistrationError(
            f"an annotation names {error.name!r}, which is not there when the function is registered",
            where(function),
            f"Import or define {error.name!r} at the top of the module, outside of `if TYPE_CHECKING:`.",
        ) from error
    except (TypeError, SyntaxError, AttributeError, RuntimeError) as error:  # the last one is how Pydantic's begin
        problem = str(error).partition("\n")[0]
        raise RegistrationError(f"an annotation can't be evaluated: {problem}", where(function)) from error


def parameters_of(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Its parameters by name.

    Raises:
        RegistrationError: Python can't tell them, as of some functions that are written in C.
    """
    try:
        return inspect.signature(function).parameters
    except ValueError as error:
        raise RegistrationError(
            f"Python can't tell the parameters of {function!r}", hint="Call it in a function of your own."
        ) from error


def asked_parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters that can be given one by one: all but ``*args`` and ``**kwargs``."""
    return [parameter for parameter in parameters_of(function).values() if parameter.kind not in _VARIADIC]


def is_generator_function(function: Callable[..., Any]) -> bool:
    """Whether calling it only makes a generator, of whichever kind; under its decorators, if they tell."""
    written = _written(function)
    return inspect.isgeneratorfunction(written) or inspect.isasyncgenfunction(written)


def _written(function: Callable[..., Any]) -> Any:
    """The function that someone wrote: below ``functools.wraps``, a partial, an object's ``__call__``."""
    function = inspect.unwrap(function)
    while isinstance(function, functools.partial):
        function = inspect.unwrap(function.func)
    if inspect.isroutine(function) or isinstance(function, type):
        return function
    return inspect.unwrap(type(function).__call__)


def _globals(function: Callable[..., Any]) -> dict[str, Any]:
    written = _written(function)
    found = getattr(written, "__globals__", None)
    return found if found is not None else vars(sys.modules.get(getattr(written, "__module__", ""), SimpleNamespace()))


def without_alias(annotation: Any) -> Any:
    """What a ``type`` alias stands for, ``Annotated`` kept; anything else as it is."""
    while hasattr(annotation, "__value__"):  # TypeAliasType, of typing and of typing_extensions
        arguments = get_args(annotation)
        annotation = annotation.__value__[arguments] if arguments else annotation.__value__
    return annotation


def plain_type(annotation: Any) -> Any:
    """The type below Annotated, NewType, ``type`` aliases and a TypeVar's default."""
    while True:
        annotation = without_alias(annotation)
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif isinstance(annotation, NewType):
            annotation = annotation.__supertype__
        elif isinstance(annotation, TypeVar):
            annotation = getattr(annotation, "__default__", Any)
        else:
            return annotation


def members_of(annotation: Any) -> tuple[Any, ...]:
    """The types of a union, None left out; any other type alone."""
    plain = plain_type(annotation)
    if get_origin(plain) not in (Union, UnionType):
        return (annotation,)
    return tuple(member for member in get_args(plain) if member is not type(None))


def is_context(annotation: Any) -> bool:
    """Whether it is a LambdaContext: lambdakit's, Powertools' or the runtime's own."""
    members = members_of(annotation)
    return len(members) == 1 and getattr(plain_type(members[0]), "__name__", "") == "LambdaContext"


def words_of(annotation: Any) -> str:
    """A type as it is written."""
    return str(annotation) if get_args(annotation) else str(getattr(annotation, "__name__", annotation))
