"""A local EventBridge bus: events that are put on it, for its rules to send on.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Unpack

from pydantic_core import from_json

from lambdakit.local.sources.outlet import is_target
from lambdakit.local.sources.rule import Rule, TargetSettings, check_name
from lambdakit.local.sources.source import Place, Source, SourceError
from lambdakit.testing.events.values import Event, iso, text_of

if TYPE_CHECKING:
    from lambdakit.local.sources.outlet import Target

MAX_REQUEST_BYTES = 1_048_576
"""The most that the entries of one request may have together."""
MAX_ENTRIES = 10


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
        check_name(name, r"[/\.\-_A-Za-z0-9]+", 256)
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
        for target in (targets,) if is_target(targets) else targets:
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
