"""What middleware is given: one form, around an invocation or around a record.

A middleware is a function of two parameters: what goes on, and a function without parameters that goes on with it and
returns its reply. The annotation of the first one says what it wraps::

    def timed(invocation: Invocation, call_next: CallNext) -> object:
        started = time.perf_counter()
        try:
            return call_next()
        finally:
            print(invocation.source, time.perf_counter() - started)

``RecordInvocation`` in its place wraps each record, or each event that has no records. Middleware is written with
``def`` also around ``async def`` handlers.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from lambdakit.errors import RegistrationError
from lambdakit.signature import asked_parameters, hints_of, is_generator_function, where

if TYPE_CHECKING:
    from contextlib import ExitStack

    from lambdakit.http.request import HttpRequest

CallNext = Callable[[], Any]
Middleware = Callable[[Any, CallNext], Any]


class Invocation:
    """One call of the function.

    Attributes:
        event: The raw event.
        context: Lambda's context object.
        source: The source, a label of ``identify``.
        request: The request, as soon as its route is known; None where the event is none.
    """

    __slots__ = ("context", "event", "request", "source", "stack", "values")

    def __init__(self, event: Any, context: Any, source: str) -> None:
        self.event = event
        self.context = context
        self.source = source
        self.request: HttpRequest | None = None
        self.values: dict[Any, Any] = {}
        self.stack: ExitStack | None = None

    def end(self, error: BaseException | None = None) -> None:
        """Clean up after its dependencies, which see the error that ended it."""
        stack, self.stack = self.stack, None
        if stack is not None:
            stack.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)


class RecordInvocation:
    """One call of a handler for one record, or for an event that has no records.

    Attributes:
        record: The raw record.
        record_id: What tells it from others of its source: a message id, an event id, an object's version.
        handler: The handler's name, as ``module.function``.
        invocation: The invocation it is part of.
    """

    __slots__ = ("handler", "invocation", "record", "record_id")

    def __init__(self, record: Any, record_id: str, handler: str, invocation: Invocation) -> None:
        self.record = record
        self.record_id = record_id
        self.handler = handler
        self.invocation = invocation


def context_of(invocation: Invocation) -> Any:
    """Lambda's context; one made up where the App was called without, as a test may do."""
    if invocation.context is None:
        from lambdakit.context import LambdaContext

        invocation.context = LambdaContext()
    return invocation.context


MiddlewareLike = Middleware | Iterable[Any]


def sorted_by_form(entries: MiddlewareLike) -> tuple[list[Middleware], list[Middleware]]:
    """Those around an invocation and those around a record, outermost first; nested sequences are laid flat."""
    forms: dict[type, list[Middleware]] = {Invocation: [], RecordInvocation: []}
    for middleware in _flat(entries):
        forms[_form(middleware)].append(middleware)
    return forms[Invocation], forms[RecordInvocation]


def _flat(entry: Any) -> Iterable[Middleware]:
    if callable(entry):
        yield entry
    elif isinstance(entry, Iterable) and not isinstance(entry, str):
        for inner in entry:
            yield from _flat(inner)
    else:
        raise TypeError(f"middleware is a function of (invocation, call_next), or several in a list, not {entry!r}")


def _form(middleware: Middleware) -> type:
    if inspect.iscoroutinefunction(middleware) or is_generator_function(middleware):
        raise RegistrationError(
            "middleware is written with def and returns: no async def, no yield",
            where(middleware),
            "It works around async handlers as it is.",
        )
    hints = hints_of(middleware)
    parameters = asked_parameters(middleware)
    further = [parameter for parameter in parameters[2:] if parameter.default is parameter.empty]
    asked = hints.get(parameters[0].name) if len(parameters) >= 2 and not further else None
    if asked is not Invocation and asked is not RecordInvocation:
        raise RegistrationError(
            "middleware takes (invocation: Invocation, call_next) or (record: RecordInvocation, call_next)",
            where(middleware),
            "The annotation of the first parameter tells what it goes around.",
        )
    return asked


def wrapped(middleware: Sequence[Middleware], given: Any, call: CallNext) -> CallNext:
    """A call inside its middleware, the first one outermost."""
    for layer in reversed(middleware):
        call = _layer(layer, given, call)
    return call


def _layer(layer: Middleware, given: Any, call: CallNext) -> CallNext:
    return lambda: layer(given, call)
