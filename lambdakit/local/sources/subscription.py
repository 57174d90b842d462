"""Subscriptions of a local SNS topic: who gets its messages, and in which form.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-create-subscribe-endpoint-to-topic.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lambdakit.local.sources.outlet import Outlet, Parcel
from lambdakit.local.sources.sns_message import invalid, written
from lambdakit.local.sources.source import SourceError
from lambdakit.testing.events.sns_messages import Notification
from lambdakit.testing.events.values import text_of

if TYPE_CHECKING:
    from lambdakit.local.sources.filter_policy import FilterPolicy
    from lambdakit.local.sources.outlet import QueueTarget, Target
    from lambdakit.local.sources.sns_message import Message
    from lambdakit.local.sources.topic import Topic

_MOST_RAW_ATTRIBUTES = 10


class Subscription(Outlet):
    """Who gets the messages of a topic; ``Topic.subscribe`` makes one.

    Attributes:
        arn: Its ARN.
        topic: The topic.
        filter_policy: Which messages it takes, or None for all.
        raw_message_delivery: Whether the target gets them as they are.
        filtered: The messages that it did not take.
    """

    def __init__(
        self,
        topic: Topic,
        target: Target,
        filter_policy: FilterPolicy | None,
        *,
        raw_message_delivery: bool,
        dead_letter_queue: QueueTarget | None,
    ) -> None:
        super().__init__(topic.place.clock, target, "function", "queue", dead_letter_queue=dead_letter_queue)
        self.protocol = "lambda" if self.kind == "function" else "sqs"
        if raw_message_delivery and self.protocol == "lambda":
            raise invalid("Attributes Reason: Delivery protocol [lambda] does not support raw message delivery.")
        if topic.is_fifo and self.protocol == "lambda":
            raise invalid("Invalid protocol type: lambda")
        if target.arn.endswith(".fifo") and not topic.is_fifo:
            raise invalid(
                "Invalid parameter: Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"
            )
        self.arn = f"{topic.arn}:{topic.place.new_id()}"
        self.topic = topic
        self.filter_policy = filter_policy
        self.raw_message_delivery = raw_message_delivery
        self.filtered: list[Message] = []
        self._settings = filter_policy, filter_policy and filter_policy.scope, raw_message_delivery

    def unsubscribe(self) -> None:
        """Get no further messages."""
        if self in self.topic.subscriptions:
            self.topic.subscriptions.remove(self)

    def take(self, message: Message) -> None:
        """Deliver a message, unless the policy leaves it."""
        text = message.text_for(self.protocol)
        if self.filter_policy is not None and not self.filter_policy.takes(text, message.attributes):
            self.filtered.append(message)
            return
        notification = self._notification(message, text)
        if self.raw_message_delivery:
            self.send_off(self._raw(message, notification))
        elif self.protocol == "sqs":
            self.send_off(Parcel(text_of(notification.document()), details=self._group(message)))
        else:
            self.send_off(Parcel({"Records": [notification.record()]}, lambda: text_of(notification.document())))

    def or_refuse(self, other: Subscription) -> Subscription:
        """This one, which the target of another already has.

        Raises:
            SourceError: the other has different settings.
        """
        if self._settings != other._settings:
            raise invalid("Attributes Reason: Subscription already exists with different attributes")
        return self

    def _notification(self, message: Message, text: str) -> Notification:
        return Notification(
            topic_arn=self.topic.arn,
            subscription_arn=self.arn,
            message_id=message.message_id,
            message=text,
            subject=message.subject,
            attributes={name: self._written(given) for name, given in message.attributes.items()},
            time=message.time,
            sequence_number=message.sequence_number,
        )

    def _written(self, given: Mapping[str, Any]) -> dict[str, str]:
        """An attribute as the target gets it: a function gets numbers and arrays as strings.

        Source: https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
        """
        attribute = written(given)
        is_string = self.protocol == "lambda" and attribute["Type"] != "Binary"
        return {**attribute, "Type": "String"} if is_string else attribute

    def _raw(self, message: Message, notification: Notification) -> Parcel:
        """The message as it is; it is refused with more attributes than SQS takes."""
        attributes, refusal = message.attributes, None
        if len(attributes) > _MOST_RAW_ATTRIBUTES:
            problem = f"raw delivery to SQS takes {_MOST_RAW_ATTRIBUTES} message attributes, not {len(attributes)}"
            refusal = SourceError("InvalidParameterValue", problem)
        details = {"message_attributes": attributes} if attributes else {}
        return Parcel(
            notification.message,
            lambda: text_of(notification.document()),
            details={**details, **self._group(message)},
            refusal=refusal,
        )

    def _group(self, message: Message) -> dict[str, str]:
        """The message's group; for a FIFO queue also the id by which it knows the message again."""
        group = {"message_group_id": message.message_group_id} if message.message_group_id else {}
        if message.message_deduplication_id and self.target.arn.endswith(".fifo"):
            return {**group, "message_deduplication_id": message.message_deduplication_id}
        return group
