"""The App: collects marked functions, checks them, and is the Lambda handler."""

from __future__ import annotations

import inspect
import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from lambdakit.depends import Dependencies, Depends, Provider
from lambdakit.errors import NoHandlerError, RegistrationError
from lambdakit.hooks import HOOKS, hooks_of, register_snapshot_hooks, runs_under_snapstart
from lambdakit.identify import identify
from lambdakit.lane import Target
from lambdakit.loop import EventLoop
from lambdakit.middleware import Invocation, MiddlewareLike, sorted_by_form, wrapped
from lambdakit.signature import name_of, where
from lambdakit.triggers.trigger import COLLECTED, TRIGGERS, trigger_class

if TYPE_CHECKING:
    from collections.abc import Hashable
    from typing import Unpack

    from lambdakit.binding import Handler
    from lambdakit.http.settings import HttpSettings
    from lambdakit.lane import Lane
    from lambdakit.settings import FunctionSettings
    from lambdakit.triggers.trigger import Trigger

Collected = str | ModuleType | Callable[..., Any]


class Explanation:
    """What would become of an event.

    Attributes:
        source: The source, a label of ``identify``.
        handlers: The handlers that would run, as ``module.function``, in order.
        lines: Each record and each handler that was considered for it, in words.
    """

    def __init__(self, source: str, handlers: list[str], lines: list[str]) -> None:
        self.source = source
        self.handlers = handlers
        self.lines = lines

    def __repr__(self) -> str:
        return f"<Explanation of {self.source!r}: {', '.join(self.handlers) or 'no handlers'}>"

    def __str__(self) -> str:
        return "\n".join([f"source: {self.source}", *self.lines])


class App:
    """One Lambda function: handlers, their settings, and the entry point that Lambda calls.

    Args:
        *modules_or_functions: What to collect: names of modules (``__name__`` for this one), modules, functions. Every
            marked function in a module counts, imported ones too.
        name: The function's name; by default that of its first module or function.
        middleware: What to wrap invocations and records in, outermost first.
        http: How requests are answered: CORS, compression, limits.
        **function_settings: The function's settings in AWS, see ``FunctionSettings``.

    Raises:
        RegistrationError: a handler does not fit its trigger, or two can't be told apart.
        ValueError: there is no such setting, or Lambda does not take its value.

    >>> from lambdakit import App, on_invoke
    >>> @on_invoke
    ... def double(number: int) -> int:
    ...     return 2 * number
    >>> App(double)(21)
    42
    """

    def __init__(
        self,
        *modules_or_functions: Collected,
        name: str | None = None,
        middleware: Iterable[MiddlewareLike] = (),
        http: HttpSettings | None = None,
        **function_settings: Unpack[FunctionSettings],
    ) -> None:
        namespace, place = _caller()
        functions = list(dict.fromkeys(_collected(modules_or_functions, namespace, place)))
        if function_settings:
            from lambdakit.settings import check_settings

            check_settings(function_settings)
        self.name = name or _default_name(modules_or_functions, namespace)
        self.__name__ = self.__qualname__ = self.name  # for decorators of Lambda handlers, which take a function
        self.__module__ = namespace.get("__name__", "")  # where it is to be imported from
        self.settings: FunctionSettings = function_settings
        self.http = http
        self._loop = EventLoop()
        self._dependencies = Dependencies(self._loop)
        self._around, self._around_records = sorted_by_form(middleware) if middleware else ([], [])
        self.handlers: list[Handler] = [t.handler(f) for f in functions for t in getattr(f, TRIGGERS, ())]
        _refuse_conflicts(self.handlers)
        self._lanes: dict[str, Lane] = {}
        for handler in self.handlers:
            self._enter(handler)
        self._hooks = hooks_of(functions)
        self._started = False
        self._finalizer = weakref.finalize(self, _end, self._dependencies, self._loop)
        self._begin(namespace.get("__name__", ""))

    def __call__(self, event: Any, context: Any = None) -> Any:
        """Handle a raw event as Lambda's handler does: identify it, route it, answer it.

        Raises:
            NoHandlerError: no handler takes the event.
            EventValidationError: the event does not fit what its handler asks for; in a batch that record just fails.
            Exception: whatever the handler raised, untouched.
        """
        if not self._started:
            self.start()
        invocation = Invocation(event, context, identify(event))
        if not self._around:
            return self._handled(invocation)
        return wrapped(self._around, invocation, lambda: self._handled(invocation))()

    def _handled(self, invocation: Invocation) -> Any:
        lane = self._lanes.get(invocation.source)
        if lane is None:
            raise NoHandlerError(invocation.source, sources=sorted(self._lanes))
        try:
            reply = lane.run(invocation.event, invocation)
        except BaseException as error:
            invocation.end(error)
            raise
        if invocation.stack is not None:
            invocation.end()
        return reply

    def __repr__(self) -> str:
        return f"<App {self.name!r}: {', '.join(map(str, self.handlers)) or 'no handlers'}>"

    def start(self) -> None:
        """Run the start-up hooks, once an execution environment.

        In Lambda this happens while the environment starts, or restores its snapshot; elsewhere before the first event.
        """
        for hook in self._hooks.on_start:
            self._dependencies.provide(hook, None)
        self._started = True

    def close(self) -> None:
        """Clean up what the environment's dependencies opened; the App may be used again."""
        _end(self._dependencies, self._loop)
        self._started = False

    def override(self, dependency: Callable[..., Any], with_: Callable[..., Any]) -> AbstractContextManager[None]:
        """Replace a dependency, for a test: from now on, or until the end of a ``with`` block.

        Args:
            dependency: The function in ``Depends(dependency)``.
            with_: The function to call in its place; it may have dependencies of its own.

        >>> from typing import Annotated
        >>> from lambdakit import App, Depends, on_invoke
        >>> def rate() -> float: ...
        >>> @on_invoke
        ... def convert(amount: float, rate: Annotated[float, Depends(rate)]) -> float:
        ...     return amount * rate
        >>> app = App(convert)
        >>> with app.override(rate, with_=lambda: 2.0):
        ...     app(21.0)
        42.0
        """
        known = self._providers()
        if dependency not in known:
            names = ", ".join(sorted(function.__name__ for function in known)) or "none at all"
            raise ValueError(f"no handler depends on {name_of(dependency)}; the App's dependencies: {names}")
        replaced = known[dependency]
        provider = Provider(Depends(with_, scope=replaced.scope), further=replaced.further)
        overrides = self._dependencies.overrides
        before = overrides.get(dependency)
        overrides[dependency] = provider
        return _Override(overrides, dependency, before)

    def explain(self, event: Any) -> Explanation:
        """Tell who would handle an event, and why not the others, without running anything."""
        source = identify(event)
        lane = self._lanes.get(source)
        if lane is None:
            return Explanation(source, [], [str(NoHandlerError(source, sources=sorted(self._lanes)))])
        handlers: dict[str, None] = {}
        lines: list[str] = []
        for number, record in enumerate(lane.records(event)):
            target = lane.routes([record])[0]
            taken = target.handlers if target else []
            handlers.update(dict.fromkeys(handler.name for handler in taken))
            lines.append(f"record {number}: {lane.describe(record)}")
            lines += [f"  taken by {handler}" for handler in taken]
            lines += [f"  not {h.name}: {lane.why_not(h, record)}" for h in lane.handlers if h not in taken]
        return Explanation(source, list(handlers), lines)

    def openapi(
        self,
        *,
        title: str | None = None,
        version: str = "1.0.0",
        description: str | None = None,
        servers: Iterable[str] = (),
        security_schemes: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """The OpenAPI 3.1 document of its routes, as JSON can hold it.

        Args:
            title: The API's name; by default the App's.
            version: The API's version.
            description: What the API is for, in Markdown.
            servers: Its addresses.
            security_schemes: The schemes that ``security=`` of a route names, as OpenAPI writes them.

        Source: https://spec.openapis.org/oas/v3.1.1.html
        """
        from lambdakit.http.openapi import openapi

        return openapi(
            self,
            title=title,
            version=version,
            description=description,
            servers=servers,
            security_schemes=security_schemes or {},
        )

    def _enter(self, handler: Handler) -> None:
        """Give a handler its place in the lane of its sources."""
        envelopes = [trigger_class(name) for name in reversed(handler.trigger.via)]
        lane = self._lane(envelopes[0] if envelopes else handler.trigger)
        if envelopes:
            lane = lane.behind(envelopes, type(handler.trigger))
        lane.add(Target(handler, self._around_records, self._dependencies))

    def _lane(self, trigger: Trigger | type[Trigger]) -> Lane:
        """The lane of a trigger's sources; no other trigger has one of them without the others."""
        known = (self._lanes[label] for label in trigger.labels if label in self._lanes)
        lane = next(known, None) or trigger.lane(self._dependencies, self.http)
        self._lanes.update(dict.fromkeys(trigger.labels, lane))
        return lane

    def _providers(self) -> dict[Callable[..., Any], Provider]:
        """Each dependency's function and how it is provided."""
        providers: dict[Callable[..., Any], Provider] = {}
        asked = [provider for handler in self.handlers for provider in handler.providers]
        asked += self._hooks
        while asked:
            provider = asked.pop()
            providers[provider.function] = provider
            asked += [argument for argument in provider.arguments.values() if isinstance(argument, Provider)]
        return providers

    def _begin(self, module: str) -> None:
        """Start at once where Lambda loads the module that makes this App: there it is the INIT phase."""
        if os.environ.get("_HANDLER", "").rpartition(".")[0].replace("/", ".") != module:
            return
        if runs_under_snapstart():
            register_snapshot_hooks(self._hooks, self._dependencies)
        self.start()


def _end(dependencies: Dependencies, loop: EventLoop) -> None:
    dependencies.close()
    loop.close()


class _Override(AbstractContextManager[None]):
    """An override that is in force, and is taken back when its block ends."""

    def __init__(self, overrides: dict[Any, Provider], dependency: Any, before: Provider | None) -> None:
        self._overrides = overrides
        self._dependency = dependency
        self._before = before

    def __exit__(self, *error: object) -> None:
        """Take the override back."""
        if self._before is None:
            self._overrides.pop(self._dependency, None)
        else:
            self._overrides[self._dependency] = self._before


def _caller() -> tuple[dict[str, Any], str]:
    """The globals of the module that builds an App, and the line."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals is globals():
        frame = frame.f_back
    return (frame.f_globals, f"{frame.f_code.co_filename}:{frame.f_lineno}") if frame else ({}, "")


def _collected(given: Sequence[Collected], namespace: dict[str, Any], place: str) -> Iterator[Callable[..., Any]]:
    if not given:
        raise TypeError("App takes modules or functions: write App(__name__) to collect the module it stands in")
    for one in given:
        if isinstance(one, str) and one == namespace.get("__name__"):
            yield from _marked(namespace, place)  # this module, which may not be in sys.modules under its name
        elif isinstance(one, str):
            yield from _marked(vars(import_module(one)), place)
        elif isinstance(one, ModuleType):
            yield from _marked(vars(one), place)
        else:
            yield _checked(one)


def _checked(function: object) -> Callable[..., Any]:
    if callable(function) and (hasattr(function, TRIGGERS) or hasattr(function, HOOKS)):
        return function
    raise RegistrationError(
        "App was given a function without a trigger" if callable(function) else f"App can't collect {function!r}",
        where(function) if callable(function) else "",
        "Mark it with a decorator such as @on_s3(...), or give App a module.",
    )


def _marked(namespace: dict[str, Any], place: str) -> list[Callable[..., Any]]:
    """The marked functions of a module, which from now on refuses more."""
    namespace[COLLECTED] = namespace.get("__spec__"), place
    return [
        value
        for value in list(namespace.values())
        if callable(value) and not {TRIGGERS, HOOKS}.isdisjoint(getattr(value, "__dict__", ()))
    ]


def _default_name(given: Sequence[Collected], namespace: dict[str, Any]) -> str:
    first = given[0]
    name: str = first if isinstance(first, str) else first.__name__
    if name == "__main__":
        name = Path(str(namespace.get("__file__", "function"))).stem
    return name.rpartition(".")[2]


def _refuse_conflicts(handlers: Sequence[Handler]) -> None:
    rivals: dict[Hashable, list[Handler]] = {}
    for handler in handlers:
        trigger = handler.trigger
        others = rivals.setdefault((trigger.source, trigger.via, trigger.rivals), [])
        for other in others:
            collide = other.trigger.repeats if other.function is handler.function else other.trigger.conflicts
            if collide(trigger):
                raise RegistrationError(
                    f"two handlers claim the same thing: {other} and {handler}",
                    f"{where(other.function)} and {where(handler.function)}",
                    "Narrow one of them, or let one function serve both.",
                )
        others.append(handler)
