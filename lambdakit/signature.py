"""What a function's signature says: its types, its parameters, and where it is written."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from lambdakit.errors import RegistrationError

LOCAL_NAMES = "__lambdakit_locals__"


def name_of(function: Callable[..., Any]) -> str:
    """``module.function``, as messages and explanations name it."""
    return f"{getattr(function, '__module__', '?')}.{getattr(function, '__qualname__', repr(function))}"


def where(function: Callable[..., Any]) -> str:
    """``module.function (file:line)``."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{name_of(function)} ({code.co_filename}:{code.co_firstlineno})" if code else name_of(function)


def hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Its annotations, evaluated, ``Annotated`` kept.

    Raises:
        RegistrationError: an annotation names something that is not there.
    """
    target = function if inspect.isroutine(function) or isinstance(function, type) else type(function).__call__
    try:
        return get_type_hints(target, localns=getattr(function, LOCAL_NAMES, None), include_extras=True)
    except NameError as error:
        raise RegistrationError(
            f"an annotation names {error.name!r}, which is not there when the function is registered",
            where(function),
            f"Import or define {error.name!r} at the top of the module, outside of `if TYPE_CHECKING:`.",
        ) from error
    except (TypeError, SyntaxError) as error:
        raise RegistrationError(f"an annotation can't be evaluated: {error}", where(function)) from error


def asked_parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The parameters that can be given one by one: all but ``*args`` and ``**kwargs``."""
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [
        parameter for parameter in inspect.signature(function).parameters.values() if parameter.kind not in variadic
    ]


def without_none(annotation: Any) -> Any:
    """``X`` of ``X | None``; anything else as it is."""
    if get_origin(annotation) in (Union, UnionType):
        members = [member for member in get_args(annotation) if member is not type(None)]
        return members[0] if len(members) == 1 else annotation
    return annotation


def is_context(annotation: Any) -> bool:
    """Whether it is a LambdaContext: lambdakit's, Powertools' or the runtime's own."""
    return getattr(without_none(annotation), "__name__", "") == "LambdaContext"
