"""Resources on a clock that runs in a thread of its own: whatever a test does with them is done in that thread."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial, wraps
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lambdakit.local.clock import Clock


def serialize(resource: Any, clock: Clock) -> None:
    """Have a resource's public methods and properties run where the clock's actions run, one at a time with them.

    On virtual time that is the thread that calls, and nothing has to be done.
    """
    if clock.threaded:
        kind: Any = type(resource)
        resource.__class__ = _serial(kind)


@cache
def _serial(kind: Any) -> type:
    """The class, with whatever is public in it done by the clock of the object."""
    public: dict[str, Any] = {}
    for name in dir(kind):
        value = getattr(kind, name)
        if name.startswith("_") and name not in ("__len__", "__iter__"):
            continue
        if isinstance(value, property):
            public[name] = _property(value)
        elif callable(value) and not isinstance(kind.__dict__.get(name), classmethod | staticmethod):
            public[name] = _method(value)
    return type(kind.__name__, (kind,), public)


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def method(self: Any, *arguments: Any, **keywords: Any) -> Any:
        return self._clock.call(partial(function, self, *arguments, **keywords))

    return method


def _property(given: property) -> property:
    getter, setter = given.fget, given.fset
    assert getter is not None
    return property(_method(getter), None if setter is None else _method(setter))
