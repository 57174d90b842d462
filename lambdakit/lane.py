"""A lane: the handlers of one sender, the way of its records to them, and the answer that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import cached_property
from inspect import isasyncgen, iscoroutinefunction, isgenerator
from typing import TYPE_CHECKING, Any

from lambdakit.errors import EventValidationError, NoHandlerError
from lambdakit.middleware import Invocation, Middleware, RecordInvocation, wrapped
from lambdakit.reply import jsonable

if TYPE_CHECKING:
    from lambdakit.binding import Call, Handler
    from lambdakit.delivery import Delivery
    from lambdakit.depends import Dependencies
    from lambdakit.loop import EventLoop
    from lambdakit.triggers.trigger import Record, Trigger

_UNREADABLE = (KeyError, TypeError, AttributeError, ValueError, IndexError)
"""What reading a document raises that is not the one it was taken for."""


class Target:
    """Where a record goes: a handler, inside its middleware.

    ``run`` calls it; what that returns may have to be awaited still. ``arun`` is the same call where it is known to
    return a coroutine and nothing is around it: it may be made on the event loop.
    """

    __slots__ = ("arun", "handlers", "run", "unit")

    def __init__(self, handler: Handler, middleware: Sequence[Middleware], dependencies: Dependencies) -> None:
        self.handlers = [handler]
        self.unit = handler.unit
        self.run = handler.call
        self.arun = handler.call if iscoroutinefunction(handler.function) and not middleware else None
        if middleware and handler.unit == "record":
            self.run = _inside(middleware, handler, dependencies.loop)


def _inside(middleware: Sequence[Middleware], handler: Handler, loop: EventLoop) -> Call:
    record_id, name, call = handler.trigger.record_id, handler.name, handler.call

    def run(record: Record, invocation: Invocation) -> Any:
        given = RecordInvocation(record, record_id(record), name, invocation)
        return wrapped(middleware, given, lambda: loop.settled(call(record, invocation)))()

    return run


class Opened:
    """Where a record goes that is an envelope: to the lane of what it carries."""

    __slots__ = ("arun", "handlers", "run", "unit")

    def __init__(self, lane: Lane, event: Any, targets: Sequence[AnyTarget]) -> None:
        self.handlers: list[Handler] = [handler for target in targets for handler in target.handlers]
        self.unit = "record"
        self.arun = None
        self.run = lambda _, invocation: shaped(
            [executed(reply) for reply in lane.replies(event, lane.records(event), invocation)]
        )


AnyTarget = Target | Opened


class Reach:
    """The way through envelopes: what a record carries, and the lane that takes it."""

    def __init__(self, envelopes: Sequence[type[Trigger]], lane: Lane) -> None:
        self.envelopes = envelopes
        self.lane = lane

    def open(self, record: Record) -> Opened | None:
        """The target of what a record carries; None where it is something else or no handler takes it.

        Nothing to handle is taken only where the document says so itself, as S3's test event does.
        """
        try:
            event = self._contents(record)
            targets = [self.lane.route(inner) for inner in self.lane.trigger.records(event)]
        except _UNREADABLE:
            return None
        found = [target for target in targets if target is not None]
        empty = not targets and "Records" in event
        return None if empty or len(found) < len(targets) else Opened(self.lane, event, found)

    def _contents(self, record: Record) -> Any:
        outermost, *inner = self.envelopes
        event = outermost.contents(record)
        for envelope in inner:
            [carried] = envelope.records(event)
            event = envelope.contents(carried)
        return event


class Lane:
    """The handlers that take what one sender delivers, perhaps as an envelope of what another sent."""

    def __init__(self, trigger: type[Trigger], dependencies: Dependencies) -> None:
        self.trigger = trigger
        self.targets: list[Target] = []
        self.reaches: list[Reach] = []
        self.loop = dependencies.loop
        self._dependencies = dependencies
        self._routes: dict[Hashable, AnyTarget | None] = {}

    def add(self, target: Target) -> None:
        """Let a handler take its share of the records."""
        self.targets.append(target)

    @cached_property
    def handlers(self) -> list[Handler]:
        """All of them, those behind envelopes too."""
        own = [handler for target in self.targets for handler in target.handlers]
        return own + [handler for reach in self.reaches for handler in reach.lane.handlers]

    def behind(self, envelopes: Sequence[type[Trigger]], trigger: type[Trigger]) -> Lane:
        """The lane of what arrives in those envelopes, the outermost first."""
        for reach in self.reaches:
            if reach.envelopes == envelopes and reach.lane.trigger is trigger:
                return reach.lane
        lane = Lane(trigger, self._dependencies)
        self.reaches.append(Reach(envelopes, lane))
        return lane

    def routes(self, records: Sequence[Record]) -> list[AnyTarget | None]:
        """The target that takes each record; records that no trigger tells apart are judged once.

        Raises:
            EventValidationError: a record lacks what a handler is chosen by.
        """
        try:
            key, known = self.trigger.routing_key, self._routes
            if key is None or self.reaches:
                return [self.route(record) for record in records]
            try:
                return [known[key(record)] for record in records]
            except KeyError:
                samples = {key(record): record for record in records}
                known.update({each: self.route(record) for each, record in samples.items() if each not in known})
                return [known[key(record)] for record in records]
        except _UNREADABLE as error:
            raise unreadable(self.trigger, error) from error

    def describe(self, record: Record) -> str:
        """A record and where it came from, in words."""
        words = (self.trigger.noun, _words(self.trigger.record_id, record), _words(self.trigger.origin, record))
        return " ".join(str(word) for word in words if word)

    def route(self, record: Record) -> AnyTarget | None:
        """The target that takes a record: what it carries before what it is, then the closest match."""
        for reach in self.reaches:
            opened = reach.open(record)
            if opened is not None:
                return opened
        best: tuple[int, ...] | None = None
        chosen: list[Target] = []
        for target in self.targets:
            specificity = target.handlers[0].trigger.specificity(record)
            if specificity is not None and (best is None or specificity >= best):
                chosen = [*chosen, target] if specificity == best else [target]
                best = specificity
        functions = {target.handlers[0].function for target in chosen}
        return chosen[0] if len(functions) == 1 else None

    def records(self, event: Any) -> list[Record]:
        """The raw records of an event.

        Raises:
            EventValidationError: it has not the form of its source's events.
        """
        try:
            return self.trigger.records(event)
        except _UNREADABLE as error:
            raise unreadable(self.trigger, error) from error

    def run(self, event: Any, invocation: Invocation) -> Any:
        """Handle a raw event and answer as its sender expects."""
        records = self.records(event)
        batch = self.trigger.batch(records)
        if batch is None:
            return jsonable(shaped(self.replies(event, records, invocation)))
        return self._delivery(self, event, records, batch, invocation).answered()

    def replies(self, event: Any, records: Sequence[Record], invocation: Invocation) -> list[Any]:
        """Handle an event whose sender takes no partial answer, all of it or an exception: what each call returned."""
        targets = [target for target in self.routes(records) if target is not None]
        if len(targets) < len(records):
            raise self.nobody(records[self.routes(records).index(None)], invocation.source)
        self.provide(targets, invocation)
        settled = self.loop.settled
        calls = zip(targets, records, strict=True) if self.by_record else self._calls(targets, records, event)
        return [settled(target.run(value, invocation)) for target, value in calls]

    @cached_property
    def depends(self) -> bool:
        """Whether a handler here has dependencies."""
        return any(handler.providers for handler in self.handlers)

    @cached_property
    def one_by_one(self) -> bool:
        """Whether nothing here is ever handled on the event loop."""
        return not any(handler.is_async or handler.concurrency > 1 for handler in self.handlers)

    @cached_property
    def by_record(self) -> bool:
        """Whether each call here is for one record."""
        return all(handler.unit == "record" for handler in self.handlers)

    @cached_property
    def _delivery(self) -> type[Delivery]:
        from lambdakit.delivery import Delivery

        return Delivery

    def _calls(self, targets: Sequence[Any], records: Sequence[Record], event: Any) -> Iterator[tuple[AnyTarget, Any]]:
        """Each call that is due: one a record, or one for all of a handler's records."""
        for target in dict.fromkeys(targets):
            own = [record for record, to in zip(records, targets, strict=True) if to is target]
            if target.unit == "record":
                yield from ((target, record) for record in own)
            else:
                [handler] = target.handlers
                yield target, handler.whole(event, [self.read(handler, record) for record in own])

    def read(self, handler: Handler, record: Record) -> Any:
        """A record as a handler of several asks for it."""
        assert handler.read is not None
        try:
            return handler.read(record)
        except ValueError as error:
            raise handler.invalid(record, error) from error

    def nobody(self, record: Record, source: str) -> NoHandlerError:
        """That no handler takes a record."""
        return NoHandlerError(source, _words(self.trigger.origin, record), [str(handler) for handler in self.handlers])

    def why_not(self, handler: Handler, record: Record) -> str:
        """Why a handler does not take a record, in words."""
        trigger = handler.trigger
        if trigger.via:
            return f"takes {trigger}: the record carries nothing that it takes"
        if trigger.specificity(record) is None:
            return trigger.why_not(record)
        return f"takes {trigger}: another is as close or closer"

    def provide(self, targets: Sequence[AnyTarget | None], invocation: Invocation) -> None:
        """Provide what the handlers depend on, before the first of them runs."""
        if not self.depends:
            return
        for target in dict.fromkeys(targets):
            for handler in target.handlers if target else ():
                for provider in handler.providers:
                    self._dependencies.provide(provider, invocation)

    def windowed(self, event: Any) -> list[Target]:
        """The targets of a tumbling window that ends without records: those that take what its stream carries."""
        judged = [
            (target.handlers[0].trigger.specificity({**event, "eventName": name}), target)
            for target in self.targets
            if target.unit == "event"
            for name in getattr(target.handlers[0].trigger, "events", (None,))
        ]
        found = [(specificity, target) for specificity, target in judged if specificity is not None]
        best = max((specificity for specificity, _ in found), default=())
        return list(dict.fromkeys(target for specificity, target in found if specificity == best))


def shaped(replies: list[Any]) -> Any:
    """The reply of one call; of several, where any returned something, what each of them did."""
    if len(replies) == 1:
        return replies[0]
    return replies if any(reply is not None for reply in replies) else None


def executed(reply: Any) -> Any:
    """A reply that no one will look at, which must not be what is to be done still.

    Raises:
        TypeError: it is a generator: nothing of it ran.
    """
    if isgenerator(reply) or isasyncgen(reply):
        raise TypeError("the handler returned a generator, of which nothing ran; iterate over it in the handler")
    return reply


def _words(tell: Callable[[Record], str], record: Record) -> str:
    """What a trigger tells of a record, ``""`` where the record lacks it."""
    try:
        return tell(record)
    except _UNREADABLE:
        return ""


def unreadable(trigger: type[Trigger], error: Exception) -> EventValidationError:
    """That a record lacks what its handler is chosen by."""
    problem = f"{type(error).__name__}: {error}"
    return EventValidationError("the choice of a handler", f"{trigger.noun} without its usual fields", [problem])
