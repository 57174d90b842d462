"""SNS notifications: what ``@on_sns`` takes, matches and hands to a handler."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from typing_extensions import TypeVar

from lambdakit.triggers.settings import as_tuple, check_arn, check_choice, check_name, check_via, closeness
from lambdakit.triggers.trigger import Record, Specificity, Trigger, mark

Handler = TypeVar("Handler", bound=Callable[..., object])


def _topic_arn(record: Record) -> Hashable:
    arn: Hashable = record["Sns"].get("TopicArn")
    return arn


@dataclass(frozen=True, eq=False, repr=False)
class SnsTrigger(Trigger):
    """Notifications of one topic, and the subscription that delivers them.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
    """

    source: ClassVar[str] = "sns"
    labels: ClassVar[frozenset[str]] = frozenset({"sns"})
    resource: ClassVar[str] = "topic"
    noun: ClassVar[str] = "SNS message"
    payload_path: ClassVar[str] = "Sns.Message"
    routing_key: ClassVar[Callable[[Record], Hashable] | None] = staticmethod(_topic_arn)

    topic: str | None = None
    filter_policy: Mapping[str, Any] | None = None
    filter_policy_scope: str = "MessageAttributes"
    redrive_policy: str | None = None
    via: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_name("on_sns", self.topic, "topic's name", "sns")
        check_arn("redrive_policy", self.redrive_policy)
        check_choice("filter_policy_scope", self.filter_policy_scope, ("MessageAttributes", "MessageBody"))
        if self.filter_policy is not None:
            from lambdakit.patterns import EventPattern

            EventPattern(self.filter_policy)
        check_via(self.via, ("sqs",))

    def specificity(self, record: Record) -> Specificity | None:
        """An ARN before a name before any topic."""
        arn = record["Sns"].get("TopicArn") or ""
        return closeness(self.topic, arn.rpartition(":")[2], arn)

    @classmethod
    def records(cls, event: Any) -> list[Record]:
        """Those of a delivery, or the notification document that a queue gets of a topic."""
        if "Records" in event:
            records: list[Record] = event["Records"]
            return records
        if "Message" not in event or "TopicArn" not in event:
            raise ValueError("not an SNS notification: it has no Message or TopicArn")
        return [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": event}]

    @classmethod
    def origin(cls, record: Record) -> str:
        """The topic."""
        return f"topic {(record['Sns'].get('TopicArn') or '').rpartition(':')[2]!r}"

    @classmethod
    def record_id(cls, record: Record) -> str:
        """The message id."""
        return record["Sns"].get("MessageId") or ""

    @classmethod
    def payload_reader(cls, annotation: Any) -> Callable[[Record], Any]:
        """Of the message."""
        from lambdakit.events.payload import text_reader

        read = text_reader(annotation)
        return lambda record: read(record["Sns"].get("Message"))

    @classmethod
    def contents(cls, record: Record) -> Any:
        """The JSON of the message."""
        from pydantic_core import from_json

        return from_json(record["Sns"]["Message"])


def on_sns(
    topic: str | None = None,
    *,
    filter_policy: Mapping[str, Any] | None = None,
    filter_policy_scope: Literal["MessageAttributes", "MessageBody"] = "MessageAttributes",
    redrive_policy: str | None = None,
    via: str | Iterable[str] = (),
) -> Callable[[Handler], Handler]:
    """Run the decorated function for the notifications of a topic.

    It may ask for the message (``order: Order``), an ``SnsRecord[Order]``, a ``list[SnsRecord]`` or the ``SnsEvent``.

    Args:
        topic: The topic's name or ARN; None takes any topic that no other handler takes.
        filter_policy: What SNS delivers of it, by the subscription's filter policy.
        filter_policy_scope: Whether the policy looks at the message's attributes or its body.
        redrive_policy: The queue, by name or ARN, for messages that SNS could not deliver.
        via: What the notification comes through: ``"sqs"`` for a queue that is subscribed to the topic.

    Raises:
        ValueError: AWS would reject the setting.

    >>> @on_sns("alerts", filter_policy={"severity": ["high"]})
    ... def page(text: str) -> None: ...
    """
    return mark(SnsTrigger(topic, filter_policy, filter_policy_scope, redrive_policy, as_tuple(via, "via")))
