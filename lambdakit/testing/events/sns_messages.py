"""SNS notifications, as a function gets them, and as a queue that is subscribed to the topic does.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
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
    message_attributes = message_attributes or attributes
    contents = repeated(messages or (payload_for(topic, trigger, wanted),), records)
    envelopes = via if via is not None else trigger.via if trigger else ()
    if envelopes:
        from lambdakit.testing.events.envelopes import delivered, steps

        documents = [
            document(topic_arn, content, position, subject=subject, message_attributes=message_attributes, time=time)
            for position, content in enumerate(contents)
        ]
        return delivered(documents, steps(envelopes), time=time, region=region, account=account)
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "EventSubscriptionArn": _subscription(topic_arn),
                "Sns": {
                    **_notification(topic_arn, text_of(content), position, subject, time),
                    **_links(topic_arn, "Url"),
                    "MessageAttributes": _attributes(message_attributes),
                },
            }
            for position, content in enumerate(contents)
        ]
    }


def _policy_example(trigger: Any) -> tuple[Any, Event]:
    """What the subscription's filter policy wants to see: in the message, and as its attributes."""
    if trigger is None or trigger.filter_policy is None:
        return None, {}
    from lambdakit.testing.events.pattern_examples import example_of_pattern

    wanted = example_of_pattern(trigger.filter_policy)
    return (wanted, {}) if trigger.filter_policy_scope == "MessageBody" else (None, wanted)


_FIRST_NUMBER = 10_000_000_000_000_000_000
"""Where the sequence numbers of a FIFO topic begin."""


def document(
    topic_arn: str,
    message: Any,
    position: int = 0,
    *,
    subject: str | None = None,
    message_attributes: Mapping[str, Any] | None = None,
    time: datetime = TIME,
) -> Event:
    """A notification as it lies in a queue: without what was not given, and with other names for the links."""
    notification = _notification(topic_arn, text_of(message), position, subject, time)
    attributes = _attributes(message_attributes or {})
    return {
        **{name: value for name, value in notification.items() if value is not None},
        **({"SequenceNumber": str(_FIRST_NUMBER + position * 1000)} if topic_arn.endswith(".fifo") else {}),
        **_links(topic_arn, "URL"),
        **({"MessageAttributes": attributes} if attributes else {}),
    }


def _notification(topic_arn: str, message: str, position: int, subject: str | None, time: datetime) -> Event:
    return {
        "Type": "Notification",
        "MessageId": uuid("notification", topic_arn, message, position),
        "TopicArn": topic_arn,
        "Subject": subject,
        "Message": message,
        "Timestamp": iso_milliseconds(time),
        "SignatureVersion": "1",
        "Signature": token(342, "signature", topic_arn, message, position) + "==",
    }


def _links(topic_arn: str, suffix: str) -> Event:
    host = f"https://sns.{region_of(topic_arn)}.amazonaws.com"
    return {
        f"SigningCert{suffix}": f"{host}/SimpleNotificationService-{hexadecimal(32, 'certificate')}.pem",
        f"Unsubscribe{suffix}": f"{host}/?Action=Unsubscribe&SubscriptionArn={_subscription(topic_arn)}",
    }


def _subscription(topic_arn: str) -> str:
    return f"{topic_arn}:{uuid('subscription', topic_arn)}"


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
