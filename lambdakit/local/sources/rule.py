"""Rules of a local EventBridge bus: which events go on to which targets.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rules.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from pydantic_core import from_json

from lambdakit.local.sources.outlet import Outlet, Parcel
from lambdakit.local.sources.source import SourceError
from lambdakit.local.sources.target_input import TargetInput
from lambdakit.patterns import EventPattern
from lambdakit.testing.events.values import Event, iso, text_of

if TYPE_CHECKING:
    from lambdakit.errors import LambdakitError
    from lambdakit.local.sources.bus import Bus
    from lambdakit.local.sources.outlet import QueueTarget, Target
    from lambdakit.local.sources.source import Place
    from lambdakit.local.sources.target_input import InputTransformer

MAX_TARGETS = 5


class TargetSettings(TypedDict, total=False):
    """The settings of a rule's target.

    Attributes:
        input: What it gets instead of the event: any JSON value.
        input_path: The part of the event that it gets, such as ``"$.detail"``.
        input_transformer: What it gets is made of the event.
        message_group_id: The message group; a FIFO queue needs one.
        dead_letter_queue: Where an event goes that the target does not take.
    """

    input: Any
    input_path: str | None
    input_transformer: InputTransformer | None
    message_group_id: str | None
    dead_letter_queue: QueueTarget | None


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
        check_name(name, r"[\.\-_A-Za-z0-9]+", 64)
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
        letters, group = settings.get("dead_letter_queue"), settings.get("message_group_id")
        super().__init__(place.clock, target, "function", "queue", "topic", "bus", dead_letter_queue=letters)
        if self.kind == "queue" and target.arn.endswith(".fifo") and not group:
            message = f"Parameter(s) SqsParameters must be specified for target: {target.arn}."
            raise SourceError("ValidationException", message)
        self.rule = rule
        self._place = place
        self._details = {"message_group_id": group} if group else {}
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


def check_name(name: str, pattern: str, longest: int) -> None:
    """Refuse a name that EventBridge does not take, in its words.

    Raises:
        SourceError: it does not match, or is too long.
    """
    if len(name) > longest:
        problem = f"Member must have length less than or equal to {longest}"
    elif not re.fullmatch(pattern, name):
        problem = f"Member must satisfy regular expression pattern: {pattern}"
    else:
        return
    message = f"1 validation error detected: Value '{name}' at 'name' failed to satisfy constraint: {problem}"
    raise SourceError("ValidationException", message)
