"""Dependencies: what a handler needs beside its event, made by a function and replaceable in a test."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

from lambdakit.errors import RegistrationError
from lambdakit.middleware import Invocation, context_of
from lambdakit.signature import (
    LOCAL_NAMES,
    asked_parameters,
    hints_of,
    is_context,
    is_generator_function,
    members_of,
    where,
    without_alias,
)

if TYPE_CHECKING:
    from lambdakit.loop import EventLoop

Scope = Literal["invocation", "environment"]

Replaced = frozenset[Callable[..., Any]]
"""The dependencies whose override is being provided."""

Further = Callable[[Callable[..., Any], inspect.Parameter, Any], Callable[[Any], Any] | None]
"""What a source gives to dependencies besides: how to read a parameter, by its annotation, if at all."""


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
    for member in (annotation, *members_of(annotation)):
        known = without_alias(member)
        if get_origin(known) is Annotated:
            marks = [extra for extra in get_args(known)[1:] if isinstance(extra, Depends)]
            if marks:
                return marks[0]
    return None


class Provider:
    """A dependency's function, read once: what it asks for and how its value is made.

    Raises:
        RegistrationError: it asks for something no one provides, for itself, or for what lives shorter than it does.
    """

    def __init__(
        self,
        mark: Depends,
        path: tuple[Callable[..., Any], ...] = (),
        *,
        local_names: Mapping[str, Any] | None = None,
        further: Further | None = None,
    ) -> None:
        self.function = mark.dependency
        self.scope: Scope = mark.scope
        self.further = further if mark.scope == "invocation" else None
        self.yields = is_generator_function(self.function)
        if self.function in path:
            circle = " -> ".join(getattr(function, "__name__", "?") for function in (*path, self.function))
            raise RegistrationError(f"a dependency depends on itself: {circle}", where(self.function))
        names = getattr(self.function, LOCAL_NAMES, local_names)
        self.arguments = dict(self._arguments((*path, self.function), names))

    def _arguments(
        self, path: tuple[Callable[..., Any], ...], local_names: Mapping[str, Any] | None
    ) -> Iterator[tuple[str, Provider | Callable[[Any], Any]]]:
        hints = hints_of(self.function, local_names)
        for parameter in asked_parameters(self.function):
            annotation = hints.get(parameter.name, parameter.empty)
            mark = dependency_of(annotation)
            if mark is not None:
                provider = Provider(mark, path, local_names=local_names, further=self.further)
                yield parameter.name, self._nested(provider)
            elif is_context(annotation) or annotation is Invocation:
                yield parameter.name, self._of_invocation(annotation)
            elif self.further is not None and (read := self.further(self.function, parameter, annotation)) is not None:
                yield parameter.name, read
            elif parameter.default is parameter.empty or isinstance(parameter.default, Depends):
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
                f"Mark it Depends({getattr(provider.function, '__name__', 'f')}, scope='environment') too.",
            )
        return provider

    def _of_invocation(self, annotation: Any) -> Callable[[Any], Any]:
        what, read = ("invocation", _itself) if annotation is Invocation else ("context", context_of)
        if self.scope == "environment":
            raise RegistrationError(
                f"what lives as long as the environment asks for the {what}, which lasts one call",
                where(self.function),
                "Ask for it in the handler, or in a dependency without scope='environment'.",
            )
        return read


def _itself(invocation: Invocation) -> Invocation:
    return invocation


class Dependencies:
    """The values of an execution environment, and the way to those of an invocation."""

    def __init__(self, loop: EventLoop) -> None:
        self.loop = loop
        self.values: dict[Any, Any] = {}
        self.stack = ExitStack()
        self.overrides: dict[Callable[..., Any], Provider] = {}

    def provide(self, provider: Provider, invocation: Invocation | None) -> Any:
        """The value of a dependency, made when it is first asked for; ``invocation.values`` has it by its provider."""
        value = self._value(provider, invocation)
        if invocation is not None:
            invocation.values[provider] = value
        return value

    def call(self, provider: Provider) -> Any:
        """Call a function of the environment, whatever it returned before."""
        self.values.pop(self._key(provider), None)
        return self.provide(provider, None)

    def close(self) -> None:
        """Clean up after the values of the environment, the last one first."""
        stack, self.stack = self.stack, ExitStack()
        self.values.clear()
        stack.close()

    def _value(self, provider: Provider, invocation: Invocation | None, replaced: Replaced = frozenset()) -> Any:
        values, stack = self._home(provider, invocation)
        key = self._key(provider, replaced)
        if key not in values:
            actual, replaced = self._actual(provider, replaced)
            arguments = {
                name: self._value(asked, invocation, replaced) if isinstance(asked, Provider) else asked(invocation)
                for name, asked in actual.arguments.items()
            }
            values[key] = self._made(actual, arguments, stack)
        return values[key]

    def _key(self, provider: Provider, replaced: Replaced = frozenset()) -> Hashable:
        """What a value is kept by: its function, and the overrides it was made with, so that it can't outlive them."""
        if not self.overrides:
            return provider.function
        actual, replaced = self._actual(provider, replaced)
        asked = [argument for argument in actual.arguments.values() if isinstance(argument, Provider)]
        keys = [self._key(argument, replaced) for argument in asked]
        if actual is provider and keys == [argument.function for argument in asked]:
            return provider.function
        return (provider.function if actual is provider else actual, *keys)

    def _actual(self, provider: Provider, replaced: Replaced) -> tuple[Provider, Replaced]:
        """What is in force; what replaces a dependency may itself depend on that."""
        if provider.function in replaced or provider.function not in self.overrides:
            return provider, replaced
        return self.overrides[provider.function], replaced | {provider.function}

    def _home(self, provider: Provider, invocation: Invocation | None) -> tuple[dict[Any, Any], ExitStack]:
        if provider.scope == "environment" or invocation is None:
            return self.values, self.stack
        if invocation.stack is None:
            invocation.stack = ExitStack()
        return invocation.values, invocation.stack

    def _made(self, provider: Provider, arguments: dict[str, Any], stack: ExitStack) -> Any:
        value = provider.function(**arguments)
        if inspect.iscoroutine(value):
            value = self.loop.run(value)
        return self._entered(value, stack) if provider.yields else value

    def _entered(self, value: Any, stack: ExitStack) -> Any:
        """What a generator yields, or what a function marked with ``contextlib.contextmanager`` manages."""
        if inspect.isgenerator(value):
            value = contextmanager(lambda: value)()
        elif inspect.isasyncgen(value):
            value = asynccontextmanager(lambda: value)()
        if not hasattr(value, "__aexit__"):
            return stack.enter_context(value)
        entered = self.loop.run(value.__aenter__())
        stack.push(lambda *error: self.loop.run(value.__aexit__(*error)))
        return entered
