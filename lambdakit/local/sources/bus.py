"""A local EventBridge bus: events that are put on it, and the rules that send them on.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from pydantic_core import from_json

from lambdakit.local.sources.outlet import BusTarget, FunctionTarget, Outlet, Parcel, QueueTarget, TopicTarget
from lambdakit.local.sources.source import Place, Source, SourceError
from lambdakit.local.sources.target_input import TargetInput
from lambdakit.patterns import EventPattern
from lambdakit.testing.events.values import iso, text_of

if TYPE_CHECKING:
    from lambdakit.errors import LambdakitError
    from lambdakit.local.sources.outlet import Target
    from lambdakit.local.sources.target_input import InputTransformer

MAX_REQUEST_BYTES = 1_048_576
"""The most that the entries of one request may have together."""
MAX_ENTRIES = 10
MAX_TARGETS = 5

Event = dict[str, Any]

_TARGETS = (FunctionTarget, QueueTarget, TopicTarget, BusTarget)


class TargetSettings(TypedDict, total=False):
    """The settings of a rule's target.

    Attributes:
        input: What it gets instead of the event: any JSON value.
        input_path: The part of the event that it gets, such as ``"$.detail"``.
        input_transformer: What it gets is made of the event.
        group: The message group; a FIFO queue needs one.
        dead_letter_queue: Where an event goes that the target does not take.
    """

    input: Any
    input_path: str | None
    input_transformer: InputTransformer | None
    group: str | None
    dead_letter_queue: QueueTarget | None


class Bus(Source):
    """A bus of the local EventBridge. Its rules send events on when the clock runs.

    Args:
        name: Its name; that of the account's own is ``default``.
        place: Where it is.

    Attributes:
        events: What was put on it, in order.
        rules: Its rules, by name.

    Raises:
        SourceError: EventBridge does not take the name.

    >>> from lambdakit.local.virtual.clock import VirtualClock
    >>> bus = Bus("default", Place(VirtualClock()))
    >>> event_id = bus.put("shop", "Order placed", {"id": "1"})
    >>> bus.events[0]["detail"]
    {'id': '1'}
    """

    def __init__(self, name: str, place: Place) -> None:
        _check_name("name", name, r"[/\.\-_A-Za-z0-9]+", 256)
        super().__init__(name, place, place.arn("events", f"event-bus/{name}"))
        self.events: list[Event] = []
        self.rules: dict[str, Rule] = {}

    def put(
        self,
        source: str,
        detail_type: str,
        detail: Any,
        resources: Sequence[str] = (),
        time: datetime | None = None,
    ) -> str:
        """Put one event on the bus.

        Args:
            source: Who sends it.
            detail_type: What happened.
            detail: What is told of it: a JSON object, as a dict, a model or its text.
            resources: The ARNs of what it is about.
            time: When it happened; by default now.

        Returns:
            The event's id.

        Raises:
            SourceError: EventBridge would refuse it.
        """
        entry = {
            "Source": source,
            "DetailType": detail_type,
            "Detail": text_of(detail),
            "Resources": list(resources),
            **({"Time": time} if time else {}),
        }
        [result] = self.put_events([entry])["Entries"]
        if "ErrorCode" in result:
            raise SourceError(result["ErrorCode"], result["ErrorMessage"])
        event_id: str = result["EventId"]
        return event_id

    def put_events(self, entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Put up to ten events on the bus; a wrong one does not keep the others from it.

        Args:
            entries: As boto3's: ``{"Source": "shop", "DetailType": "Order placed", "Detail": "{}", ...}``.

        Returns:
            As boto3: ``{"FailedEntryCount": 0, "Entries": [{"EventId": ...}]}``, with ``ErrorCode`` and
            ``ErrorMessage`` for what was refused.

        Raises:
            SourceError: there are too many, or they are too large.
        """
        _check_request(entries)
        results = [self._put(entry) for entry in entries]
        return {"FailedEntryCount": sum("ErrorCode" in result for result in results), "Entries": results}

    def accept(self, event: Event, *, forwarded: bool = False) -> None:
        """Take a whole event, from an AWS service or (``forwarded``) from another bus."""
        self.events.append(event)
        for rule in self.rules.values():
            rule.consider(event, forwarded=forwarded)

    def rule(
        self,
        name: str,
        pattern: Mapping[str, Any] | None = None,
        targets: Target | Iterable[Target] = (),
        *,
        enabled: bool = True,
        **settings: Unpack[TargetSettings],
    ) -> Rule:
        """Have events sent on.

        Args:
            name: The rule's name.
            pattern: Which events; None takes every one.
            targets: Where to: functions, queues, topics, other buses; one or up to five.
            enabled: Whether it does so.
            settings: Those of each of these targets.

        Raises:
            SourceError: EventBridge would refuse it.
            TypeError: a target is none that EventBridge has.
            ValueError: the bus has a rule of that name.
        """
        if name in self.rules:
            raise ValueError(f"the bus {self.name!r} has a rule {name!r}; give it another target with add_target")
        rule = Rule(self, name, pattern, enabled=enabled)
        for target in (targets,) if isinstance(targets, _TARGETS) else targets:
            rule.add_target(target, **settings)
        self.rules[name] = rule
        return rule

    def _put(self, entry: Mapping[str, Any]) -> dict[str, str]:
        try:
            event = self._event(entry)
        except SourceError as error:
            return {"ErrorCode": error.code, "ErrorMessage": error.message}
        self.accept(event)
        return {"EventId": event["id"]}

    def _event(self, entry: Mapping[str, Any]) -> Event:
        for name in ("Source", "DetailType", "Detail"):
            if not entry.get(name):
                message = f"Parameter {name} is not valid. Reason: {name} is a required argument."
                raise SourceError("InvalidArgument", message)
        if entry["Source"].startswith("aws."):
            raise SourceError("NotAuthorizedForSourceException", "Not authorized for the source.")
        return {
            "version": "0",
            "id": self.place.new_id(),
            "detail-type": entry["DetailType"],
            "source": entry["Source"],
            "account": self.place.account,
            "time": iso(entry.get("Time") or self.place.clock.today),
            "region": self.place.region,
            "resources": list(entry.get("Resources", ())),
            "detail": _detail(entry["Detail"]),
        }


class Rule:
    """Sends on the events of a bus that match a pattern; ``Bus.rule`` makes one.

    Attributes:
        name: Its name.
        arn: Its ARN.
        pattern: Which events; None takes every one.
        targets: Where it sends them.
        enabled: Whether it does.
        matched: The events that it sent on.
        filtered: The events that it left.
    """

    def __init__(self, bus: Bus, name: str, pattern: Mapping[str, Any] | None, *, enabled: bool) -> None:
        _check_name("name", name, r"[\.\-_A-Za-z0-9]+", 64)
        path = name if bus.name == "default" else f"{bus.name}/{name}"
        self.name = name
        self.arn = bus.place.arn("events", f"rule/{path}")
        self.pattern = None if pattern is None else _compiled(pattern)
        self.targets: list[RuleTarget] = []
        self.enabled = enabled
        self.matched: list[Event] = []
        self.filtered: list[Event] = []
        self._place = bus.place

    def add_target(self, target: Target, **settings: Unpack[TargetSettings]) -> RuleTarget:
        """Send events to one more target: a function, a queue, a topic or another bus.

        Raises:
            SourceError: EventBridge would refuse it.
            TypeError: the target is none that EventBridge has.
        """
        if len(self.targets) == MAX_TARGETS:
            raise SourceError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
        added = RuleTarget(self, target, self._place, settings)
        self.targets.append(added)
        return added

    def consider(self, event: Event, *, forwarded: bool) -> None:
        """Send an event on, if it matches."""
        if not self.enabled:
            return
        if self.pattern is not None and not self.pattern.matches(event):
            self.filtered.append(event)
            return
        self.matched.append(event)
        for target in self.targets:
            target.pass_on(event, forwarded=forwarded)

    def __repr__(self) -> str:
        return f"<Rule {self.name!r}>"


class RuleTarget(Outlet):
    """A target of a rule; ``Rule.add_target`` makes one."""

    def __init__(self, rule: Rule, target: Target, place: Place, settings: TargetSettings) -> None:
        letters, group = settings.get("dead_letter_queue"), settings.get("group")
        super().__init__(place.clock, target, "function", "queue", "topic", "bus", dead_letter_queue=letters)
        if self.kind == "queue" and target.arn.endswith(".fifo") and not group:
            message = f"Parameter(s) SqsParameters must be specified for target: {target.arn}."
            raise SourceError("ValidationException", message)
        self.rule = rule
        self._place = place
        self._details = {"group": group} if group else {}
        self._input = TargetInput(settings.get("input"), settings.get("input_path"), settings.get("input_transformer"))

    def pass_on(self, event: Event, *, forwarded: bool) -> None:
        """Send it an event, or what is made of that."""
        if self.kind == "bus":
            self.send_off(Parcel(event, refusal=_to_a_third_bus() if forwarded else None))
            return
        text = self._input.text(event, partial(self._predefined, event))
        payload, refusal = _parsed(text) if self.kind == "function" else (text, None)
        self.send_off(Parcel(payload, letter=partial(text_of, event), details=self._details, refusal=refusal))

    def _predefined(self, event: Event) -> dict[str, Any]:
        """The variables that every input transformer has."""
        return {
            "aws.events.rule-arn": self.rule.arn,
            "aws.events.rule-name": self.rule.name,
            "aws.events.event.ingestion-time": iso(self._place.clock.today),
            "aws.events.event": {
                "detailType" if name == "detail-type" else name: value
                for name, value in event.items()
                if name != "detail"
            },
            "aws.events.event.json": event,
        }

    def _details_of_letter(self, error: LambdakitError) -> dict[str, Any]:
        """Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html."""
        told = {
            "RULE_ARN": self.rule.arn,
            "TARGET_ARN": self.target.arn,
            "ERROR_CODE": getattr(error, "code", type(error).__name__),
            "ERROR_MESSAGE": str(error),
        }
        return {"message_attributes": {name: {"DataType": "String", "StringValue": told[name]} for name in told}}


def _to_a_third_bus() -> SourceError:
    """Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-bus-to-bus.html."""
    return SourceError(
        "InvalidTarget", "EventBridge can't route events received from a sender event bus to a third event bus."
    )


def _parsed(text: str) -> tuple[Any, SourceError | None]:
    """What a function gets; a template whose text is no JSON is of no use to it."""
    try:
        return from_json(text), None
    except ValueError as error:
        return text, SourceError("InvalidJson", f"what the input transformer made is no JSON: {error}")


def _compiled(pattern: Mapping[str, Any]) -> EventPattern:
    try:
        return EventPattern(pattern)
    except ValueError as error:
        message = f"Event pattern is not valid. Reason: {error}"
        raise SourceError("InvalidEventPatternException", message) from None


def _detail(text: Any) -> Event:
    try:
        detail = from_json(text)
    except (ValueError, TypeError):
        detail = None
    if not isinstance(detail, dict):
        raise SourceError("MalformedDetail", "Detail is malformed.")
    return detail


def _check_request(entries: Sequence[Mapping[str, Any]]) -> None:
    if not 1 <= len(entries) <= MAX_ENTRIES:
        limit = f"less than or equal to {MAX_ENTRIES}" if entries else "greater than or equal to 1"
        raise SourceError(
            "ValidationException",
            f"1 validation error detected: Value '{list(entries)}' at 'entries' failed to satisfy constraint: Member "
            f"must have length {limit}",
        )
    if sum(map(_size, entries)) > MAX_REQUEST_BYTES:
        raise SourceError("ValidationException", "Total size of the entries in the request is over the limit.")


def _size(entry: Mapping[str, Any]) -> int:
    """Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html."""
    texts = (entry.get("Source"), entry.get("DetailType"), entry.get("Detail"), *entry.get("Resources", ()))
    return sum(len(str(text).encode()) for text in texts if text) + (14 if entry.get("Time") else 0)


def _check_name(what: str, name: str, pattern: str, longest: int) -> None:
    if len(name) > longest:
        problem = f"Member must have length less than or equal to {longest}"
    elif not re.fullmatch(pattern, name):
        problem = f"Member must satisfy regular expression pattern: {pattern}"
    else:
        return
    message = f"1 validation error detected: Value '{name}' at '{what}' failed to satisfy constraint: {problem}"
    raise SourceError("ValidationException", message)
