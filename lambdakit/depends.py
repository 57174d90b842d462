"""Dependencies: what a handler needs beside its event, made by a function and replaceable in a test."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from lambdakit.errors import RegistrationError
from lambdakit.middleware import Invocation
from lambdakit.signature import asked_parameters, hints_of, is_context, where

if TYPE_CHECKING:
    from lambdakit.loop import EventLoop

Scope = Literal["invocation", "environment"]


class Depends:
    """Marks a parameter that a function provides: ``db: Annotated[Database, Depends(connect)]``.

    The function may be plain, ``async def``, or a generator of either kind that yields the value and cleans up after
    it. It may ask for the LambdaContext, the Invocation and other dependencies in the same way.

    Args:
        dependency: The function that provides the value.
        scope: How long one value serves: for an ``"invocation"``, or as long as the execution ``"environment"`` lives.
    """

    __slots__ = ("dependency", "scope")

    def __init__(self, dependency: Callable[..., Any], *, scope: Scope = "invocation") -> None:
        if not callable(dependency):
            raise TypeError(f"Depends takes a function, not {dependency!r}; for a value write Depends(lambda: value)")
        if scope not in ("invocation", "environment"):
            raise ValueError(f"scope is 'invocation' or 'environment', not {scope!r}")
        self.dependency = dependency
        self.scope: Scope = scope


def dependency_of(annotation: Any) -> Depends | None:
    """The mark in ``Annotated[T, Depends(f)]``."""
    if get_origin(annotation) is Annotated:
        return next((extra for extra in get_args(annotation)[1:] if isinstance(extra, Depends)), None)
    return None


class Provider:
    """A dependency's function, read once: what it asks for and how its value is made.

    Raises:
        RegistrationError: it asks for something no one provides, for itself, or for what lives shorter than it does.
    """

    def __init__(self, mark: Depends, path: tuple[Callable[..., Any], ...] = ()) -> None:
        self.function = mark.dependency
        self.scope = mark.scope
        if self.function in path:
            raise RegistrationError("a dependency depends on itself", where(self.function))
        self.arguments = dict(self._arguments((*path, self.function)))

    def _arguments(self, path: tuple[Callable[..., Any], ...]) -> Iterator[tuple[str, Provider | str]]:
        hints = hints_of(self.function)
        for parameter in asked_parameters(self.function):
            annotation = hints.get(parameter.name, parameter.empty)
            mark = dependency_of(annotation)
            if mark is not None:
                yield parameter.name, self._nested(Provider(mark, path))
            elif is_context(annotation) or annotation is Invocation:
                yield parameter.name, self._of_invocation("context" if annotation is not Invocation else "invocation")
            elif parameter.default is parameter.empty:
                raise RegistrationError(
                    f"dependency parameter {parameter.name!r} can't be provided",
                    where(self.function),
                    "Annotate it with Annotated[T, Depends(f)], LambdaContext or Invocation, or give it a default.",
                )

    def _nested(self, provider: Provider) -> Provider:
        if self.scope == "environment" and provider.scope == "invocation":
            raise RegistrationError(
                "a dependency of the environment asks for one of an invocation",
                where(self.function),
                f"Mark it Depends({provider.function.__name__}, scope='environment') too.",
            )
        return provider

    def _of_invocation(self, what: str) -> str:
        if self.scope == "environment":
            raise RegistrationError(f"a dependency of the environment asks for the {what}", where(self.function))
        return what


class Dependencies:
    """The values of an execution environment, and the way to those of an invocation."""

    def __init__(self, loop: EventLoop) -> None:
        self.loop = loop
        self.values: dict[Any, Any] = {}
        self.stack = ExitStack()
        self.overrides: dict[Callable[..., Any], Provider] = {}

    def provide(self, provider: Provider, invocation: Invocation | None) -> Any:
        """The value of a dependency, made when it is first asked for."""
        actual = self.overrides.get(provider.function, provider)
        values, stack = self._home(provider, invocation)
        key = actual.function
        if key not in values:
            arguments = {name: self._argument(asked, invocation) for name, asked in actual.arguments.items()}
            values[key] = self._made(actual.function, arguments, stack)
        if invocation is not None:
            invocation.values[provider.function] = values[key]
        return values[key]

    def call(self, provider: Provider) -> Any:
        """Call a function of the environment, whatever it returned before."""
        self.values.pop(provider.function, None)
        return self.provide(provider, None)

    def close(self) -> None:
        """Clean up after the values of the environment, the last one first."""
        stack, self.stack = self.stack, ExitStack()
        self.values.clear()
        stack.close()

    def _home(self, provider: Provider, invocation: Invocation | None) -> tuple[dict[Any, Any], ExitStack]:
        if provider.scope == "environment" or invocation is None:
            return self.values, self.stack
        if invocation.stack is None:
            invocation.stack = ExitStack()
        return invocation.values, invocation.stack

    def _argument(self, asked: Provider | str, invocation: Invocation | None) -> Any:
        if isinstance(asked, Provider):
            return self.provide(asked, invocation)
        return invocation if asked == "invocation" else getattr(invocation, "context", None)

    def _made(self, function: Callable[..., Any], arguments: dict[str, Any], stack: ExitStack) -> Any:
        if inspect.isgeneratorfunction(function):
            return stack.enter_context(contextmanager(function)(**arguments))
        if inspect.isasyncgenfunction(function):
            manager = asynccontextmanager(function)(**arguments)
            value = self.loop.run(manager.__aenter__())
            stack.push(lambda *error: self.loop.run(manager.__aexit__(*error)))
            return value
        value = function(**arguments)
        return self.loop.run(value) if inspect.iscoroutine(value) else value
