"""Any other source: what ``@on_event`` takes and hands to a handler."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from typing_extensions import TypeVar

from lambdakit.identify import LABELS
from lambdakit.triggers.settings import check_choice
from lambdakit.triggers.trigger import Record, Trigger, mark

Handler = TypeVar("Handler", bound=Callable[..., object])

_OWN_DECORATORS = {
    "s3": "on_s3",
    "sqs": "on_sqs",
    "sns": "on_sns",
    "kinesis": "on_kinesis",
    "dynamodb": "on_dynamodb",
    "eventbridge": "on_eventbridge",
    "eventbridge_schedule": "on_schedule",
    "s3_eventbridge": "on_s3(..., via='eventbridge')",
    "apigw_v1": "on_http",
    "apigw_v2": "on_http",
    "function_url": "on_http",
    "alb": "on_http",
    "apigw_websocket": "on_websocket",
    "apigw_authorizer_token": "on_authorizer('TOKEN')",
    "apigw_authorizer_request": "on_authorizer",
    "apigw_authorizer_v2": "on_authorizer",
    "apigw_authorizer_websocket": "on_authorizer",
    "appsync_authorizer": "on_authorizer('AWS_LAMBDA')",
    "direct": "on_invoke",
    "stepfunctions": "on_invoke",
}


@dataclass(frozen=True, eq=False, repr=False)
class EventTrigger(Trigger):
    """Whole events of one source."""

    source: ClassVar[str] = "event"
    resource: ClassVar[str] = "label"

    label: str = ""

    def __post_init__(self) -> None:
        if callable(self.label):
            raise TypeError("write @on_event with the source's label, as in @on_event('cloudwatch_logs')")
        if self.label in _OWN_DECORATORS:
            raise ValueError(f"{self.label!r} events have their own decorator: {_OWN_DECORATORS[self.label]}")
        check_choice("the label of on_event", self.label, sorted(LABELS - _OWN_DECORATORS.keys()))

    @property
    def labels(self) -> frozenset[str]:  # type: ignore[override]
        """The one source."""
        return frozenset({self.label})

    @classmethod
    def payload_reader(cls, annotation: Any) -> Callable[[Record], Any]:
        """Of the whole event."""
        from lambdakit.events.payload import value_reader

        return value_reader(annotation)


def on_event(label: str) -> Callable[[Handler], Handler]:
    """Run the decorated function for the events of any source without a decorator of its own.

    Its result is the reply. It may ask for the event in any type that Pydantic reads: a model of yours, one of
    Powertools' parser models, a dict.

    Args:
        label: The source, as ``identify`` names it: ``"cloudwatch_logs"``, ``"firehose"``, ``"alexa_skill"``, ...

    Raises:
        ValueError: there is no such source, or it has its own decorator.

    >>> @on_event("cognito_pre_signup")
    ... def confirm(event: dict[str, object]) -> dict[str, object]:
    ...     return {**event, "response": {"autoConfirmUser": True}}
    """
    return mark(EventTrigger(label))
