"""SNS notifications, as a function gets them, and as a queue that is subscribed to the topic does.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from lambdakit.testing.events.payload_examples import payload_for
from lambdakit.testing.events.sources import Source, trigger_of
from lambdakit.testing.events.values import (
    ACCOUNT,
    REGION,
    TIME,
    Event,
    arn,
    hexadecimal,
    iso_milliseconds,
    region_of,
    repeated,
    text_of,
    token,
    uuid,
)


def sns(
    topic: Source = "alerts",
    *messages: Any,
    subject: str | None = None,
    message_attributes: Mapping[str, Any] | None = None,
    via: str | Sequence[str] | None = None,
    records: int | None = None,
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """Notifications of a topic. SNS itself delivers one in each event.

    Args:
        topic: The topic's name or ARN, or the handler that takes its notifications.
        *messages: The messages: text as it is, anything else (a model, a dict, ...) as JSON; none is one that fits.
        subject: The subject of each.
        message_attributes: The attributes of each message: text, numbers, bytes or lists, or as SNS writes them.
        via: ``"sqs"`` or ``"sqs:QUEUE"`` where a queue is subscribed to the topic; each message then comes by itself.
        records: How many notifications; the messages take turns.
        time: When they were published.
        region: The topic's region.
        account: The topic's account.

    >>> sns("alerts", "Disk full", subject="db-1")["Records"][0]["Sns"]["Message"]
    'Disk full'
    """
    trigger = trigger_of(topic, "sns")
    topic_arn = arn("sns", (trigger.topic or "alerts") if trigger else str(topic), region, account)
    wanted, attributes = _policy_example(trigger)
    contents = repeated(messages or (payload_for(topic, trigger, wanted),), records)
    notifications = [
        notification(
            topic_arn,
            content,
            position,
            subject=subject,
            message_attributes=message_attributes or attributes,
            time=time,
        )
        for position, content in enumerate(contents)
    ]
    envelopes = via if via is not None else trigger.via if trigger else ()
    if envelopes:
        from lambdakit.testing.events.envelopes import delivered, steps

        documents = [each.document() for each in notifications]
        return delivered(documents, steps(envelopes), time=time, region=region, account=account)
    return {"Records": [each.record() for each in notifications]}


def _policy_example(trigger: Any) -> tuple[Any, Event]:
    """What the subscription's filter policy wants to see: in the message, and as its attributes."""
    if trigger is None or trigger.filter_policy is None:
        return None, {}
    from lambdakit.testing.events.pattern_examples import example_of_pattern

    wanted = example_of_pattern(trigger.filter_policy)
    return (wanted, {}) if trigger.filter_policy_scope == "MessageBody" else (None, wanted)


_FIRST_NUMBER = 10_000_000_000_000_000_000
"""Where the sequence numbers of a FIFO topic begin."""


def notification(
    topic_arn: str,
    message: Any,
    position: int = 0,
    *,
    subject: str | None = None,
    message_attributes: Mapping[str, Any] | None = None,
    time: datetime = TIME,
) -> Notification:
    """What a topic's one subscription gets of a message; its ids follow from what it says."""
    text = text_of(message)
    return Notification(
        topic_arn,
        f"{topic_arn}:{uuid('subscription', topic_arn)}",
        uuid("notification", topic_arn, text, position),
        text,
        subject,
        _attributes(message_attributes or {}),
        time,
        _FIRST_NUMBER + position * 1000,
    )


@dataclass(frozen=True)
class Notification:
    """A message on its way from a topic to a subscriber.

    Attributes:
        topic_arn: The topic.
        subscription_arn: The subscription.
        message_id: Of the message, the same for all subscribers.
        message: The message.
        subject: Its subject, if it has one.
        attributes: Its attributes, as SNS writes them: ``{"Type": "String", "Value": "text"}``.
        time: When it was published.
        sequence_number: Its place among the messages of a FIFO topic.
    """

    topic_arn: str
    subscription_arn: str
    message_id: str
    message: str
    subject: str | None
    attributes: Event
    time: datetime
    sequence_number: int

    def record(self) -> Event:
        """As a function gets it."""
        return {
            "EventSource": "aws:sns",
            "EventVersion": "1.0",
            "EventSubscriptionArn": self.subscription_arn,
            "Sns": {**self._content(), **self._signature("Url"), "MessageAttributes": self.attributes},
        }

    def document(self) -> Event:
        """As it lies in a queue: without what was not given, and with other names for the links.

        A message of a FIFO topic has a number, and no signature.
        """
        is_fifo = self.topic_arn.endswith(".fifo")
        signature = {"UnsubscribeURL": self._unsubscribe_link} if is_fifo else self._signature("URL")
        return {
            **{name: value for name, value in self._content().items() if value is not None},
            **({"SequenceNumber": str(self.sequence_number)} if is_fifo else {}),
            **signature,
            **({"MessageAttributes": self.attributes} if self.attributes else {}),
        }

    def _content(self) -> Event:
        return {
            "Type": "Notification",
            "MessageId": self.message_id,
            "TopicArn": self.topic_arn,
            "Subject": self.subject,
            "Message": self.message,
            "Timestamp": iso_milliseconds(self.time),
        }

    def _signature(self, suffix: str) -> Event:
        certificate = f"SimpleNotificationService-{hexadecimal(32, 'certificate')}.pem"
        return {
            "SignatureVersion": "1",
            "Signature": token(342, "signature", self.topic_arn, self.message_id) + "==",
            f"SigningCert{suffix}": f"{self._host}/{certificate}",
            f"Unsubscribe{suffix}": self._unsubscribe_link,
        }

    @property
    def _unsubscribe_link(self) -> str:
        return f"{self._host}/?Action=Unsubscribe&SubscriptionArn={self.subscription_arn}"

    @property
    def _host(self) -> str:
        return f"https://sns.{region_of(self.topic_arn)}.amazonaws.com"


def _attributes(given: Mapping[str, Any]) -> Event:
    return {name: _attribute(value) for name, value in given.items()}


def _attribute(value: Any) -> Event:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, bytes):
        return {"Type": "Binary", "Value": b64encode(value).decode()}
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return {"Type": "Number", "Value": str(value)}
    return {"Type": "String.Array" if isinstance(value, list | tuple) else "String", "Value": text_of(value)}
