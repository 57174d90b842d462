"""Direct invocations: what ``@on_invoke`` takes and hands to a handler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, overload

from typing_extensions import TypeVar

from lambdakit.triggers.trigger import Record, Trigger, mark

Handler = TypeVar("Handler", bound=Callable[..., object])


@dataclass(frozen=True, eq=False, repr=False)
class InvokeTrigger(Trigger):
    """Invocations whose payload is the caller's own: Invoke, Step Functions, another function.

    Source: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
    """

    source: ClassVar[str] = "invoke"
    labels: ClassVar[frozenset[str]] = frozenset({"direct", "stepfunctions"})
    noun: ClassVar[str] = "payload"

    @classmethod
    def payload_reader(cls, annotation: Any) -> Callable[[Record], Any]:
        """Of the whole event."""
        from lambdakit.events.payload import value_reader

        return value_reader(annotation)


@overload
def on_invoke(function: Handler, /) -> Handler: ...
@overload
def on_invoke() -> Callable[[Handler], Handler]: ...
def on_invoke(function: Any = None, /) -> Any:
    """Run the decorated function when someone invokes it with a payload of their own; its result is the reply.

    It may ask for the payload in any type that Pydantic reads. Models, dataclasses, dates and the like in the result go
    out as JSON.

    >>> @on_invoke
    ... def add(numbers: list[int]) -> int:
    ...     return sum(numbers)
    """
    decorate = mark(InvokeTrigger())
    return decorate if function is None else decorate(function)
