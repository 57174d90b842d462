"""SNS notifications, as SNS delivers them to Lambda.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, Literal

from pydantic import BeforeValidator, ConfigDict
from typing_extensions import TypeVar

from lambdakit.events.model import EventModel, at, attribute_value, last_part, usually
from lambdakit.events.payload import Text

Message = TypeVar("Message", default=str)


def _attribute_values(value: Any) -> Any:
    """``{"Type": "Number", "Value": "3"}`` and its like as Python values."""
    if not isinstance(value, dict):
        return value
    return {name: _attribute_value(attribute) for name, attribute in value.items()}


def _attribute_value(attribute: Any) -> Any:
    if not (isinstance(attribute, dict) and isinstance(attribute.get("Value"), str)):
        return attribute
    return attribute_value(attribute.get("Type"), attribute["Value"])


class SnsRecord(EventModel, Generic[Message]):
    """One notification; ``SnsRecord[Order]`` reads its message from JSON into an ``Order``."""

    lambdakit_source: ClassVar[str] = "sns"

    message_id: str = at("Sns", "MessageId")
    message: Annotated[Message, Text()] = at("Sns", "Message")
    topic_arn: str = usually("Sns", "TopicArn")
    subject: str | None = usually("Sns", "Subject")
    timestamp: datetime = usually("Sns", "Timestamp")
    type: str = usually("Sns", "Type")
    message_attributes: Annotated[dict[str, Any], BeforeValidator(_attribute_values)] = usually(
        "Sns", "MessageAttributes", default={}
    )
    event_subscription_arn: str = usually("EventSubscriptionArn")

    @property
    def topic(self) -> str:
        """The name of the topic."""
        return last_part(self.topic_arn)


class SnsEvent(EventModel, Generic[Message]):
    """A whole delivery. SNS sends one notification in each."""

    model_config = ConfigDict(defer_build=True)
    lambdakit_source: ClassVar[str] = "sns"
    lambdakit_unit: ClassVar[Literal["event", "record"]] = "event"

    records: list[SnsRecord[Message]] = at("Records")
