"""What every trigger is, and how a decorator marks a function with one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from lambdakit.errors import RegistrationError
from lambdakit.signature import LOCAL_NAMES, where

if TYPE_CHECKING:
    from types import FrameType

    from lambdakit.batch import Batch
    from lambdakit.binding import Handler
    from lambdakit.depends import Dependencies
    from lambdakit.http.settings import HttpSettings
    from lambdakit.lane import Lane

Record = Any
"""A raw record: a JSON object of an event, or the event itself where it holds no records."""

Specificity = tuple[int, ...]
"""How closely a trigger matches a record: the greater tuple wins."""

TRIGGERS = "__lambdakit_triggers__"
COLLECTED = "__lambdakit_collected__"

Function = TypeVar("Function", bound=Callable[..., object])


class Trigger:
    """What makes Lambda run a function. A subclass is a dataclass of its settings.

    ``source`` is the name of its event models' source, ``labels`` are the answers of ``identify`` that it takes,
    ``resource`` is the setting that names where the events come from, ``noun`` is what AWS calls one record, and
    ``payload_path`` is where the payload lies, for messages.
    """

    source: ClassVar[str]
    labels: ClassVar[frozenset[str]]
    resource: ClassVar[str] = ""
    noun: ClassVar[str] = "event"
    payload_path: ClassVar[str] = ""
    routing_key: ClassVar[Callable[[Record], Hashable] | None] = None
    """A value of a record, equal where every trigger of the source judges alike; None if nothing tells."""
    via: tuple[str, ...] = ()
    concurrency: int = 1

    def for_function(self, name: str) -> Trigger:
        """Itself, with what follows from the name of the function it marks."""
        return self

    def handler(self, function: Callable[..., Any]) -> Handler:
        """The function under this trigger, with what each of its parameters is given.

        Raises:
            RegistrationError: the signature does not fit.
        """
        from lambdakit.binding import Handler

        return Handler(function, self)

    @classmethod
    def lane(cls, dependencies: Dependencies, http: HttpSettings | None) -> Lane:
        """The lane of an App for the handlers of this trigger."""
        from lambdakit.lane import Lane

        return Lane(cls, dependencies)

    @property
    def rivals(self) -> Hashable:
        """A value that is equal for triggers of its source which may conflict: only those are compared."""
        return None

    def conflicts(self, other: Trigger) -> bool:
        """Whether it and another of its source can't be told apart by some record."""
        return self.resource == "" or getattr(self, self.resource) == getattr(other, self.resource)

    def repeats(self, other: Trigger) -> bool:
        """Whether both above one function would be the same thing twice."""
        return self.conflicts(other)

    def specificity(self, record: Record) -> Specificity | None:
        """How closely it matches a record; None if it does not."""
        return ()

    def why_not(self, record: Record) -> str:
        """Why it does not match a record, in words."""
        return f"takes {self}, this is from {self.origin(record)}"

    @classmethod
    def records(cls, event: Any) -> list[Record]:
        """The raw records of a raw event."""
        return [event]

    @classmethod
    def origin(cls, record: Record) -> str:
        """Where a record came from, in words: ``queue 'orders'``."""
        return ""

    @classmethod
    def record_id(cls, record: Record) -> str:
        """What tells a record from the others of its source, ``""`` where nothing does."""
        return ""

    @classmethod
    def item_identifier(cls, record: Record) -> str:
        """What names a record in a batch answer, ``""`` where nothing does."""
        return cls.record_id(record)

    @classmethod
    def order_key(cls, record: Record) -> Hashable:
        """A value that is equal for records which must be handled one after the other; None for those that need not."""
        return None

    @classmethod
    def batch(cls, records: Sequence[Record]) -> Batch | None:
        """How failures of single records are answered; None where Lambda takes no such answer."""
        return None

    @classmethod
    def payload_reader(cls, annotation: Any) -> Callable[[Record], Any] | None:
        """What makes a payload of that type of a record; None where the source has no payload."""
        return None

    @classmethod
    def contents(cls, record: Record) -> Any:
        """The event that a record carries for a trigger that reaches through it; None where it carries none."""
        return None

    def settings(self) -> dict[str, object]:
        """The settings that differ from their defaults, by name."""
        return {
            name: getattr(self, name)
            for name, field in getattr(self, "__dataclass_fields__", {}).items()
            if getattr(self, name) != field.default
        }

    def __str__(self) -> str:
        """As it is written above a function: ``on_s3('uploads', suffix='.csv')``."""
        settings = self.settings()
        first = [repr(settings.pop(self.resource))] if self.resource in settings else []
        rest = [f"{name}={value!r}" for name, value in settings.items()]
        return f"on_{self.source}({', '.join(first + rest)})"

    __repr__ = __str__


def mark(trigger: Trigger) -> Callable[[Function], Function]:
    """A decorator that attaches a trigger to a function and returns that function."""

    def decorate(function: Function) -> Function:
        check_markable(function, trigger)
        known: tuple[Trigger, ...] = getattr(function, TRIGGERS, ())
        setattr(function, TRIGGERS, (trigger, *known))
        return function

    return decorate


def check_markable(function: Callable[..., Any], mark: object) -> None:
    """See that an App can find the function and read its annotations.

    Raises:
        TypeError: it is no function.
        RegistrationError: no App would find it.
    """
    if not inspect.isfunction(inspect.unwrap(function)):
        raise TypeError(f"{mark} marks a function (def or async def), not {function!r}")
    scope = function.__qualname__.rpartition("<locals>.")[2].rpartition(".")[0]
    if scope and not scope.startswith("<"):  # as <listcomp> does
        raise RegistrationError(
            f"{mark} marks a method; App collects the functions of a module, and has no object to call it on",
            where(function),
            f"Move the function out of class {scope}.",
        )
    if "<locals>" in function.__qualname__:
        _keep_local_names(function)
    else:
        _refuse_late(function, mark)


def _refuse_late(function: Callable[..., Any], mark: object) -> None:
    """A mark below its module's App would never be seen: say so now. A reloaded module, or a prompt, starts anew."""
    namespace = inspect.unwrap(function).__globals__
    collected = namespace.get(COLLECTED)
    if collected is not None and collected[0] is namespace.get("__spec__") and "__file__" in namespace:
        raise RegistrationError(
            f"{mark} marks a function after its module's App was built, which will not see it",
            where(function),
            f"Move the function above the App at {collected[1]}, or that App below it.",
        )


def _keep_local_names(function: Callable[..., Any]) -> None:
    """The names of the enclosing function, which the annotations of a nested handler may use as text."""
    own = ("lambdakit.triggers.", "lambdakit.hooks")
    frame: FrameType | None = inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__", "").startswith(own):
        frame = frame.f_back
    if frame is not None:
        setattr(function, LOCAL_NAMES, dict(frame.f_locals))


def trigger_class(source: str) -> type[Trigger]:
    """The trigger of an envelope that others can come through.

    Raises:
        ValueError: it is not one.
    """
    from importlib import import_module

    classes = {"sqs": "SqsTrigger", "sns": "SnsTrigger", "eventbridge": "EventBridgeTrigger"}
    if source not in classes:
        raise ValueError(f"via takes 'sqs', 'sns' or 'eventbridge', or a tuple of them, not {source!r}")
    found: type[Trigger] = getattr(import_module(f"lambdakit.triggers.{source}"), classes[source])
    return found
